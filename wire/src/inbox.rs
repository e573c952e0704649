//! From bytes to messages of one direction. It holds what has come and is not whole yet, and knows no order of messages:
//! `host_side` and `controller_side` do.

use crate::{Decoder, Frame, Malformed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Error, ErrorKind, Read};
use std::marker::PhantomData;

/// So many bytes are read at a time, at most.
const MOUTHFUL: usize = 64 << 10;

/// The closed set of messages of one direction.
pub trait Message: Serialize + DeserializeOwned {
    /// Most bytes of one frame, packed or not.
    const LONGEST: u32;
    /// Most bytes that all messages of a connection come to, unpacked; frames of bytes do not count.
    const TOTAL: u64;
    /// Most values that the JSON of one message holds. What is small in text may be large in memory: a number is two bytes there, and
    /// dozens here.
    const VALUES: usize = usize::MAX;

    /// Checks the text of a message, before it is made into one or after.
    ///
    /// # Errors
    /// It is too long, or holds too much.
    fn check(text: &[u8]) -> Result<(), Malformed> {
        if text.len() > Self::LONGEST as usize {
            return Err(Malformed::Long(text.len() as u64, Self::LONGEST));
        }
        let is_within = Self::VALUES == usize::MAX || values(text) <= Self::VALUES;
        if is_within { Ok(()) } else { Err(Malformed::Many(Self::VALUES)) }
    }
}

/// How many values there are in JSON, or a few more: each begins the text, a list or an object, or stands behind a comma.
fn values(json: &[u8]) -> usize {
    let (mut count, mut is_string, mut is_escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            b',' | b'[' | b'{' if !is_string => count += 1,
            _ => {}
        }
    }
    count
}

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard<M> {
    /// A message.
    Message(M),
    /// Bytes that belong to the message before.
    Bytes(Vec<u8>),
}

/// Why nothing more can be heard.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The pipe; `UnexpectedEof` where it ended within a frame.
    #[error(transparent)]
    Pipe(#[from] Error),
    /// The other side does not keep to the protocol.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Takes bytes as they come, and gives what was said in them.
#[derive(Debug)]
pub struct Inbox<M> {
    decoder: Decoder,
    /// Bytes of messages so far.
    total: u64,
    of: PhantomData<fn() -> M>,
}

impl<M: Message> Default for Inbox<M> {
    fn default() -> Self {
        Self { decoder: Decoder::new(M::LONGEST), total: 0, of: PhantomData }
    }
}

impl<M: Message> Inbox<M> {
    /// Takes what came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
    }

    /// True where nothing of a frame has come yet: an end here is an end between frames.
    pub fn is_between(&self) -> bool {
        self.decoder.is_between()
    }

    /// What was said next; `None` where more has to come first.
    ///
    /// # Errors
    /// No frame, or no message that is known; or all messages come to more than agreed.
    pub fn heard(&mut self) -> Result<Option<Heard<M>>, Malformed> {
        let text = match self.decoder.next_frame()? {
            None => return Ok(None),
            Some(Frame::Bytes(bytes)) => return Ok(Some(Heard::Bytes(bytes))),
            Some(Frame::Message(text)) => text,
        };
        self.total += text.len() as u64;
        if self.total > M::TOTAL {
            return Err(Malformed::Much { what: "the messages", most: M::TOTAL });
        }
        M::check(&text)?;
        let message = serde_json::from_slice(&text).map_err(|error| Malformed::message(&error))?;
        Ok(Some(Heard::Message(message)))
    }

    /// Reads until something is said, and no further; `None` at an end between frames.
    ///
    /// # Errors
    /// As [`Self::heard`]; the pipe's own, and `UnexpectedEof` in the middle of a frame.
    pub fn hear(&mut self, from: &mut impl Read) -> Result<Option<Heard<M>>, Broken> {
        loop {
            if let Some(heard) = self.heard()? {
                return Ok(Some(heard));
            }
            let mut buffer = vec![0; self.decoder.lacks().min(MOUTHFUL)];
            match from.read(&mut buffer) {
                Ok(0) if self.is_between() => return Ok(None),
                Ok(0) => return Err(Broken::Pipe(ErrorKind::UnexpectedEof.into())),
                Ok(count) => self.feed(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Pipe(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Heard, Inbox, Message};
    use crate::{Down, Frame, Malformed, Up, encode, send, send_bytes};
    use std::io::ErrorKind;

    fn hear<M: Message>(mut bytes: &[u8]) -> Result<Option<Heard<M>>, Broken> {
        Inbox::default().hear(&mut bytes)
    }

    #[test]
    fn a_pipe_ends_between_frames_or_breaks() {
        let mut pipe = Vec::new();
        send(&mut pipe, &Up::Alive).unwrap();
        assert_eq!(hear(&pipe).unwrap(), Some(Heard::Message(Up::Alive)));
        assert_eq!(hear::<Up>(b"").unwrap(), None);
        let Err(Broken::Pipe(error)) = hear::<Up>(&pipe[..pipe.len() - 1]) else { panic!("no end") };
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_comes_after_a_message_stays_in_the_pipe() {
        let mut pipe = Vec::new();
        send(&mut pipe, &Down::Secret { name: "x".repeat(200_000) }).unwrap();
        send_bytes(&mut pipe, vec![7; 200_000]).unwrap();
        pipe.extend_from_slice(b"rest");
        let (mut inbox, mut pipe) = (Inbox::<Down>::default(), pipe.as_slice());
        assert!(matches!(inbox.hear(&mut pipe), Ok(Some(Heard::Message(_)))));
        assert!(matches!(inbox.hear(&mut pipe), Ok(Some(Heard::Bytes(_)))));
        assert_eq!(pipe, b"rest");
    }

    #[test]
    fn an_unknown_message_is_an_error_in_harmless_words() {
        let text = format!("{{\"\\u001b[31m{}\": 1}}", "x".repeat(1000));
        let pipe = encode(&Frame::Message(text.into_bytes())).unwrap();
        let Err(Broken::Malformed(Malformed::Message(told))) = hear::<Down>(&pipe) else { panic!("known") };
        assert!(told.starts_with("unknown variant `\\u{1b}[31mxxx") && told.len() < 210, "{told}");
    }

    #[test]
    fn values_are_counted_outside_of_strings() {
        for (json, count) in
            [("1", 1), (r#""a,[{\",{""#, 1), ("[1,2]", 3), (r#"{"a":1,"b":[]}"#, 4), (r#"["\\",1]"#, 3)]
        {
            assert_eq!(super::values(json.as_bytes()), count, "{json}");
        }
    }

    #[test]
    fn a_host_cannot_fill_the_memory_with_little() {
        let event =
            |list: &str| format!(r#"{{"event":{{"at":"","seq":0,"event":"note","text":"","x":[{list}0]}}}}"#);
        for (count, is_taken) in [(1 << 19, true), (1 << 20, false)] {
            let text = event(&"0,".repeat(count)).into_bytes();
            let heard = hear::<Up>(&encode(&Frame::Message(text)).unwrap());
            assert_eq!(heard.is_ok(), is_taken);
        }
    }

    #[test]
    fn messages_without_end_are_an_error() {
        let mut inbox = Inbox::<Up>::default();
        let text = format!("\"alive\"{}", " ".repeat(8 << 20)).into_bytes();
        let pipe = encode(&Frame::Message(text)).unwrap();
        let count = (1..=100).find(|_| {
            inbox.feed(&pipe);
            inbox.heard().is_err()
        });
        assert_eq!(count, Some(16));
    }
}
