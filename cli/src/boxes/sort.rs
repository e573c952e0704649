//! What makes boxes, as `--box` says it. Makes none.

use std::str::FromStr;

/// A sort of box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Overlays of this machine.
    #[default]
    Overlay,
    /// Booted by systemd-nspawn.
    Nspawn,
    /// Containers of podman, of this image.
    Podman(Option<String>),
    /// Containers of docker, of this image.
    Docker(Option<String>),
    /// Containers of LXC.
    Lxc,
    /// Machines of Vagrant: of this box, or else the first of the site's Vagrantfile.
    Vagrant(Option<String>),
    /// This host, which is there already.
    Ssh(String),
}

/// What may be written.
const WAYS: &str = "write overlay, nspawn, podman, podman:IMAGE, docker, docker:IMAGE, lxc, vagrant, vagrant:BOX or ssh:HOST";

impl Sort {
    /// Those that a file of tests may call for.
    pub const NAMES: [&str; 6] = ["overlay", "nspawn", "podman", "docker", "lxc", "vagrant"];

    /// The one that a file of tests calls so. It names no host: only who types one can mean it.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().filter(|sort| !matches!(sort, Self::Ssh(_)))
    }
}

impl FromStr for Sort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sort, of) = text.split_once(':').map_or((text, None), |(sort, of)| (sort, Some(of)));
        // A word of a command line: no option may pass for a name.
        let of = match of {
            Some(of) if of.is_empty() || of.starts_with('-') => return Err(WAYS),
            of => of.map(str::to_owned),
        };
        match (sort, of) {
            ("overlay", None) => Ok(Self::Overlay),
            ("nspawn", None) => Ok(Self::Nspawn),
            ("podman", of) => Ok(Self::Podman(of)),
            ("docker", of) => Ok(Self::Docker(of)),
            ("lxc", None) => Ok(Self::Lxc),
            ("vagrant", of) => Ok(Self::Vagrant(of)),
            ("ssh", Some(host)) => Ok(Self::Ssh(host)),
            _ => Err(WAYS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sort;

    #[test]
    fn a_sort_is_a_word_and_perhaps_what_it_is_made_of() {
        for (text, expected) in [
            ("overlay", Some(Sort::Overlay)),
            ("podman", Some(Sort::Podman(None))),
            ("podman:localhost/a:b", Some(Sort::Podman(Some("localhost/a:b".to_owned())))),
            ("vagrant:keel/debian", Some(Sort::Vagrant(Some("keel/debian".to_owned())))),
            ("ssh:web1", Some(Sort::Ssh("web1".to_owned()))),
            ("ssh", None),
            ("docker:", None),
            ("docker:--privileged", None),
            ("lxc:x", None),
            ("qemu", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
        assert_eq!(Sort::named("lxc"), Some(Sort::Lxc));
        assert_eq!(Sort::named("ssh:web1"), None);
    }
}
