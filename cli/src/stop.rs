//! What signals ask of work that is under way. Ctrl-C at a terminal, once a run has begun on a host, asks what is meant; a second one leaves. Elsewhere
//! SIGINT and SIGTERM stop at the next safe point. A terminal that goes takes nobody's run with it.

use crate::view::{self, Leave, Stopped};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::Builder;

/// Exit code of a call that a signal ended.
const ENDED: i32 = 130;

/// What the user wants of work that is under way.
#[derive(Clone)]
pub struct Wishes {
    /// It is to stop at its next safe point.
    pub stop: Arc<AtomicBool>,
    /// It is to go on, without us.
    pub detach: Arc<AtomicBool>,
    /// Set by whoever knows that a run has begun on a host, which does not need us any more.
    pub begun: Arc<AtomicBool>,
    /// How often an end was asked for.
    count: Arc<AtomicU32>,
    place: Stopped,
}

impl Wishes {
    /// From now on signals are heard.
    pub fn heard(place: Stopped) -> anyhow::Result<Self> {
        let wishes = Self {
            stop: Arc::default(),
            detach: Arc::default(),
            begun: Arc::default(),
            count: Arc::default(),
            place,
        };
        let (mut signals, hearer) = (Signals::new([SIGINT, SIGTERM, SIGHUP])?, wishes.clone());
        Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                match (signal, hearer.place) {
                    (SIGHUP, Stopped::There) => hearer.leave(),
                    (SIGHUP, _) => {}
                    _ => hearer.take(signal),
                }
            }
        })?;
        Ok(wishes)
    }

    /// Takes a signal that asks for an end.
    fn take(&self, signal: i32) {
        match (self.count.fetch_add(1, Ordering::SeqCst) + 1, self.place) {
            (1, Stopped::There) if signal == SIGINT && self.can_ask() => self.ask(),
            (1, place) => {
                self.stop.store(true, Ordering::SeqCst);
                // What is under way may take minutes, and looks like a run that hangs.
                view::stopping(place);
            }
            (2, Stopped::There) => self.leave(),
            _ => signal_hook::low_level::exit(ENDED),
        }
    }

    fn can_ask(&self) -> bool {
        self.begun.load(Ordering::SeqCst) && std::io::stdin().is_terminal()
    }

    /// Asks in a thread of its own: another Ctrl-C is an answer as well.
    fn ask(&self) {
        let wishes = self.clone();
        let asked =
            Builder::new().name("question".to_owned()).spawn(move || match view::ask::how_to_leave() {
                Leave::Detach => wishes.leave(),
                Leave::Stop => {
                    wishes.stop.store(true, Ordering::SeqCst);
                    view::stopping(wishes.place);
                }
                Leave::GoOn => wishes.count.store(0, Ordering::SeqCst),
            });
        if asked.is_err() {
            self.leave();
        }
    }

    fn leave(&self) {
        view::let_go();
        self.detach.store(true, Ordering::SeqCst);
    }
}
