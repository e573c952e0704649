//! Colours: on a terminal only, and not where `NO_COLOR` is set (no-color.org).

use super::diagnostics::Color;
use std::io::IsTerminal;

/// Whether `stream` is to be coloured.
pub fn wanted(stream: &impl IsTerminal) -> Color {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    if !refused && !dumb && stream.is_terminal() { Color::Always } else { Color::Never }
}

/// The colour of a sign that begins a line; nothing for others.
fn code(sign: char) -> Option<&'static str> {
    Some(match sign {
        '+' => "32",
        '-' => "31",
        '~' => "33",
        '>' => "34",
        '?' => "36",
        '!' => "1;31",
        'o' => "2",
        '@' => "2",
        _ => return None,
    })
}

/// `text`, which is inert already, in the colour of `sign`.
pub fn paint(text: &str, sign: char, color: Color) -> String {
    match (code(sign), color) {
        (Some(code), Color::Always) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        _ => text.to_owned(),
    }
}
