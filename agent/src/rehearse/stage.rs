//! The hidden commands by which a program starts itself again as one of the inner processes of a rehearsal.

use super::{inner, keeper};
use crate::os::child::{Child, Outlet};
use crate::os::tied::Tied;
use model::Failure;
use std::ffi::{OsStr, OsString};

/// An inner process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Makes the copy, and reads the changes from it.
    Keeper,
    /// Runs the engine in the copy.
    Inner,
}

impl Stage {
    const ALL: [Self; 2] = [Self::Keeper, Self::Inner];

    fn word(self) -> &'static str {
        match self {
            Self::Keeper => "__rehearse-keeper",
            Self::Inner => "__rehearse-inner",
        }
    }

    /// The stage that a command line (with the program's name) asks for. To be asked first in `main`, while there is one thread.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter().skip(1);
        let (first, second) = (arguments.next()?, arguments.next());
        let is_asked = |stage: &Self| first == OsStr::new(stage.word()) && second.is_none();
        Self::ALL.into_iter().find(is_asked)
    }

    /// Plays the stage, on standard input and output; the number is the exit code. A failure has gone up the pipe by then.
    pub fn play(self) -> u8 {
        match self {
            Self::Keeper => keeper::play(),
            Self::Inner => inner::play(),
        }
    }

    /// Starts the running program as this stage.
    pub(super) fn start(self, outlet: Outlet) -> Result<Tied, Failure> {
        Child::new(["/proc/self/exe", self.word()]).start(outlet)
    }
}

#[cfg(test)]
mod tests {
    use super::Stage;

    fn of(words: &[&str]) -> Option<Stage> {
        Stage::of(words.iter().map(Into::into))
    }

    #[test]
    fn only_the_exact_word_alone_is_a_stage() {
        assert_eq!(of(&["keel", "__rehearse-inner"]), Some(Stage::Inner));
        assert_eq!(of(&["keel", "__rehearse-keeper"]), Some(Stage::Keeper));
        for no in
            [&["__rehearse-inner"][..], &["keel"], &["keel", "__rehearse-inner", "x"], &["keel", "apply"]]
        {
            assert_eq!(of(no), None);
        }
    }
}
