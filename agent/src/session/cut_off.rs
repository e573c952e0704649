//! What a transaction of packages changed that was cut off in the middle: its end, with the dependencies that came or went, was never written
//! down. All packages as they were before it are known; what is not as it was, and was so before anything later touched it, is its doing.

use super::job::Rollback;
use crate::state::Read;
use crate::undo::{Keep, package_state};
use model::{Act, Failure, Gather, Op, Outcome, PackageState, State, Status, Subject};
use std::collections::BTreeMap;

/// Packages by name; `None` for nothing of it.
type Packages = BTreeMap<String, Option<PackageState>>;

/// Fills in what the cut off transactions of `status` changed besides what they name. `through` is the last of its runs: later ones count as later.
pub(super) fn complete(rollback: &Rollback<'_>, status: &mut Status, through: u64) -> Result<(), Failure> {
    let open: Vec<u64> = status.acts.iter().filter(|(_, act)| is_cut_off(act)).map(|(seq, _)| *seq).collect();
    if open.is_empty() {
        return Ok(());
    }
    let mut after: Packages = now(rollback)?;
    for run in rollback.state.numbers()?.into_iter().rev().take_while(|run| *run > through) {
        match rollback.state.status(run)? {
            Read::Whole(later) => later.acts.values().rev().for_each(|act| before(act, &mut after)),
            Read::Nothing => {}
            Read::Damaged(_, why) => {
                let why = format!("the journal of run {run} is damaged: {why}");
                return Err(Failure::refused(why, "bring back the packages by hand"));
            }
        }
    }
    for (seq, act) in status.acts.iter_mut().rev() {
        if open.contains(seq) {
            let was = recall(rollback, act)?;
            act.outcome = Outcome::Failed("it was cut off".to_owned(), changes(act, &was, &after));
        }
        before(act, &mut after);
    }
    Ok(())
}

fn is_cut_off(act: &Act) -> bool {
    act.outcome == Outcome::Open && act.packages.is_some() && matches!(act.op, Op::Packages(_))
}

fn now(rollback: &Rollback<'_>) -> Result<Packages, Failure> {
    let all = rollback.system.all_packages()?;
    Ok(all.iter().map(|(name, package)| (name.clone(), Some(package_state(package)))).gather())
}

/// Goes back over `act`: the packages as they were before it.
fn before(act: &Act, packages: &mut Packages) {
    let others = match &act.outcome {
        Outcome::Done(_, others) | Outcome::Failed(_, others) => others.as_slice(),
        Outcome::Open => &[],
    };
    let images = act.before.iter().map(|(subject, state)| (subject, state));
    for image in images.chain(others.iter().map(|(subject, state, _)| (subject, state))) {
        if let (Subject::Package(name), State::Package(state)) = image {
            packages.insert(name.clone(), state.clone());
        }
    }
}

fn recall(rollback: &Rollback<'_>, act: &Act) -> Result<Packages, Failure> {
    let Some(kept) = act.packages else { return Ok(Packages::new()) };
    let bytes = rollback.state.store().recall(&kept)?;
    serde_json::from_slice(bytes.expose())
        .map_err(|error| Failure::unknown("the packages before the run", error.to_string()))
}

fn changes(act: &Act, was: &Packages, is: &Packages) -> Vec<(Subject, State, State)> {
    let state = |of: &Packages, name: &String| State::Package(of.get(name).cloned().flatten());
    let is_named = |name: &String| {
        act.before.iter().any(|(subject, _)| matches!(subject, Subject::Package(named) if named == name))
    };
    let names = was.keys().chain(is.keys().filter(|name| !was.contains_key(*name)));
    let others = names.filter(|name| !is_named(name));
    let changed = others.map(|name| (Subject::Package(name.clone()), state(was, name), state(is, name)));
    changed.filter(|(_, was, is)| was != is).collect()
}
