//! The outer form: a tag, a length in four bytes, the high one first, and so many bytes. A length is checked before any memory is
//! taken for it, and memory is taken only for bytes that came. It knows nothing of what the messages say.

use crate::Malformed;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;

/// Most bytes of a frame to the host, packed or not. A catalog of a hundred thousand resources is well below.
pub const LONGEST: u32 = 64 << 20;

/// Most bytes of a frame from a host: many hosts talk to one controller.
pub const LONGEST_UP: u32 = 16 << 20;

/// Contents travel in pieces of this size.
pub const PIECE: usize = 256 << 10;

/// Messages from this size on are packed.
const WORTH_PACKING: usize = 1 << 10;

const MESSAGE: u8 = 1;
const BYTES: u8 = 2;
/// A message, deflated (RFC 1951).
const PACKED: u8 = 3;

/// Tag and length.
const HEAD: usize = 5;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message in JSON.
    Message(Vec<u8>),
    /// Bytes that belong to the message before.
    Bytes(Vec<u8>),
}

/// The bytes of a frame. Messages that are worth it are packed.
///
/// # Errors
/// `Malformed::Long` for more than [`LONGEST`] bytes.
pub fn encode(frame: &Frame) -> Result<Vec<u8>, Malformed> {
    let (tag, payload) = match frame {
        Frame::Bytes(bytes) => (BYTES, bytes),
        Frame::Message(text) if text.len() < WORTH_PACKING => (MESSAGE, text),
        Frame::Message(text) if text.len() > LONGEST as usize => {
            return Err(Malformed::Long(text.len() as u64, LONGEST));
        }
        Frame::Message(text) => (PACKED, &packed(text)),
    };
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or(Malformed::Long(payload.len() as u64, LONGEST))?;
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.push(tag);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let done = DeflateEncoder::new(text, Compression::fast()).read_to_end(&mut bytes);
    done.expect("reading from memory and writing to memory cannot fail");
    bytes
}

/// Takes bytes as they come, and gives the frames in them.
#[derive(Debug)]
pub struct Decoder {
    limit: u32,
    held: Vec<u8>,
    /// Where in `held` the next frame begins.
    at: usize,
}

impl Decoder {
    /// Nothing read; no frame may have more than `limit` bytes.
    pub fn new(limit: u32) -> Self {
        Self { limit, held: Vec::new(), at: 0 }
    }

    /// Takes what came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.held.drain(..std::mem::take(&mut self.at));
        self.held.extend_from_slice(bytes);
    }

    /// True where nothing of a frame has come yet: an end here is an end between frames.
    pub fn is_between(&self) -> bool {
        self.at == self.held.len()
    }

    /// Where there is no whole frame: how many bytes surely belong to it and have not come. Who reads no more than these never holds a
    /// byte of what is behind the frame.
    pub fn lacks(&self) -> usize {
        let held = &self.held[self.at..];
        let Some(([_, length @ ..], payload)) = held.split_first_chunk::<HEAD>() else {
            return HEAD - held.len();
        };
        (u32::from_be_bytes(*length).min(self.limit) as usize).saturating_sub(payload.len())
    }

    /// The next frame that is whole; `None` where more has to come first.
    ///
    /// # Errors
    /// What came is no frame; nothing after it can be trusted.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Malformed> {
        let Some((head, rest)) = self.held[self.at..].split_first_chunk::<HEAD>() else { return Ok(None) };
        let [tag, length @ ..] = *head;
        let length = u32::from_be_bytes(length);
        if !matches!(tag, MESSAGE | BYTES | PACKED) {
            return Err(Malformed::Tag(tag));
        }
        if length > self.limit {
            return Err(Malformed::Long(u64::from(length), self.limit));
        }
        let Some(payload) = rest.get(..length as usize) else { return Ok(None) };
        let frame = match tag {
            BYTES => Frame::Bytes(payload.to_vec()),
            MESSAGE => Frame::Message(payload.to_vec()),
            _ => Frame::Message(self.unpacked(payload)?),
        };
        self.at += HEAD + length as usize;
        if self.is_between() {
            // What was long once is not held for good.
            (self.held, self.at) = (Vec::new(), 0);
        }
        Ok(Some(frame))
    }

    fn unpacked(&self, payload: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut text = Vec::new();
        let most = u64::from(self.limit);
        let read = DeflateDecoder::new(payload).take(most + 1).read_to_end(&mut text);
        read.map_err(|_| Malformed::Packed)?;
        if text.len() as u64 > most { Err(Malformed::Long(text.len() as u64, self.limit)) } else { Ok(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Frame, HEAD, LONGEST, encode};

    fn frames(limit: u32, bytes: &[u8], step: usize) -> Result<Vec<Frame>, crate::Malformed> {
        let (mut decoder, mut found) = (Decoder::new(limit), Vec::new());
        for piece in bytes.chunks(step) {
            decoder.feed(piece);
            while let Some(frame) = decoder.next_frame()? {
                found.push(frame);
            }
        }
        let (held, left) = (decoder.held.capacity(), decoder.lacks());
        assert!(held < 2 * bytes.len() + HEAD && (left == HEAD) == decoder.is_between());
        assert!(!decoder.is_between() || held == 0, "memory is given back");
        Ok(found)
    }

    #[test]
    fn frames_come_back_as_they_went_however_they_are_cut() {
        let sent =
            vec![Frame::Message(b"{}".to_vec()), Frame::Bytes(Vec::new()), Frame::Message(vec![b'a'; 5000])];
        let bytes: Vec<u8> = sent.iter().flat_map(|frame| encode(frame).unwrap()).collect();
        assert!(bytes.len() < 200, "a long message is packed");
        for step in [1, 2, 3, 7, 4096] {
            assert_eq!(frames(LONGEST, &bytes, step).unwrap(), sent);
        }
    }

    #[test]
    fn what_is_no_frame_is_an_error_and_takes_no_memory() {
        for bad in
            [&b"\x01\xff\xff\xff\xff"[..], b"\x09\0\0\0\0", b"\x03\0\0\0\x02\xff\xff", b"\x02\0\0\0\x65"]
        {
            assert!(frames(100, bad, 4).is_err(), "{bad:?}");
        }
        let bomb = encode(&Frame::Message(vec![b'a'; 1 << 20])).unwrap();
        assert!(frames(100 << 10, &bomb, 4096).is_err());
        for cut in [&b"\x01\0\0\0\x05abc"[..], b"\x01\x03\xff\xff\xffabc"] {
            assert_eq!(frames(LONGEST, cut, 1).unwrap(), [], "what a head claims is not held ready");
        }
    }
}
