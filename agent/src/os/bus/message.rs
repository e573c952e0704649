//! Messages of D-Bus: calls are written, whatever comes is read (D-Bus specification, "Message Protocol").
//! What a body holds is for whoever asked for it.

use super::reading::{Order, Reading};
use super::writing::Writing;
use std::io::{Error, ErrorKind};

/// Longest message that is taken, in bytes. The specification allows more; a service manager does not say as much.
const MOST: usize = 16 << 20;

/// Bytes before the fields of the head.
const FIXED: usize = 16;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The answer to a call.
    Return,
    /// The refusal of a call.
    Error,
    /// Something that happened.
    Signal,
    /// Nothing that is listened to.
    Other,
}

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// The number of the call that it answers.
    pub answers: Option<u32>,
    /// Path of the object.
    pub path: Option<String>,
    /// Its method or signal.
    pub member: Option<String>,
    /// The name of an error.
    pub error: Option<String>,
    /// The types of the body.
    pub signature: String,
    order: Order,
    body: Vec<u8>,
}

impl Message {
    /// The first message of `bytes` with its length; `None` where not all of it is there yet.
    ///
    /// # Errors
    /// It is no message, or longer than is borne.
    pub fn take(bytes: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        let broken = || Error::new(ErrorKind::InvalidData, "it does not speak D-Bus");
        let Some(fixed) = bytes.get(..FIXED) else { return Ok(None) };
        let (begin, length) = extent(fixed).ok_or_else(broken)?;
        let Some(whole) = bytes.get(..length) else { return Ok(None) };
        let mut message = Self::head(&whole[..begin]).ok_or_else(broken)?;
        message.body = whole[begin..].to_vec();
        Ok(Some((message, length)))
    }

    fn head(bytes: &[u8]) -> Option<Self> {
        let order = Order::of(bytes[0])?;
        let mut reading = Reading::new(bytes, order);
        reading.byte()?;
        let kind = match reading.byte()? {
            2 => Kind::Return,
            3 => Kind::Error,
            4 => Kind::Signal,
            _ => Kind::Other,
        };
        let (_flags, _version) = (reading.byte()?, reading.byte()?);
        let (_body, _serial) = (reading.number()?, reading.number()?);
        let mut message = Self {
            kind,
            answers: None,
            path: None,
            member: None,
            error: None,
            signature: String::new(),
            order,
            body: Vec::new(),
        };
        reading.array(8, |field| {
            let (code, types) = (field.byte()?, field.signature()?);
            match (code, types) {
                (1, "o") => message.path = Some(field.text()?.to_owned()),
                (3, "s") => message.member = Some(field.text()?.to_owned()),
                (4, "s") => message.error = Some(field.text()?.to_owned()),
                (5, "u") => message.answers = Some(field.number()?),
                (8, "g") => message.signature = field.signature()?.to_owned(),
                (1 | 3 | 4 | 5 | 8, _) => return None,
                _ => field.skip(types.as_bytes()).filter(|rest| rest.is_empty()).map(|_| ())?,
            }
            Some(())
        })?;
        reading.align(8)?;
        Some(message)
    }

    /// What it says.
    pub fn body(&self) -> Reading<'_> {
        Reading::new(&self.body, self.order)
    }
}

/// Where the body of a message begins, and where it ends.
fn extent(fixed: &[u8]) -> Option<(usize, usize)> {
    let mut reading = Reading::new(fixed, Order::of(*fixed.first()?)?);
    for _ in 0..3 {
        reading.byte()?;
    }
    let is_first_version = reading.byte()? == 1;
    let body = usize::try_from(reading.number()?).ok()?;
    reading.number()?;
    let fields = usize::try_from(reading.number()?).ok()?;
    let is_fit = is_first_version && body <= MOST && fields <= MOST;
    let begin = is_fit.then(|| (FIXED + fields).next_multiple_of(8))?;
    (begin + body <= MOST).then_some((begin, begin + body))
}

/// A call of a method.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Path of the object.
    pub path: &'a str,
    /// Its interface.
    pub interface: &'a str,
    /// The method.
    pub member: &'a str,
    /// The types of what it is given.
    pub signature: &'a str,
    /// What it is given.
    pub body: Vec<u8>,
}

impl Call<'_> {
    /// The message, under a number that is not 0. It goes straight to its receiver, and so names none.
    pub(super) fn encoded(&self, serial: u32) -> Vec<u8> {
        const CALL: u8 = 1;
        let mut head = Writing::default();
        head.byte(b'l').byte(CALL).byte(0).byte(1);
        head.number(u32::try_from(self.body.len()).expect("calls of ours are short")).number(serial);
        head.array(8, |fields| {
            fields.align(8).byte(1).signature("o").text(self.path);
            fields.align(8).byte(2).signature("s").text(self.interface);
            fields.align(8).byte(3).signature("s").text(self.member);
            if !self.signature.is_empty() {
                fields.align(8).byte(8).signature("g").signature(self.signature);
            }
        });
        head.align(8);
        [head.into_bytes(), self.body.clone()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Kind, Message};
    use crate::os::bus::writing::Writing;

    fn call() -> Vec<u8> {
        let mut body = Writing::default();
        body.text("a.service").text("fail");
        let (path, interface) = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");
        let body = body.into_bytes();
        Call { path, interface, member: "StartUnit", signature: "ss", body }.encoded(7)
    }

    #[test]
    fn a_call_is_a_message() {
        let bytes = call();
        assert_eq!(bytes[..16], [b'l', 1, 0, 1, 25, 0, 0, 0, 7, 0, 0, 0, 120, 0, 0, 0]);
        let (message, length) = Message::take(&bytes).unwrap().unwrap();
        assert_eq!((message.kind, length, message.signature.as_str()), (Kind::Other, bytes.len(), "ss"));
        assert_eq!(message.path.as_deref(), Some("/org/freedesktop/systemd1"));
        let mut body = message.body();
        assert_eq!((body.text(), body.text(), body.is_done()), (Some("a.service"), Some("fail"), true));
    }

    #[test]
    fn a_message_is_read_when_it_is_whole() {
        let bytes = call();
        for end in 0..bytes.len() {
            assert!(matches!(Message::take(&bytes[..end]), Ok(None)), "{end}");
        }
        let two = [bytes.clone(), bytes.clone()].concat();
        assert_eq!(Message::take(&two).unwrap().unwrap().1, bytes.len());
    }

    #[test]
    fn nonsense_is_told_and_never_believed() {
        let bytes = call();
        for at in 0..bytes.len() {
            for value in [0, 1, 7, 127, 255] {
                let mut bent = bytes.clone();
                bent[at] = value;
                drop(Message::take(&bent));
            }
        }
        assert!(Message::take(&[b'x'; 64]).is_err());
        assert!(Message::take(&[[b'l'; 4], [255; 4], [0; 4], [0; 4]].concat()).is_err());
        let other_version = [&bytes[..3], &[2], &bytes[4..]].concat();
        assert!(Message::take(&other_version).is_err());
    }
}
