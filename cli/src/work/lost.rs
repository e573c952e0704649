//! Runs that an earlier call has lost sight of: where they are kept on this machine, and what is said of them.

use crate::view;
use fleet::{Lost, Runs, Target};
use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

/// Where this program keeps what it knows: `$XDG_STATE_HOME/evenkeel`, or else `~/.local/state/evenkeel` (XDG Base Directory Specification).
/// `None` where neither is known.
pub(super) fn state() -> Option<PathBuf> {
    // The specification has relative paths ignored.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("evenkeel"))
}

/// Where runs are kept; `None`, which is said, where that is not known.
pub fn runs() -> Option<Runs> {
    let state = state();
    if state.is_none() {
        view::remark("neither XDG_STATE_HOME nor HOME is set: which runs go on is not kept");
    }
    state.map(|state| Runs::new(&state))
}

/// Says which runs go on, as far as this machine knows, on hosts other than those that are seen to anyway.
pub fn remark(runs: &Runs, seen_to: &[&Lost]) {
    let (lost, wrong) = runs.all_lost();
    wrong.iter().for_each(|because| view::remark(because));
    for one in lost.iter().filter(|one| !seen_to.contains(one)) {
        let number = one.run().map(|run| format!("{run} ")).unwrap_or_default();
        view::remark(&format!(
            "{} on {} ({}) was lost sight of: `keel attach {number}{}` tells what becomes of it",
            one.named(),
            one.host(),
            one.command(),
            one.host()
        ));
    }
}

/// The runs that were lost on these targets, by the targets' names.
pub fn lost_on(runs: &Runs, targets: &[Target]) -> BTreeMap<String, Lost> {
    let lost = |target: &Target| {
        let lost = runs.lost(target.endpoint.as_ref().ok()?).ok()??;
        Some((target.name.clone(), lost))
    };
    targets.iter().filter_map(lost).collect()
}
