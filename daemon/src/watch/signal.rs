//! Messages of D-Bus, as far as a listener needs them: whose object, and what happened to it (D-Bus specification, "Message Protocol").
//! What is in them is not looked at.

use std::io::{Error, ErrorKind};

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Path of the object.
    pub path: String,
    /// Its name.
    pub member: String,
}

/// Longest message that is taken, in bytes. The specification allows more; a service manager does not say as much.
const MOST: usize = 16 << 20;

/// A signal's number among the types of message.
const SIGNAL: u8 = 4;

/// The first message of `bytes`, `None` inside where it is no signal, with its length; `None` where not all of it is there yet.
pub fn take(bytes: &[u8]) -> Result<Option<(Option<Signal>, usize)>, Error> {
    let broken = || Error::new(ErrorKind::InvalidData, "it does not speak D-Bus");
    let Some(head) = bytes.get(..16) else { return Ok(None) };
    let number = number(head[0]).ok_or_else(broken)?;
    let (body, fields) = (number(head, 4).ok_or_else(broken)?, number(head, 12).ok_or_else(broken)?);
    let begin = aligned(16 + fields, 8);
    let length =
        begin.checked_add(body).filter(|length| *length <= MOST && fields <= MOST).ok_or_else(broken)?;
    let Some(whole) = bytes.get(..length) else { return Ok(None) };
    if head[1] != SIGNAL {
        return Ok(Some((None, length)));
    }
    let (mut at, mut path, mut member) = (16, None, None);
    while at < 16 + fields {
        let (code, text, next) = field(whole, at, number).ok_or_else(broken)?;
        match code {
            1 => path = text,
            3 => member = text,
            _ => {}
        }
        at = aligned(next, 8);
    }
    let signal = path.zip(member).map(|(path, member)| Signal { path, member });
    Ok(Some((signal, length)))
}

type Number = fn(&[u8], usize) -> Option<usize>;

/// How numbers are written in a message of this byte order.
fn number(order: u8) -> Option<Number> {
    fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()
    }
    match order {
        b'l' => Some(|bytes, at| usize::try_from(u32::from_le_bytes(four(bytes, at)?)).ok()),
        b'B' => Some(|bytes, at| usize::try_from(u32::from_be_bytes(four(bytes, at)?)).ok()),
        _ => None,
    }
}

fn aligned(at: usize, to: usize) -> usize {
    at.div_ceil(to) * to
}

/// A field of the head: its code, its value where that is a text, and where it ends.
fn field(bytes: &[u8], at: usize, number: Number) -> Option<(u8, Option<String>, usize)> {
    let code = *bytes.get(at)?;
    let length = usize::from(*bytes.get(at + 1)?);
    let signature = bytes.get(at + 2..at + 2 + length)?;
    let value = at + 2 + length + 1;
    match signature {
        b"s" | b"o" => {
            let begin = aligned(value, 4);
            let length = number(bytes, begin)?;
            let text = bytes.get(begin + 4..(begin + 4).checked_add(length)?)?;
            Some((code, String::from_utf8(text.to_vec()).ok(), begin + 4 + length + 1))
        }
        b"g" => Some((code, None, value + 1 + usize::from(*bytes.get(value)?) + 1)),
        b"u" => Some((code, None, aligned(value, 4) + 4)),
        _ => None,
    }
}

#[cfg(test)]
pub(super) use tests::message;

#[cfg(test)]
mod tests {
    use super::{Signal, take};

    /// A signal as systemd writes it.
    pub fn message(path: &str, member: &str) -> Vec<u8> {
        let mut fields = Vec::new();
        let interface = "org.freedesktop.DBus.Properties";
        for (code, kind, text) in [(1, b'o', path), (2, b's', interface), (3, b's', member)] {
            fields.resize(fields.len().div_ceil(8) * 8, 0);
            fields.extend([code, 1, kind, 0]);
            fields.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            fields.extend(text.bytes().chain([0]));
        }
        fields.resize(fields.len().div_ceil(8) * 8, 0);
        fields.extend([8, 1, b'g', 0, 1, b's', 0]);
        let length = u32::try_from(fields.len()).unwrap();
        let mut bytes = vec![b'l', 4, 1, 1, 8, 0, 0, 0, 1, 0, 0, 0];
        bytes.extend(length.to_le_bytes());
        bytes.extend(fields);
        bytes.resize(bytes.len().div_ceil(8) * 8, 0);
        bytes.extend([0; 8]);
        bytes
    }

    #[test]
    fn a_message_is_read_when_it_is_whole() {
        let bytes = message("/a/b", "PropertiesChanged");
        for end in 0..bytes.len() {
            assert!(matches!(take(&bytes[..end]), Ok(None)), "{end}");
        }
        let signal = Signal { path: "/a/b".into(), member: "PropertiesChanged".into() };
        let two = [bytes.clone(), bytes.clone()].concat();
        assert_eq!(take(&two).unwrap(), Some((Some(signal), bytes.len())));
        let reply = [&[b'l', 2], &bytes[2..]].concat();
        assert_eq!(take(&reply).unwrap(), Some((None, bytes.len())));
    }

    #[test]
    fn nonsense_is_told_and_never_believed() {
        let bytes = message("/a/b", "PropertiesChanged");
        for at in 0..bytes.len() {
            for value in [0, 1, 7, 127, 255] {
                let mut bent = bytes.clone();
                bent[at] = value;
                drop(take(&bent));
            }
        }
        assert!(take(&[b'x'; 64]).is_err());
        assert!(take(&[[b'l'; 4], [255; 4], [0; 4], [0; 4]].concat()).is_err());
    }
}
