//! Ops of a rollback that an earlier op of it has already brought about: a user that went took its group along, a package
//! that went took its unit along.

use crate::system::{Look, System, is_running, mounted};
use model::{Failure, Op, UnitAction};

/// True where there is nothing left for `op` to do.
pub(super) fn is_moot(op: &Op, system: &dyn System) -> Result<bool, Failure> {
    Ok(match op {
        Op::Remove { path } => system.look(path, Look::Bare)?.is_none(),
        Op::Unmount { path } => mounted(system, path)?.is_none(),
        Op::RemoveGroup { name } => !system.accounts()?.groups.contains_key(name),
        Op::RemoveUser { name } => !system.accounts()?.users.contains_key(name),
        Op::Unit { name, action: UnitAction::Disable } => system.unit(name)?.is_none(),
        Op::Unit { name, action: UnitAction::Stop | UnitAction::Restart | UnitAction::Reload } => {
            !system.unit(name)?.is_some_and(|unit| is_running(&unit.active))
        }
        Op::Check(check) => !system.unit(&check.unit)?.is_some_and(|unit| is_running(&unit.active)),
        _ => false,
    })
}
