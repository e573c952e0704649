//! What a run took off the ledger, kept with the run: where it is brought back, it is an orphan again.

use super::dir::write_private;
use super::summed::{summed, text_of};
use super::{Ledger, Owned, StateDir};
use crate::os::safe_path::{self, Follow};
use model::{Failure, Id};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

/// Resources that are owned no more, by scope.
pub type Removed = BTreeMap<String, BTreeMap<Id, Owned>>;

/// Largest such file, in bytes: that of the ledger.
const LIMIT: u64 = 64 << 20;

impl StateDir {
    /// Notes, durably, what of `scope` goes off the ledger with `run`, besides what was noted before.
    pub fn note_removed(
        &self,
        run: u64,
        (scope, ids): (&str, &[Id]),
        ledger: &Ledger,
    ) -> Result<(), Failure> {
        let fresh = ledger.owned(scope, ids);
        if fresh.is_empty() || run == 0 {
            return Ok(());
        }
        let mut removed = self.removed(run)?;
        removed.entry(scope.to_owned()).or_default().extend(fresh);
        let path = self.removed_path(run);
        let bytes =
            serde_json::to_vec(&removed).map_err(|error| Failure::io("describe", path.display(), error))?;
        write_private(&path, &mut Cursor::new(summed(bytes)))
    }

    /// Puts back on the ledger what `runs` took off it, unless it is there again; whether anything was.
    pub fn restore_removed(
        &self,
        runs: impl IntoIterator<Item = u64>,
        ledger: &mut Ledger,
    ) -> Result<(), Failure> {
        for run in runs {
            for (scope, owned) in self.removed(run)? {
                ledger.put_back(&scope, owned);
            }
        }
        ledger.write(self)
    }

    /// What a run took off the ledger.
    fn removed(&self, run: u64) -> Result<Removed, Failure> {
        let path = self.removed_path(run);
        let Some((bytes, _)) = safe_path::read_file(&path, Follow::No, LIMIT)? else {
            return Ok(Removed::new());
        };
        let damaged = |why: String| {
            let why = format!("{} is damaged: {why}", path.display());
            Failure::refused(why, "remove it; what it named stays from now on")
        };
        let text = text_of(&bytes).map_err(|why| damaged(why.to_owned()))?;
        serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))
    }

    fn removed_path(&self, run: u64) -> PathBuf {
        self.run_dir(run).join("removed")
    }
}
