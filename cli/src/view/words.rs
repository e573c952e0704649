//! Small words of output.

use fleet::Stage;

/// `1 file`, `2 files`.
pub fn counted(count: usize, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

/// What is being done, for somebody who waits.
pub fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connecting",
        Stage::HostKey => "checking the host key",
        Stage::Login => "logging in",
        Stage::Elevate => "becoming root",
        Stage::Upload => "bringing the agent",
        Stage::Facts => "waiting for the agent",
        Stage::Order => "handing over the order",
        Stage::Plan => "planning",
        Stage::Run => "running",
    }
}
