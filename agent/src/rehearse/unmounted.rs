//! What a rehearsal says of places where the run mounts something. Nothing is mounted in the copy: what is done below such a place is done in the
//! directory under it, which on the machine the mount hides. It must not pass that off as what the run will find.

use model::{HostPath, RehearsedFile};

/// What is added to each file below.
const DETAIL: &str = "below a mount that was not made";

/// Marks the files below `mounted`, and says what is not known of them.
pub(super) fn mark(mounted: &[HostPath], files: &mut [RehearsedFile]) -> Vec<String> {
    let tell = |at: &HostPath| {
        let mut below: Vec<_> =
            files.iter_mut().filter(|it| it.path.starts_with(at) && it.path != *at).collect();
        below.iter_mut().for_each(|file| file.details.push(DETAIL.to_owned()));
        let what = format!(
            "nothing is mounted at {at} in a rehearsal, so what the file system there holds is not told"
        );
        match below.len() {
            0 => what,
            1 => format!("{what}; 1 change below was tried in the directory under it"),
            count => format!("{what}; {count} changes below were tried in the directory under it"),
        }
    };
    mounted.iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::{DETAIL, mark};
    use model::{HostPath, RehearsedFile, Turn};

    #[test]
    fn what_was_done_below_a_mount_is_marked() {
        let path = |text: &str| HostPath::new(text).unwrap();
        let file = |at: &str| {
            let (turn, what) = (Turn::Added, "file".to_owned());
            RehearsedFile { path: path(at), turn, what, details: Vec::new(), diff: None }
        };
        let mut files = ["/srv", "/srv/a", "/srv/a/x", "/srv/a/y", "/srv/ab"].map(file);
        let notes = mark(&[path("/srv/a"), path("/mnt")], &mut files);
        let marked: Vec<String> =
            files.iter().filter(|it| it.details == [DETAIL]).map(|it| it.path.to_string()).collect();
        assert_eq!(marked, ["/srv/a/x", "/srv/a/y"]);
        assert!(notes[0].contains("at /srv/a in") && notes[0].contains("2 changes below"), "{notes:?}");
        assert!(notes[1].contains("at /mnt in") && !notes[1].contains("below"), "{notes:?}");
    }
}
