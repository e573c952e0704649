//! What makes boxes, and what a box can do. The run of a test goes through its [`Remote`] alone, as on any host.

use super::kept::Kept;
use fleet::Remote;
use model::Failure;

/// Makes boxes of one sort.
pub trait Driver: Sync {
    /// Its name, as `--box` has it.
    fn name(&self) -> &'static str;

    /// Makes a box that is as new, in the thread that will use it: it may end with that.
    ///
    /// # Errors
    /// What the machine lacks, or what went wrong. Nothing is left of the box then.
    fn create(&self) -> Result<Box<dyn TestBox>, Failure>;
}

/// A throwaway host. Dropping it destroys it.
pub trait TestBox {
    /// A way in, as root. It belongs to nobody: each call makes one.
    fn remote(&self) -> Box<dyn Remote>;

    /// What is otherwise in it than when it was made.
    ///
    /// # Errors
    /// It could not be told.
    fn compare(&mut self) -> Result<Raw, Failure>;

    /// What is not in it as on a host, in words.
    fn notes(&self) -> Vec<String>;

    /// Destroys it.
    ///
    /// # Errors
    /// Something of it is left.
    fn destroy(self: Box<Self>) -> Result<(), Failure>;

    /// What is there when the test is over and the box done with.
    fn stay(&self) -> Stay {
        Stay::Nothing
    }

    /// What the user calls it, where it is a host of his; nobody but the test knows any other.
    fn host(&self) -> Option<&str> {
        None
    }

    /// What the user types to bring back what this run did to what stays; without one, to be told its runs. Nothing where nothing stays.
    fn by_hand(&self, _run: Option<u64>) -> String {
        String::new()
    }

    /// Leaves it for the user to look at.
    ///
    /// # Errors
    /// It could not be left alone; it is gone then.
    fn keep(self: Box<Self>) -> Result<Kept, Failure>;
}

/// What is there when a box is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// Nothing: it is destroyed.
    Nothing,
    /// The host that was there before. Whatever came of the test, it is brought back to what it was.
    Before,
}

/// How far a box is from what it was made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// Such lines; none where it is the same.
    Differs(Vec<String>),
    /// Boxes of this sort cannot be compared.
    Unknown,
}

impl Raw {
    /// Without what may be otherwise: such paths, and all below them.
    pub fn without(self, paths: &[String]) -> Self {
        let is_borne = |line: &String| {
            let rest = |path: &String| line.strip_prefix(path.trim_end_matches('/'));
            paths.iter().filter_map(rest).any(|rest| rest.starts_with(['/', ' ']))
        };
        match self {
            Self::Differs(lines) => Self::Differs(lines.into_iter().filter(|line| !is_borne(line)).collect()),
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Why there is no box; and what is left of it, where it could not be removed either.
pub(super) fn unmade(why: Failure, removed: Result<(), Failure>) -> Failure {
    match removed {
        Ok(()) => why,
        Err(left) => Failure::unknown("the box", format!("{why}; and what there is of it is left: {left}")),
    }
}

#[cfg(test)]
mod tests {
    use super::Raw;

    #[test]
    fn a_path_is_borne_with_all_below_it_and_no_other() {
        let lines = |lines: &[&str]| Raw::Differs(lines.iter().map(|line| (*line).to_owned()).collect());
        let raw =
            lines(&["/var/www is there", "/var/www/html is there", "/var/wwwx is there", "/etc/x is gone"]);
        let left = raw.without(&["/var/www".to_owned(), "/etc/x/".to_owned()]);
        assert_eq!(left, lines(&["/var/wwwx is there"]));
    }
}
