//! The two streams: results on standard output, everything about the work itself on standard error.

use std::io::Write;

/// A line of result. A reader that went away ends nothing: the work goes on, and its exit code counts.
pub fn line(text: &str) {
    write(&mut std::io::stdout().lock(), text);
}

/// A line about the work.
pub fn note(text: &str) {
    write(&mut std::io::stderr().lock(), text);
}

/// Text on the terminal of standard error as it is, for a line that is overwritten.
pub fn raw(text: &str) {
    let mut stream = std::io::stderr().lock();
    let done = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    drop(done);
}

fn write(stream: &mut dyn Write, text: &str) {
    let done = writeln!(stream, "{text}").and_then(|()| stream.flush());
    // Nobody is left to be told.
    drop(done);
}

/// Escapes control characters other than newline and tab, and the marks that change the direction of writing, so that text
/// from a host can neither steer a terminal nor show itself in another order.
pub fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            out.extend(character.escape_default());
        } else if matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
        {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}
