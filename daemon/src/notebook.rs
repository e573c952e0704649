//! What the agent knows and keeps over a restart: what it remembers, and how it is. Written down in the host's state when it has changed, and only
//! then: a write for nothing would be one that wakes somebody.

use crate::memory::Memory;
use crate::report::What;
use crate::status::Status;
use agent::state::StateDir;
use model::Failure;

/// What is known, and what of it is written down.
pub struct Notebook {
    /// What is remembered.
    pub memory: Memory,
    /// How the agent is.
    pub status: Status,
    kept: Memory,
    written: Status,
    /// What was to be written down could not be, and that was told.
    is_unwritten: bool,
}

impl Notebook {
    /// With what was remembered before; and what is to be told of that, where it was damaged.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(state: &StateDir, mut status: Status) -> Result<(Self, Option<What>), Failure> {
        let (memory, damage) = Memory::read(state)?;
        status.recall(&memory);
        let (kept, written) = (memory.clone(), Status::default());
        let this = Self { memory, status, kept, written, is_unwritten: false };
        Ok((this, damage.map(|text| What::Note { text })))
    }

    /// Writes down what has changed.
    ///
    /// # Errors
    /// It could not be written.
    pub fn write(&mut self, state: &StateDir) -> Result<(), Failure> {
        if self.memory != self.kept {
            self.memory.write(state)?;
            self.kept = self.memory.clone();
        }
        if self.status != self.written {
            self.status.write(state)?;
            self.written = self.status.clone();
        }
        Ok(())
    }

    /// The same, where there is a next turn: who cannot, as where the disk is full, keeps the host even no less. What is to be told of that, once.
    pub fn settle(&mut self, state: &StateDir) -> Option<What> {
        let could_not = std::mem::take(&mut self.is_unwritten);
        let failure = self.write(state).err()?;
        self.is_unwritten = true;
        let text = format!("what the agent knows is not written down: {failure}");
        (!could_not).then_some(What::Note { text })
    }
}

#[expect(clippy::disallowed_methods, reason = "puts something in the way")]
#[cfg(test)]
mod tests {
    use super::Notebook;
    use crate::status::{Status, told};
    use agent::state::StateDir;

    #[test]
    fn what_cannot_be_written_down_is_told_once_and_written_later() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make_folder("agent").unwrap();
        let (mut book, note) = Notebook::read(&state, Status::default()).unwrap();
        assert_eq!(note, None);
        // Nothing is renamed onto a directory that is not empty.
        let place = state.root().join("agent/status");
        std::fs::create_dir_all(place.join("in the way")).unwrap();
        assert_eq!(book.settle(&state), None, "nothing has changed");
        book.status.looks = 7;
        assert!(book.settle(&state).is_some());
        assert_eq!(book.settle(&state), None, "it was told");
        std::fs::remove_dir_all(&place).unwrap();
        assert_eq!(book.settle(&state), None);
        assert_eq!(told(&state, 0).unwrap().status.unwrap().looks, 7);
        std::fs::remove_file(&place).unwrap();
        assert_eq!(book.settle(&state), None);
        assert!(!place.exists(), "nothing has changed");
    }
}
