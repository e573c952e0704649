//! One program in a box, run to its end; what it wrote is kept, as far as it is not too much. It judges nothing.

use fleet::{Received, Remote, Trouble};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How much of standard output is kept, in bytes; standard error is capped by the transport.
const LARGEST: usize = 256 << 10;
/// How often somebody looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(100);
/// How long a program has to end when it has said its last, at least.
const LAST: Duration = Duration::from_secs(1);

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// The end of what it wrote to standard output.
    pub out: String,
    /// The end of what it wrote to standard error.
    pub errors: String,
}

/// Runs `argv` there, for at most `limit`, with `input` on its standard input.
///
/// # Errors
/// It could not be started, or has not ended in time.
pub fn run(remote: &mut dyn Remote, argv: &[&str], input: &[u8], limit: Duration) -> Result<Said, Trouble> {
    run_until(&AtomicBool::new(false), remote, (argv, input), limit)
}

/// The same, for as long as `stop` is not set.
///
/// # Errors
/// Those of `run`; where it is to stop as well.
pub fn run_until(
    stop: &AtomicBool,
    remote: &mut dyn Remote,
    (argv, input): (&[&str], &[u8]),
    limit: Duration,
) -> Result<Said, Trouble> {
    let words: Vec<String> = argv.iter().map(|word| quoted(word)).collect();
    let command = match input.len() {
        0 => format!("exec {}", words.join(" ")),
        // Its input ends there, while what it writes is still read.
        size => format!("head -c {size} | {}", words.join(" ")),
    };
    let mut pipe = remote.exec(&command)?;
    if !input.is_empty() {
        pipe.send(input)?;
    }
    let (until, mut out, mut buffer) = (Instant::now() + limit, Vec::new(), vec![0; 32 << 10]);
    let mut left = limit;
    while !left.is_zero() && !stop.load(Ordering::Relaxed) {
        match pipe.receive(&mut buffer, left.min(GLANCE))? {
            Received::Bytes(count) => out.extend_from_slice(&buffer[..count]),
            Received::Nothing => {}
            Received::End => break,
        }
        let over = out.len().saturating_sub(LARGEST);
        out.drain(..over);
        left = until.saturating_duration_since(Instant::now());
    }
    let left = if stop.load(Ordering::Relaxed) { Duration::ZERO } else { left };
    let status = pipe.finish(left.max(LAST))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { status, out: text(&out), errors: text(pipe.errors()) })
}

/// One word of a POSIX shell, whatever is in it.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The same for people: as it is, where it needs no quotes.
pub(super) fn plain(word: &str) -> String {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_./,=:@%+".contains(one);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { quoted(word) }
}

#[cfg(test)]
mod tests {
    use super::{Said, plain, quoted, run, run_until};
    use fleet::Spawned;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    fn here(argv: &[&str], input: &[u8], limit: Duration) -> Result<Said, fleet::Trouble> {
        run(&mut Spawned::behind(vec!["env".to_owned()]), argv, input, limit)
    }

    #[test]
    fn words_arrive_as_they_are() {
        let hard = "it's $HOME `x` \"y\"\n*";
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!([plain("/a-b"), plain("a b"), plain("")], ["/a-b", "'a b'", "''"]);
        let said = here(&["printf", "%s", hard], b"", Duration::from_secs(20)).unwrap();
        assert_eq!((said.status, said.out.as_str()), (Some(0), hard));
        let said = here(&["sh", "-c", "cat; echo no >&2; exit 3"], b"told", Duration::from_secs(20)).unwrap();
        assert_eq!((said.status, said.out.as_str(), said.errors.as_str()), (Some(3), "told", "no\n"));
    }

    #[test]
    fn what_does_not_end_or_is_to_stop_is_told() {
        assert!(here(&["sleep", "60"], b"", Duration::from_millis(50)).is_err());
        let (stop, began) = (AtomicBool::new(true), Instant::now());
        let mut remote = Spawned::behind(vec!["env".to_owned()]);
        assert!(run_until(&stop, &mut remote, (&["sleep", "60"], b""), Duration::from_secs(60)).is_err());
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
