//! SIGINT and SIGTERM ask a run to stop at its next safe point; a second one ends the process. SIGHUP is ignored by a run
//! that has begun: the terminal went, the work stays.

use crate::view::{self, Stopped};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the user wants of work that is under way.
pub struct Wishes {
    /// It is to stop at its next safe point.
    pub stop: Arc<AtomicBool>,
    /// It is to go on, without us.
    pub detach: Arc<AtomicBool>,
}

impl Wishes {
    /// From now on signals are heard.
    pub fn heard(place: Stopped) -> anyhow::Result<Self> {
        Ok(Self { stop: flag(place)?, detach: Arc::default() })
    }
}

/// A flag that becomes true when the run is to stop.
fn flag(place: Stopped) -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // In this order: the first signal finds the flag false and only sets it.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    say_so(place)?;
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::new(AtomicBool::new(false)))?;
    Ok(stop)
}

/// Says at the first signal that it was heard: what is under way may take minutes, and looks like a run that hangs.
fn say_so(place: Stopped) -> anyhow::Result<()> {
    let (mut heard, signalled) = UnixStream::pair()?;
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::low_level::pipe::register(signal, signalled.try_clone()?)?;
    }
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if heard.read_exact(&mut [0]).is_ok() {
            view::stopping(place);
        }
    })?;
    Ok(())
}
