//! What goes up. It is written by a thread of its own: a controller that does not read, or is gone, holds up nothing.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use wire::Up;

/// Bytes that may wait for a controller that does not read. More than any plan has.
const MOST_WAITING: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// Messages that wait are written together, up to about this size.
const AT_ONCE: usize = 256 << 10;

/// The way up.
pub(super) struct Outlet {
    queue: Sender<Next>,
    /// Bytes that wait.
    waiting: Arc<AtomicUsize>,
    /// So much waited once that what came after it was left out.
    given_up: AtomicBool,
    /// Disconnected when the writer has ended.
    ended: Receiver<()>,
}

enum Next {
    Bytes(Vec<u8>),
    End,
}

#[derive(PartialEq)]
enum Then {
    GoOn,
    End,
}

impl Outlet {
    /// Writes to `to` from now on, a sign of life after each silence of `alive`. Where nothing can be written any more `gone` is
    /// called, once.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(
        to: impl Write + Send + 'static,
        alive: Duration,
        gone: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, queued) = unbounded();
        let (ending, ended) = bounded(0);
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer { to, queued, waiting: Arc::clone(&waiting), alive };
        thread::Builder::new().name("outlet".to_owned()).spawn(move || {
            if writer.run().is_err() {
                gone();
            }
            drop(ending);
        })?;
        Ok(Self { queue, waiting, given_up: AtomicBool::new(false), ended })
    }

    /// Says it, sooner or later; where nobody is there any more, to nobody.
    ///
    /// # Errors
    /// The message is longer than a controller takes.
    pub(super) fn say(&self, message: &Up) -> io::Result<()> {
        let mut bytes = Vec::new();
        wire::send(&mut bytes, message)?;
        let waiting = self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        if waiting > MOST_WAITING {
            self.given_up.store(true, Ordering::Relaxed);
        }
        if !self.given_up.load(Ordering::Relaxed) {
            // A controller that is gone cannot be told.
            drop(self.queue.send(Next::Bytes(bytes)));
        }
        Ok(())
    }

    /// True where something was left out: who waits for an answer to what comes after it waits for ever.
    pub(super) fn has_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Waits until all has been written, or nothing more can be, but not longer than `patience`.
    pub(super) fn finish(&self, patience: Duration) {
        drop(self.queue.send(Next::End));
        // It is there, or it has ended, or it has had its time: nothing more is to be done in either case.
        self.ended.recv_timeout(patience).ok();
    }
}

struct Writer<W> {
    to: W,
    queued: Receiver<Next>,
    waiting: Arc<AtomicUsize>,
    alive: Duration,
}

impl<W: Write> Writer<W> {
    /// Until there is nothing more to say.
    fn run(mut self) -> io::Result<()> {
        loop {
            match self.queued.recv_timeout(self.alive) {
                Ok(Next::Bytes(bytes)) => {
                    let (bytes, then) = self.together(bytes);
                    self.to.write_all(&bytes)?;
                    self.to.flush()?;
                    self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                    if then == Then::End {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => wire::send(&mut self.to, &Up::Alive)?,
                Ok(Next::End) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// `bytes` with what else waits, and whether that is all.
    fn together(&self, mut bytes: Vec<u8>) -> (Vec<u8>, Then) {
        while bytes.len() < AT_ONCE {
            match self.queued.try_recv() {
                Ok(Next::Bytes(more)) => bytes.extend(more),
                Ok(Next::End) => return (bytes, Then::End),
                Err(_) => break,
            }
        }
        (bytes, Then::GoOn)
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_WAITING, Outlet};
    use model::{Event, EventBody};
    use std::io::{self, Write};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;
    use wire::Up;

    /// Takes nothing until it is told to.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_or(Err(io::ErrorKind::BrokenPipe.into()), |()| Ok(bytes.len()))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_does_not_read_is_given_up_and_holds_up_nothing() {
        let (release, stuck) = channel::<()>();
        let (told, gone) = channel();
        let outlet = Outlet::start(Stuck(stuck), Duration::from_secs(60), move || {
            told.send(()).unwrap();
        });
        let outlet = outlet.unwrap();
        // Bytes that do not pack: what waits is counted as it would be sent.
        let noise =
            (0..100 << 10).map(|at: u32| char::from(33 + (at.wrapping_mul(2_654_435_761) >> 8) as u8 % 90));
        let body = EventBody::Note { text: noise.collect() };
        let event = Up::Event(Box::new(Event { at: String::new(), seq: 0, body }));
        let mut count = 0;
        while !outlet.has_given_up() {
            outlet.say(&event).unwrap();
            count += 1;
        }
        assert!(count > MOST_WAITING >> 17 && count < 64, "{count}");
        outlet.finish(Duration::from_millis(10));
        drop(release);
        assert_eq!(gone.recv_timeout(Duration::from_secs(10)), Ok(()));
    }
}
