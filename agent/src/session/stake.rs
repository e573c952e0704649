//! What a run has to be confirmed for, known before it begins: who is asked for a yes is told so with the plan. `guard` arms the run by it.

use super::delicate::{Login, delicate};
use super::job::{Job, Rollback};
use crate::engine::{Graph, Vertex};
use crate::system::System;
use model::{Failure, HostPath, Plan, Stake, Thing};
use wire::{CONFIRM_WITHIN, Terms};

/// That of a run of `plan`, which is the job's and whole: its nodes are those of `graph`.
pub(super) fn of_job(job: &Job<'_>, graph: &Graph<'_>, plan: &Plan) -> Result<Option<Stake>, Failure> {
    let claims = |vertex: &Vertex<'_>| {
        vertex.resource.footprint().claims.into_iter().map(|claim| claim.thing).collect::<Vec<_>>()
    };
    stake(plan, || graph.vertices().iter().map(claims).collect(), (job.system, job.terms))
}

/// That of a rollback. What it brings back is known.
pub(super) fn of_rollback(rollback: &Rollback<'_>, plan: &Plan) -> Result<Option<Stake>, Failure> {
    stake(plan, Vec::new, (rollback.system, rollback.terms))
}

/// `claims` are those of the plan's nodes. Where nothing is to be done nothing is looked at.
fn stake(
    plan: &Plan,
    claims: impl FnOnce() -> Vec<Vec<Thing>>,
    (system, terms): (&dyn System, &Terms),
) -> Result<Option<Stake>, Failure> {
    if plan.is_empty() || terms.confirm == Some(0) {
        return Ok(None);
    }
    let because = match &terms.login {
        Some(user) => delicate(plan, &claims(), &login(system, user)?),
        None => Vec::new(),
    };
    Ok(match terms.confirm {
        None if because.is_empty() => None,
        None => Some(Stake { window: CONFIRM_WITHIN, because }),
        Some(window) if because.is_empty() => {
            Some(Stake { window, because: vec!["it was asked for".to_owned()] })
        }
        Some(window) => Some(Stake { window, because }),
    })
}

/// Whoever the controller logs in as.
fn login(system: &dyn System, user: &str) -> Result<Login, Failure> {
    let accounts = system.accounts()?;
    let account = accounts.users.get(user);
    let primary = account.and_then(|user| accounts.groups.iter().find(|(_, group)| group.gid == user.gid));
    let mut groups = accounts.groups_of(user);
    groups.extend(primary.map(|(name, _)| name.clone()));
    let home = account.and_then(|user| HostPath::new(&user.home).ok());
    Ok(Login { user: user.to_owned(), home, groups })
}
