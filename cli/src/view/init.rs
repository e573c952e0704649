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
    let hosts = inert(&dir.join("hosts.toml").display().to_string());
    line(&format!("\nnext, with the address of a machine of yours in {hosts}:\n"));
    let width = "keel rollback web1".len() + site.len();
    for (command, why) in [
        ("validate", "does it compile?"),
        ("plan web1", "what would change? nothing is touched"),
        ("apply web1", "shows the same, asks, does it"),
        ("rollback web1", "brings back what was there"),
    ] {
        line(&format!("  {:<width$}  # {why}", format!("keel {command}{site}")));
    }
    line(
        "\n`--local web1` in place of `web1` means the machine you sit at; `keel rollback --local` needs no name",
    );
}
