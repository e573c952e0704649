//! Looking, in a few words.

use agent::checks::{Machine, Scene, run};
use model::{CheckEnd, CheckResult, CheckSpec};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A check of a subject; one try may take a second.
pub fn spec(subject: &str, params: Value) -> CheckSpec {
    CheckSpec { name: "c".into(), subject: subject.into(), params, timeout: 1, ..CheckSpec::default() }
}

/// Opens a host.
pub type Open<'a> = &'a (dyn Fn() -> Arc<dyn Machine> + Sync);

static NEVER: AtomicBool = AtomicBool::new(false);

/// Looks at a host in memory that `open` makes, or from outside.
pub fn look(spec: &CheckSpec, open: Option<Open<'_>>) -> CheckResult {
    let scene = Scene { machine: open, address: "127.0.0.1", tls: None, names: None, stop: &NEVER };
    run(std::slice::from_ref(spec), &scene).remove(0)
}

/// What came of it: `passed`, each shortfall, or why it could not be told.
pub fn said(result: &CheckResult) -> String {
    match result.end {
        CheckEnd::Passed => "passed".to_owned(),
        CheckEnd::Failed => result.shortfalls.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        CheckEnd::Unknown => format!("unknown: {}", result.because),
    }
}
