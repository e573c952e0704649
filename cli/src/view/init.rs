//! What `init` has made, and what to type next.

use super::out::{inert, line};
use std::path::Path;

/// Shows it.
pub fn made(dir: &Path, files: &[&Path]) {
    for file in files {
        line(&inert(&format!("made {}", dir.join(file).display())));
    }
    let site = if dir == Path::new(".") {
        String::new()
    } else {
        format!(" --site {}", inert(&dir.display().to_string()))
    };
    line("\nnext, with the machine you sit at as the host web1:\n");
    let width = "keel apply --local web1".len() + site.len();
    for (command, why) in [
        ("validate", "does it compile?"),
        ("plan --local web1", "what would change? nothing is touched"),
        ("apply --local web1", "shows the same, asks, does it"),
        ("rollback", "brings back what was there"),
    ] {
        let site = if command == "rollback" { "" } else { &site };
        line(&format!("  {:<width$}  # {why}", format!("keel {command}{site}")));
    }
}
