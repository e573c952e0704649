//! Questions to a name server and its answers, as bytes (RFC 1035, section 4). No I/O; whatever a server says is data, and bounded.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Records that can be asked for, with their numbers (IANA, "DNS Parameters").
pub const TYPES: &[(&str, u16)] = &[
    ("A", 1),
    ("AAAA", 28),
    ("CNAME", 5),
    ("MX", 15),
    ("NS", 2),
    ("PTR", 12),
    ("SOA", 6),
    ("SRV", 33),
    ("TXT", 16),
];

/// The number of an alias among them.
const CNAME: u16 = 5;

/// The longest name, in bytes (RFC 1035, 2.3.4).
const LONGEST: usize = 255;

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered {
    /// These values; none where the name has no such record, or is not there.
    Values(Vec<String>),
    /// The answer was cut short: it is to be asked for over TCP.
    Cut,
    /// It could not tell, in words.
    Failed(String),
}

/// A question for all records of a type that a name has.
///
/// # Errors
/// The name is none.
pub fn question(id: u16, name: &str, kind: u16) -> Result<Vec<u8>, String> {
    let mut out = id.to_be_bytes().to_vec();
    // Recursion desired; one question.
    out.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length));
        let length = length.ok_or_else(|| format!("`{name}` is no name"))?;
        out.push(length);
        out.extend(label.as_bytes());
    }
    if out.len() > 12 + LONGEST {
        return Err(format!("`{name}` is longer than a name can be"));
    }
    out.push(0);
    out.extend(kind.to_be_bytes());
    out.extend([0, 1]);
    Ok(out)
}

/// Reads the answer to the question `asked`; `None` where it is none to it.
pub fn answer(bytes: &[u8], asked: &[u8], kind: u16) -> Option<Answered> {
    let flags = number(bytes, 2)?;
    let is_ours = bytes.get(..2) == asked.get(..2) && flags & 0x8000 != 0 && number(bytes, 4)? == 1;
    // The question comes back as it was asked, but for the case of its letters.
    if !is_ours || !bytes.get(12..asked.len())?.eq_ignore_ascii_case(asked.get(12..)?) {
        return None;
    }
    if flags & 0x0200 != 0 {
        return Some(Answered::Cut);
    }
    match flags & 15 {
        0 => {}
        3 => return Some(Answered::Values(Vec::new())),
        code => return Some(Answered::Failed(rcode(code))),
    }
    let (mut at, mut values, mut is_alias) = (asked.len(), Vec::new(), false);
    for _ in 0..number(bytes, 6)? {
        at = skip_name(bytes, at)?;
        let (found, length) = (number(bytes, at)?, usize::from(number(bytes, at + 8)?));
        let data = at + 10..at + 10 + length;
        bytes.get(data.clone())?;
        if found == kind {
            values.push(value(bytes, data.clone(), kind)?);
        }
        is_alias |= found == CNAME;
        at = data.end;
    }
    // Who asks nobody else knows only what is his own, and not where an alias of that leads: his "nothing" is no answer (RFC 1034, 4.3.1).
    let (asks_others, is_his) = (flags & 0x0080 != 0, flags & 0x0400 != 0);
    if values.is_empty() && !asks_others && (is_alias || !is_his) {
        return Some(Answered::Failed("the name server does not know, and asks nobody else".to_owned()));
    }
    values.sort();
    Some(Answered::Values(values))
}

fn rcode(code: u16) -> String {
    match code {
        1 => "the name server does not understand the question".to_owned(),
        2 => "the name server failed (SERVFAIL)".to_owned(),
        5 => "the name server refuses to answer".to_owned(),
        code => format!("the name server says error {code}"),
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}

/// A name, which may end in a pointer to one before it. As every pointer has to lead back it ends.
fn name(bytes: &[u8], mut at: usize) -> Option<String> {
    let (mut out, mut least) = (String::new(), at);
    loop {
        let length = *bytes.get(at)?;
        match length & 0xc0 {
            0 if length == 0 => return Some(if out.is_empty() { ".".to_owned() } else { out }),
            0 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
                if !out.is_empty() {
                    out.push('.');
                }
                out.extend(label.iter().map(|byte| char::from(*byte)).flat_map(char::escape_default));
                at += 1 + usize::from(length);
            }
            0xc0 => {
                at = usize::from(number(bytes, at)? & 0x3fff);
                if at >= least {
                    return None;
                }
                least = at;
            }
            _ => return None,
        }
        if out.len() > LONGEST * 4 {
            return None;
        }
    }
}

/// One record in the form of a zone's text.
fn value(bytes: &[u8], data: std::ops::Range<usize>, kind: u16) -> Option<String> {
    let raw = bytes.get(data.clone())?;
    Some(match kind {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(raw).ok()?).to_string(),
        28 => Ipv6Addr::from(<[u8; 16]>::try_from(raw).ok()?).to_string(),
        2 | 5 | 12 => name(bytes, data.start)?,
        15 => format!("{} {}", number(raw, 0)?, name(bytes, data.start + 2)?),
        33 => {
            let (priority, weight, port) = (number(raw, 0)?, number(raw, 2)?, number(raw, 4)?);
            format!("{priority} {weight} {port} {}", name(bytes, data.start + 6)?)
        }
        6 => {
            let second = skip_name(bytes, data.start)?;
            format!("{} {}", name(bytes, data.start)?, name(bytes, second)?)
        }
        _ => texts(raw)?,
    })
}

/// The strings of a TXT record, one after the other, as those who read them take them.
fn texts(mut raw: &[u8]) -> Option<String> {
    let mut out = String::new();
    while let Some((length, rest)) = raw.split_first() {
        let text = rest.get(..usize::from(*length))?;
        write!(out, "{}", text.escape_ascii()).ok()?;
        raw = rest.get(usize::from(*length)..)?;
    }
    Some(out.replace("\\\"", "\"").replace("\\'", "'"))
}

#[cfg(test)]
mod tests {
    use super::{Answered, answer, question};

    /// `example.org A`, answered by a CNAME to `a.example.org` and its two addresses.
    fn answered() -> (Vec<u8>, Vec<u8>) {
        let asked = question(7, "example.org", 1).unwrap();
        let mut bytes = asked.clone();
        (bytes[2], bytes[3], bytes[7]) = (0x81, 0x80, 3);
        bytes.extend(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01a\xc0\x0c");
        bytes.extend(b"\xc0\x29\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x08");
        bytes.extend(b"\xc0\x29\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07");
        (asked, bytes)
    }

    #[test]
    fn an_answer_is_read_in_its_order() {
        let (asked, bytes) = answered();
        let values = vec!["192.0.2.7".to_owned(), "192.0.2.8".to_owned()];
        assert_eq!(answer(&bytes, &asked, 1), Some(Answered::Values(values)));
        assert_eq!(answer(&bytes, &asked, 5), Some(Answered::Values(vec!["a.example.org".to_owned()])));
    }

    #[test]
    fn who_does_not_know_a_name_has_not_said_that_it_has_nothing() {
        let (asked, mut alias) = answered();
        // The alias alone, as from its own server that asks nobody where it leads.
        alias.truncate(asked.len() + 16);
        (alias[2], alias[3], alias[7]) = (0x84, 0, 1);
        let empty = |flags: [u8; 2]| {
            let mut bytes = asked.clone();
            (bytes[2], bytes[3]) = (flags[0], flags[1]);
            bytes
        };
        let is_told = |bytes: &[u8]| answer(bytes, &asked, 1) == Some(Answered::Values(Vec::new()));
        assert!(is_told(&empty([0x84, 0])) && is_told(&empty([0x81, 0x80])));
        assert!(!is_told(&empty([0x80, 0])) && !is_told(&alias));
        assert!(matches!(answer(&empty([0x80, 0]), &asked, 1), Some(Answered::Failed(_))));
        assert!(matches!(answer(&alias, &asked, 1), Some(Answered::Failed(_))));
        assert_eq!(answer(&alias, &asked, 5), Some(Answered::Values(vec!["a.example.org".to_owned()])));
    }

    #[test]
    fn nothing_that_a_server_says_is_taken_for_more() {
        let (asked, bytes) = answered();
        for at in 0..bytes.len() {
            let cut = answer(&bytes[..at], &asked, 1);
            assert!(!matches!(cut, Some(Answered::Values(_))), "{at}");
            for flip in [0xff, 0xc0, 0x01] {
                let mut wild = bytes.clone();
                wild[at] ^= flip;
                // It ends, and does not panic.
                drop(answer(&wild, &asked, 1));
            }
        }
        let mut other = bytes.clone();
        other[0] ^= 1;
        assert_eq!(answer(&other, &asked, 1), None);
        let mut failed = bytes;
        failed[3] |= 2;
        assert!(
            matches!(answer(&failed, &asked, 1), Some(Answered::Failed(why)) if why.contains("SERVFAIL"))
        );
    }

    #[test]
    fn a_pointer_that_does_not_lead_back_is_none() {
        let asked = question(7, "a", 5).unwrap();
        let mut bytes = asked.clone();
        (bytes[2], bytes[3], bytes[7]) = (0x81, 0x80, 1);
        let at = bytes.len() as u8 + 12;
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 0, 0, 2, 0xc0, at]);
        assert_eq!(answer(&bytes, &asked, 5), None);
        assert!(question(7, "a..b", 1).is_err() && question(7, &"a.".repeat(200), 1).is_err());
    }
}
