//! Keeps what is in this process's memory to itself: it holds secrets. For `main` alone, before anything else; what children hold is theirs.

use model::Failure;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// From now on no other user's process can look at this one (prctl(2), `PR_SET_DUMPABLE`; ptrace(2)), and no core file is made of it
/// (core(5)). Programs that it starts can be looked at again, and make a core file where they ask for it themselves.
///
/// # Errors
/// The kernel refuses: nothing secret is to come in then.
pub fn keep_to_itself() -> Result<(), Failure> {
    let failed = |error: rustix::io::Errno| Failure::io("protect", "the memory of this process", error);
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed)?;
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    setrlimit(Resource::Core, limit).map_err(failed)
}
