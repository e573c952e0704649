//! What comes down. A thread of its own hears it, so that a stop, a yes and the end of the connection are known at once, whatever
//! the host is doing. It judges what may be said when by [`HostSide`], and does nothing else with it.

use crossbeam_channel::Sender;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;
use wire::{Broken, Down, HostSide, Inbox, Told};

/// What the thread that hears shares with the rest.
pub(super) struct Ear {
    side: Mutex<HostSide>,
    /// When the last byte came.
    heard: Mutex<Instant>,
    /// Whichever came first. It is known here before anybody else knows of it: what ends after a yes does not end the run, and a yes that
    /// comes when the end is known begins none.
    first: OnceLock<First>,
    /// Set by the controller, and by its end before the commit point.
    stop: Arc<AtomicBool>,
    /// Set by the controller alone.
    told_to_stop: AtomicBool,
}

/// What came first.
#[derive(PartialEq)]
enum First {
    Yes,
    End,
}

/// Why nothing more comes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// The controller ended, or the connection did.
    #[error("the connection has ended")]
    Ended,
    /// Nothing was heard for so many seconds.
    #[error("nothing was heard from the controller for {0} s")]
    Silent(u64),
    /// It does not keep to the protocol.
    #[error("the controller does not keep to the protocol: {0}")]
    Malformed(String),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ear {
    pub(super) fn new(stop: Arc<AtomicBool>) -> Self {
        Self {
            side: Mutex::default(),
            heard: Mutex::new(Instant::now()),
            first: OnceLock::new(),
            stop,
            told_to_stop: AtomicBool::new(false),
        }
    }

    /// The host's view of what may be said.
    pub(super) fn side(&self) -> MutexGuard<'_, HostSide> {
        locked(&self.side)
    }

    /// When the last byte came.
    pub(super) fn last_heard(&self) -> Instant {
        *locked(&self.heard)
    }

    /// True from the yes on.
    pub(super) fn is_committed(&self) -> bool {
        self.first.get() == Some(&First::Yes)
    }

    /// True where the work is to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// True where the controller said so.
    pub(super) fn wants_stop(&self) -> bool {
        self.told_to_stop.load(Ordering::SeqCst)
    }

    /// The connection is of no use any more: before the commit point that ends the work.
    pub(super) fn lost(&self) {
        if *self.first.get_or_init(|| First::End) == First::End {
            self.stop.store(true, Ordering::SeqCst);
        }
    }

    /// Hears what comes from `from`, and hands on what is to be done about it, at last why nothing more comes.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn listen(
        self: &Arc<Self>,
        from: impl Read + Send + 'static,
        to: Sender<Result<Told, Lost>>,
    ) -> io::Result<()> {
        let ear = Arc::clone(self);
        let listen = move || {
            let lost = ear.hear_all(from, &to);
            ear.lost();
            // Nobody waits for it where the work is done.
            drop(to.send(Err(lost)));
        };
        thread::Builder::new().name("inlet".to_owned()).spawn(listen).map(drop)
    }

    fn hear_all(&self, from: impl Read, to: &Sender<Result<Told, Lost>>) -> Lost {
        let (mut inbox, mut from) = (Inbox::<Down>::default(), Timed { from, ear: self });
        loop {
            let heard = match inbox.hear(&mut from) {
                Ok(Some(heard)) => heard,
                Ok(None) | Err(Broken::Pipe(_)) => return Lost::Ended,
                Err(Broken::Malformed(why)) => return Lost::Malformed(why.to_string()),
            };
            let told = match self.side().take(heard) {
                Ok(Some(told)) => told,
                Ok(None) => continue,
                Err(why) => return Lost::Malformed(why.to_string()),
            };
            match told {
                Told::Answer { yes: true } if *self.first.get_or_init(|| First::Yes) == First::End => {
                    return Lost::Ended;
                }
                // In this order: whoever sees that it is to stop can tell why.
                Told::Stop => [&self.told_to_stop, &*self.stop]
                    .into_iter()
                    .for_each(|it| it.store(true, Ordering::SeqCst)),
                _ => {}
            }
            if to.send(Ok(told)).is_err() {
                return Lost::Ended;
            }
        }
    }
}

/// Notes when bytes come: a message may take its time.
struct Timed<'a, R> {
    from: R,
    ear: &'a Ear,
}

impl<R: Read> Read for Timed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        *locked(&self.ear.heard) = Instant::now();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ear, Lost};
    use model::Secrets;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use wire::{Down, Order, VERSION, send, send_order};

    #[test]
    fn of_a_yes_and_an_end_the_first_counts() {
        let mut bytes = Vec::new();
        send_order(&mut bytes, VERSION, Order::History, &Secrets::default()).unwrap();
        send(&mut bytes, &Down::Answer { yes: true }).unwrap();
        for is_lost_before in [true, false] {
            let (ear, (to, told)) =
                (Ear::new(Arc::new(AtomicBool::new(false))), crossbeam_channel::unbounded());
            ear.side().asks();
            if is_lost_before {
                ear.lost();
            }
            assert_eq!(ear.hear_all(&bytes[..], &to), Lost::Ended);
            ear.lost();
            assert_eq!((ear.is_committed(), ear.is_stopped()), (!is_lost_before, is_lost_before));
            assert_eq!(told.len(), if is_lost_before { 1 } else { 2 });
        }
    }
}
