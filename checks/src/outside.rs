//! Looking at a host from where `keel` runs.

use crate::names::Resolver;
use crate::tls::Rustls;
use agent::checks::{Scene, run};
use model::{CheckResult, CheckSpec};
use std::sync::atomic::AtomicBool;

/// Looks at the host at `address` by all of `checks`, which have to be such as can be looked at from outside. Takes as long as they may.
pub fn look_from_keel(checks: &[CheckSpec], address: &str, stop: &AtomicBool) -> Vec<CheckResult> {
    run(checks, &Scene { machine: None, address, tls: Some(&Rustls), names: Some(&Resolver), stop })
}
