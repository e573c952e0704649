//! Saying things: messages, an order with its secrets, contents piece by piece. What is sent is within the limits that the other side
//! holds; it knows nothing of what comes back.

use crate::{Blobs, Down, Frame, Message, Order, PIECE, encode};
use model::{Digest, Failure, Hasher, Secrets};
use std::io::{Error, ErrorKind, Read, Result, Write};

/// Most bytes of one secret.
pub const LONGEST_SECRET: usize = 4 << 20;

/// Most bytes of the secrets of an order, their names included.
pub const TOTAL_SECRETS: usize = 64 << 20;

/// Sends one message.
///
/// # Errors
/// The pipe's; `InvalidInput` for a message that is longer than the other side takes: nothing has been sent then.
pub fn send<M: Message>(to: &mut impl Write, message: &M) -> Result<()> {
    let text = serde_json::to_vec(message)?;
    M::check(&text).map_err(|long| Error::new(ErrorKind::InvalidInput, long))?;
    write(to, &Frame::Message(text))
}

/// Sends bytes that belong to the message before.
///
/// # Errors
/// The pipe's; `InvalidInput` for more than [`crate::LONGEST`] bytes.
pub fn send_bytes(to: &mut impl Write, bytes: Vec<u8>) -> Result<()> {
    write(to, &Frame::Bytes(bytes))
}

fn write(to: &mut impl Write, frame: &Frame) -> Result<()> {
    let bytes = encode(frame).map_err(|malformed| Error::new(ErrorKind::InvalidInput, malformed))?;
    to.write_all(&bytes)?;
    to.flush()
}

/// Sends the version that is spoken, the order and its secrets, up to `Go`.
///
/// # Errors
/// The pipe's; `InvalidInput` for a catalog or secrets that are too long, before anything of them has been sent.
pub fn send_order(to: &mut impl Write, protocol: u32, order: Order, secrets: &Secrets) -> Result<()> {
    let size = |(name, value): (&str, &model::Secret<Vec<u8>>)| name.len() + value.expose().len();
    let too_long = secrets.values().any(|value| value.expose().len() > LONGEST_SECRET);
    if too_long || secrets.entries().map(size).sum::<usize>() > TOTAL_SECRETS {
        let text = format!(
            "secrets are too long: {} MiB each and {} MiB in all are the most",
            LONGEST_SECRET >> 20,
            TOTAL_SECRETS >> 20
        );
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    send(to, &Down::Speak { protocol })?;
    send(to, &Down::Order(Box::new(order)))?;
    for (name, value) in secrets.entries() {
        send(to, &Down::Secret { name: name.to_owned() })?;
        send_bytes(to, value.expose().clone())?;
    }
    send(to, &Down::Go)
}

/// Why contents were not sent.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The pipe; whoever reads it may have more to say.
    #[error(transparent)]
    Pipe(#[from] Error),
    /// There are no such contents here; the other side has been told so.
    #[error(transparent)]
    Lacking(Failure),
}

/// Sends the contents `digest` of `size` bytes, piece by piece: nothing but these, or the other side is told that they are lacking. The last piece
/// goes only when all of them are known to be right.
///
/// # Errors
/// Contents that cannot be read, or are other than they were, after the host has been told; or the pipe's.
pub fn send_content(
    to: &mut impl Write,
    (digest, size): (Digest, u64),
    blobs: &dyn Blobs,
) -> std::result::Result<(), Unsent> {
    match pieces(to, (digest, size), blobs) {
        Err(Unsent::Lacking(failure)) => {
            send(to, &Down::Lacking { digest, because: failure.to_string() })?;
            Err(Unsent::Lacking(failure))
        }
        sent => sent,
    }
}

fn pieces(
    to: &mut impl Write,
    (digest, size): (Digest, u64),
    blobs: &dyn Blobs,
) -> std::result::Result<(), Unsent> {
    let reader = blobs.open(&digest).map_err(Unsent::Lacking)?;
    let mut source = Source { reader, digest, left: size, hasher: Hasher::default() };
    let mut piece = source.next().map_err(Unsent::Lacking)?;
    send(to, &Down::Content { digest, size })?;
    while !piece.is_empty() {
        send_bytes(to, piece)?;
        piece = source.next().map_err(Unsent::Lacking)?;
    }
    Ok(())
}

/// Contents that are read and checked.
struct Source {
    reader: Box<dyn Read>,
    digest: Digest,
    left: u64,
    hasher: Hasher,
}

impl Source {
    /// The next piece, empty after the last one; the last one is given only when everything was as it should be.
    fn next(&mut self) -> std::result::Result<Vec<u8>, Failure> {
        let most = self.left.min(PIECE as u64);
        let is_last = most == self.left;
        // One byte more shows that there is more than there should be.
        let most = most + u64::from(is_last);
        let mut piece = Vec::new();
        let read = (&mut self.reader).take(most).read_to_end(&mut piece);
        read.map_err(|error| Failure::io("read", format!("content {}", self.digest), error))?;
        let expected = most - u64::from(is_last);
        self.hasher.update(&piece);
        self.left = self.left.saturating_sub(piece.len() as u64);
        let is_right =
            piece.len() as u64 == expected && (!is_last || self.hasher.clone().finish() == self.digest);
        if is_right {
            return Ok(piece);
        }
        let why = format!("content {} is not what it was", self.digest);
        Err(Failure::refused(why, "run it again"))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_SECRET, Unsent, send, send_content, send_order};
    use crate::{Blobs, Down, Heard, Inbox, Order, PIECE, Reply, Up};
    use model::{Digest, Failure, Secrets};
    use std::io::{Cursor, Read};

    /// Gives what it holds, whatever is asked for.
    struct Says(Vec<u8>);

    impl Blobs for Says {
        fn open(&self, _: &Digest) -> Result<Box<dyn Read>, Failure> {
            Ok(Box::new(Cursor::new(self.0.clone())))
        }
    }

    fn heard(bytes: &[u8]) -> Vec<Heard<Down>> {
        let (mut inbox, mut bytes) = (Inbox::default(), bytes);
        std::iter::from_fn(|| inbox.hear(&mut bytes).unwrap()).collect()
    }

    #[test]
    fn contents_go_whole_or_are_said_to_be_lacking() {
        let right: Vec<u8> = (0..=u8::MAX).cycle().take(2 * PIECE + 5).collect();
        let digest = Digest::of(&right);
        let (short, long) = (right[..PIECE].to_vec(), [right.as_slice(), &[1]].concat());
        let mut other = right.clone();
        other[9] ^= 1;
        for (is_right, bytes, pieces) in
            [(true, right.clone(), 3), (false, short, 1), (false, long, 2), (false, other, 2)]
        {
            let mut pipe = Vec::new();
            let sent = send_content(&mut pipe, (digest, right.len() as u64), &Says(bytes));
            let heard = heard(&pipe);
            assert_eq!(sent.is_ok(), is_right);
            assert_eq!(matches!(sent, Err(Unsent::Lacking(_))), !is_right);
            let is_lacking = matches!(heard.last(), Some(Heard::Message(Down::Lacking { .. })));
            assert_eq!(is_lacking, !is_right);
            assert_eq!(heard.iter().filter(|it| matches!(it, Heard::Bytes(_))).count(), pieces);
        }
    }

    #[test]
    fn no_bytes_are_contents_too() {
        let (mut pipe, empty) = (Vec::new(), Digest::of(b""));
        send_content(&mut pipe, (empty, 0), &Says(Vec::new())).unwrap();
        assert_eq!(heard(&pipe), [Heard::Message(Down::Content { digest: empty, size: 0 })]);
        send_content(&mut pipe, (empty, 0), &Says(vec![1])).unwrap_err();
        assert!(matches!(heard(&pipe)[..], [_, Heard::Message(Down::Lacking { .. })]));
    }

    #[test]
    fn what_is_too_long_is_not_begun() {
        let (mut pipe, mut secrets) = (Vec::new(), Secrets::default());
        let damage = Some("x".repeat(17 << 20));
        let reply = Reply::Run { status: Box::default(), damage, after: Default::default() };
        send(&mut pipe, &Up::Reply(Box::new(reply))).unwrap_err();
        secrets.keep("s".into(), vec![0; LONGEST_SECRET + 1]);
        send_order(&mut pipe, 1, Order::Facts, &secrets).unwrap_err();
        for at in 0..16 {
            secrets.keep(if at == 0 { "s".into() } else { at.to_string() }, vec![0; LONGEST_SECRET]);
        }
        send_order(&mut pipe, 1, Order::Facts, &secrets).unwrap_err();
        assert!(pipe.is_empty());
        secrets.keep("s".into(), Vec::new());
        send_order(&mut pipe, 1, Order::Facts, &secrets).unwrap();
    }
}
