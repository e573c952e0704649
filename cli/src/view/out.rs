//! The two streams: results on standard output, everything about the work itself on standard error; and on a terminal one line
//! of status, which is wiped before anything else is printed.

use std::io::{Error, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Why a line of result could not be written, where one could not; the first of them.
static LOST: OnceLock<String> = OnceLock::new();

/// The line of status. One print at a time: several hosts may have something to say.
static STATUS: Mutex<Status> = Mutex::new(Status { shown: false, paused: false, held: None });

struct Status {
    shown: bool,
    paused: bool,
    /// Lines that wait for a question to be answered.
    held: Option<Vec<(Stream, String)>>,
}

/// Where a line goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

impl Stream {
    fn write(self, text: &str) {
        match self {
            Self::Out => {
                if let Err(error) = write(&mut std::io::stdout().lock(), text)
                    && is_loss(&error)
                {
                    LOST.get_or_init(|| error.to_string());
                }
            }
            // Nobody is left to be told.
            Self::Err => drop(write(&mut std::io::stderr().lock(), text)),
        }
    }
}

/// Where a view prints; tests look at one of their own.
pub trait Screen: Send + Sync {
    /// A line of result.
    fn line(&self, text: &str);
    /// A line about the work.
    fn note(&self, text: &str);
    /// What is being worked on.
    fn status(&self, text: &str);
}

/// The two streams of this process.
pub struct Streams;

impl Screen for Streams {
    fn line(&self, text: &str) {
        line(text);
    }

    fn note(&self, text: &str) {
        note(text);
    }

    fn status(&self, text: &str) {
        status(text);
    }
}

/// Longest text of the line of status, in characters: a line that wraps cannot be wiped.
const LONGEST: usize = 76;

/// A line of result. A reader that went away ends nothing: the work goes on, and its exit code counts.
pub fn line(text: &str) {
    print(Stream::Out, text);
}

/// A line about the work.
pub fn note(text: &str) {
    print(Stream::Err, text);
}

fn print(stream: Stream, text: &str) {
    match &mut wiped().held {
        Some(held) => held.push((stream, text.to_owned())),
        None => stream.write(text),
    }
}

/// Tells a waiting person what is being worked on, in place of what was told last. On a terminal only; it leaves nothing behind.
pub fn status(text: &str) {
    let mut status = STATUS.lock().unwrap_or_else(PoisonError::into_inner);
    if status.paused || !std::io::stderr().is_terminal() {
        return;
    }
    let text: String = inert(text).replace(['\n', '\t'], " ").chars().take(LONGEST).collect();
    raw(&format!("\r\u{1b}[2K{text}"));
    status.shown = true;
}

/// Wipes the line of status, and shows none while `work` goes on.
pub fn paused<T>(work: impl FnOnce() -> T) -> T {
    wiped().paused = true;
    let done = work();
    wiped().paused = false;
    done
}

/// Holds back what others print while `work` goes on, or until [`let_go`].
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    wiped().held = Some(Vec::new());
    let done = paused(work);
    let_go();
    done
}

/// Prints what was held back.
pub fn let_go() {
    let mut status = wiped();
    status.held.take().into_iter().flatten().for_each(|(stream, text)| stream.write(&text));
}

fn wiped() -> MutexGuard<'static, Status> {
    let mut status = STATUS.lock().unwrap_or_else(PoisonError::into_inner);
    if std::mem::take(&mut status.shown) {
        raw("\r\u{1b}[2K");
    }
    status
}

fn raw(text: &str) {
    let mut stream = std::io::stderr().lock();
    let done = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    drop(done);
}

/// By one call, also where the text has several lines.
fn write(stream: &mut dyn Write, text: &str) -> Result<(), Error> {
    stream.write_all(format!("{text}\n").as_bytes()).and_then(|()| stream.flush())
}

/// A reader that went away wants no more; a disk that is full has lost what somebody wants.
fn is_loss(error: &Error) -> bool {
    error.kind() != ErrorKind::BrokenPipe
}

/// Whether results could not be written; it is said then.
pub fn is_lost() -> bool {
    let Some(why) = LOST.get() else { return false };
    note(&format!("error: standard output could not be written: {why}"));
    true
}

/// Whether a character could steer a terminal or show text in another order.
pub fn is_active(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t') || turns(character)
}

fn turns(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// [`inert`] text whose further lines are set in: no line that a host makes up looks like one of ours.
pub fn inset(text: &str) -> String {
    inert(text).replace('\n', "\n    ")
}

/// Escapes control characters other than newline and tab, and the marks that change the direction of writing, so that text
/// from a host can neither steer a terminal nor show itself in another order.
pub fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if turns(character) {
            out.extend(character.escape_unicode());
        } else if is_active(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::inset;

    #[test]
    fn a_host_makes_up_no_line_of_ours_and_steers_nothing() {
        let said = "failed\nweb2: ok\r\u{1b}]0;x\u{7}\u{61c}";
        assert_eq!(inset(said), "failed\n    web2: ok\\r\\u{1b}]0;x\\u{7}\\u{61c}");
    }
}
