//! Connections that are kept for the next call: where, and the process that keeps them, which is this program. `fleet` does the rest.

use fleet::{Keep, Keeper};
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where connections are kept: `$XDG_RUNTIME_DIR/evenkeel`, or else `keep` beside where runs are kept (XDG Base Directory Specification). `None`
/// where none is known, or this program cannot tell where it is: then nothing is kept.
pub fn connections() -> Option<Keep> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let state = || absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let dir = match absolute("XDG_RUNTIME_DIR") {
        Some(runtime) => runtime.join("evenkeel"),
        None => state()?.join(Path::new("evenkeel/keep")),
    };
    Some(Keep::new(&dir, vec![env::current_exe().ok()?.into()]))
}

/// Keeps connections, where this process was started for that.
pub fn play_keeper() -> Option<ExitCode> {
    let played = Keeper::of(env::args_os())?.play();
    // Nobody would hear why.
    Some(if played.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
