//! An order to look at the host: its checks, each with its result. Nothing is changed, and nobody is waited for.

use super::means::Means;
use crate::checks::{Machine, Scene, run};
use crate::os::host::{Attendance, Host};
use model::{CheckEnd, CheckSpec, Failure};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use wire::{Ending, NoBlobs, Reply};

/// Who holds the package manager up is not waited for: until it is free nothing can be told of packages.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// Where the host finds itself.
const HERE: &str = "127.0.0.1";

/// Looks, and tells what was seen.
pub(super) fn check(checks: &[CheckSpec], means: &Means<'_>) -> Result<Ending, Failure> {
    let open = || -> Arc<dyn Machine> {
        Arc::new(Host::attended(Arc::new(NoBlobs), Attendance { tell: &|_| {}, stop: &AT_ONCE }))
    };
    let scene = Scene { machine: Some(&open), address: HERE, tls: None, names: None, stop: means.stop };
    let results = run(checks, &scene);
    let is_passed = results.iter().all(|result| result.end == CheckEnd::Passed);
    means.controller.reply(Reply::Checks(results))?;
    Ok(if is_passed { Ending::Unchanged } else { Ending::Failed })
}
