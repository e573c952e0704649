//! The pipe between the processes of a rehearsal: a tag, a length, and so many bytes. Lengths are checked before any memory is taken.
//! It knows nothing of what the messages say; `wire` does.

use std::io::{Error, ErrorKind, Read, Result, Write};

/// Most bytes of one frame. A catalog of a hundred thousand resources is well below.
pub const MOST: u32 = 64 << 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// A message in JSON.
    Message,
    /// Bytes that belong to the message before.
    Bytes,
}

/// Writes one frame; the length goes ahead in four bytes, the high one first.
///
/// # Errors
/// The system's answer; `InvalidInput` for more than [`MOST`] bytes.
pub fn write(to: &mut impl Write, tag: Tag, payload: &[u8]) -> Result<()> {
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= MOST);
    let length = length.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "a message is too long"))?;
    let mut head = [match tag {
        Tag::Message => 1,
        Tag::Bytes => 2,
    }; 5];
    head[1..].copy_from_slice(&length.to_be_bytes());
    to.write_all(&head)?;
    to.write_all(payload)?;
    to.flush()
}

/// Reads one frame; `None` where the other side has closed the pipe between two frames.
///
/// # Errors
/// The system's answer; `UnexpectedEof` in the middle of a frame, `InvalidData` for what is no frame.
pub fn read(from: &mut impl Read) -> Result<Option<(Tag, Vec<u8>)>> {
    let mut head = [0; 5];
    if !fill(from, &mut head)? {
        return Ok(None);
    }
    let tag = match head[0] {
        1 => Tag::Message,
        2 => Tag::Bytes,
        _ => return Err(Error::new(ErrorKind::InvalidData, "this is no frame of a rehearsal")),
    };
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    if length > MOST {
        return Err(Error::new(ErrorKind::InvalidData, "a frame claims to be too long"));
    }
    let mut payload = vec![0; length as usize];
    from.read_exact(&mut payload)?;
    Ok(Some((tag, payload)))
}

/// False where nothing was there at all.
fn fill(from: &mut impl Read, head: &mut [u8]) -> Result<bool> {
    let mut got = 0;
    while got < head.len() {
        match from.read(&mut head[got..]) {
            Ok(0) if got == 0 => return Ok(false),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => got += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{Tag, read, write};
    use std::io::Cursor;

    #[test]
    fn frames_come_back_as_they_went() {
        let mut pipe = Vec::new();
        write(&mut pipe, Tag::Message, b"{}").unwrap();
        write(&mut pipe, Tag::Bytes, b"").unwrap();
        let mut pipe = Cursor::new(pipe);
        assert_eq!(read(&mut pipe).unwrap(), Some((Tag::Message, b"{}".to_vec())));
        assert_eq!(read(&mut pipe).unwrap(), Some((Tag::Bytes, Vec::new())));
        assert_eq!(read(&mut pipe).unwrap(), None);
    }

    #[test]
    fn what_is_no_frame_is_an_error_and_takes_no_memory() {
        for bad in [&b"\x01\xff\xff\xff\xff"[..], b"\x09\0\0\0\0", b"\x01\0\0", b"\x01\0\0\0\x05abc"] {
            assert!(read(&mut Cursor::new(bad)).is_err(), "{bad:?}");
        }
    }
}
