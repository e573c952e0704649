//! What a plan has said of something that is settled now.

use super::lines::{sign, sign_of};
use model::{Id, Plan, Step};

/// A part of a plan.
pub struct Planned<'p> {
    /// Its sign.
    pub sign: char,
    /// What would be done, also as a refresh.
    pub steps: Vec<&'p Step>,
    /// Differences of text by path.
    pub texts: &'p [(String, String)],
    /// True where that is what was done.
    pub exact: bool,
}

/// The part of `plan` that foresaw `changes` of `id`; else any part about `id`, not exact. A rollback may have several parts
/// about one node.
pub fn planned<'p>(plan: &'p Plan, id: &Id, changes: &[String]) -> Planned<'p> {
    let nodes = plan.nodes.iter().filter(|node| node.id == *id).map(|node| Planned {
        sign: sign(node),
        steps: node.steps.iter().chain(&node.refresh).collect(),
        texts: &node.texts,
        exact: false,
    });
    let orphans = plan.orphans.iter().filter(|orphan| orphan.id == *id).map(|orphan| Planned {
        sign: sign_of(&orphan.steps),
        steps: orphan.steps.iter().collect(),
        texts: &[],
        exact: false,
    });
    let mut parts: Vec<Planned<'p>> = nodes.chain(orphans).collect();
    let fits = |part: &Planned<'_>| {
        let steps = || part.steps.iter();
        steps().map(ToString::to_string).eq(changes.iter().cloned())
            || steps().map(|step| step.op.to_string()).eq(changes.iter().cloned())
    };
    let at = parts.iter().position(fits);
    let exact = at.is_some();
    if parts.is_empty() {
        return Planned { sign: '~', steps: Vec::new(), texts: &[], exact: changes.is_empty() };
    }
    Planned { exact, ..parts.swap_remove(at.unwrap_or(0)) }
}
