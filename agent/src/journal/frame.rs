//! The frames of a journal: `length u32 LE | crc32 u32 LE | JSON`, the checksum over the length's four bytes and the JSON.
//! A reader stops at the first frame that is not whole and says where and why; it never fails on bad bytes, and allocates nothing
//! for a length that the file cannot hold. `file` puts frames on the disk.

use std::io::{self, Read};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest record, in bytes of JSON.
pub const MAX_RECORD: usize = 16 << 20;
const HEADER: usize = 8;

/// Why a journal cannot be read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The file ends within a frame, as after a crash while it was written.
    #[error("the last record is cut off")]
    CutOff,
    /// Nothing but zeros follow, as after a power cut on some file systems.
    #[error("there are only zeros")]
    Zeros,
    /// The length is zero, or longer than any record.
    #[error("the record claims to have {0} bytes")]
    Length(u32),
    /// The checksum is wrong.
    #[error("the checksum does not match")]
    Checksum,
    /// The frame is whole, but this program does not know such a record: a newer one wrote it.
    #[error("the record is not understood: {0}")]
    Unknown(String),
}

/// Where a journal cannot be read further, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("damaged at byte {offset}: {cause}")]
pub struct Damage {
    /// Length of the good part in bytes.
    pub offset: u64,
    /// Why.
    pub cause: Cause,
}

/// What could be read of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents<R> {
    /// The records up to the end or the damage.
    pub records: Vec<R>,
    /// Length of the part that holds them, in bytes.
    pub good: u64,
    /// What is wrong after them.
    pub damage: Option<Damage>,
}

/// One frame around a record.
///
/// # Errors
/// If the record cannot be written as JSON, or is longer than `MAX_RECORD`.
pub fn encode<R: Serialize>(record: &R) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; HEADER];
    serde_json::to_writer(&mut frame, record)?;
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "the record is longer than 16 MiB");
    let length = u32::try_from(frame.len() - HEADER).map_err(|_| too_long())?;
    if length as usize > MAX_RECORD {
        return Err(too_long());
    }
    let checksum = checksum(length, &frame[HEADER..]);
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame[4..HEADER].copy_from_slice(&checksum.to_le_bytes());
    Ok(frame)
}

/// Reads frames to the end of `input`, which holds `size` bytes, or to the first damage.
///
/// # Errors
/// Only those of reading, never of what was read.
pub fn decode<R: DeserializeOwned>(mut input: impl Read, size: u64) -> io::Result<Contents<R>> {
    let mut contents = Contents { records: Vec::new(), good: 0, damage: None };
    while contents.good < size {
        match next(&mut input, size - contents.good)? {
            Ok((record, length)) => {
                contents.records.push(record);
                contents.good += length;
            }
            Err(cause) => {
                contents.damage = Some(Damage { offset: contents.good, cause });
                break;
            }
        }
    }
    Ok(contents)
}

fn next<R: DeserializeOwned>(input: &mut impl Read, left: u64) -> io::Result<Result<(R, u64), Cause>> {
    let mut header = [0; HEADER];
    if !fill(input, &mut header)? {
        return Ok(Err(Cause::CutOff));
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3] = header;
    let (length, expected) = (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([c0, c1, c2, c3]));
    if header == [0; HEADER] && only_zeros(input)? {
        return Ok(Err(Cause::Zeros));
    }
    if length == 0 || length as usize > MAX_RECORD {
        return Ok(Err(Cause::Length(length)));
    }
    if u64::from(length) + HEADER as u64 > left {
        return Ok(Err(Cause::CutOff));
    }
    let mut json = vec![0; length as usize];
    if !fill(input, &mut json)? {
        return Ok(Err(Cause::CutOff));
    }
    if checksum(length, &json) != expected {
        // A power cut can leave the last frame at its full length, with pages of it that were never written.
        let is_last = u64::from(length) + HEADER as u64 == left;
        return Ok(Err(if is_last { Cause::CutOff } else { Cause::Checksum }));
    }
    let record = serde_json::from_slice(&json).map_err(|error| Cause::Unknown(error.to_string()));
    Ok(record.map(|record| (record, u64::from(length) + HEADER as u64)))
}

/// Fills the buffer; false if the input ends before.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn only_zeros(input: &mut impl Read) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(length) if buffer[..length].iter().any(|byte| *byte != 0) => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The length is part of it, so that a run of zeros is not a good empty record.
fn checksum(length: u32, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(json);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::{Cause, Contents, MAX_RECORD, decode, encode};

    fn records() -> Vec<String> {
        (0..20).map(|number| format!("record {number} {}", "x".repeat(number))).collect()
    }

    /// All frames, and where each of them ends.
    fn journal() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for record in records() {
            bytes.extend(encode(&record).unwrap());
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn read(bytes: &[u8]) -> Contents<String> {
        decode(bytes, bytes.len() as u64).unwrap()
    }

    #[test]
    fn a_cut_at_any_byte_keeps_the_records_before_it() {
        let (bytes, ends) = journal();
        for cut in 0..=bytes.len() {
            let contents = read(&bytes[..cut]);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(contents.records, records()[..whole], "cut at {cut}");
            let clean = cut == 0 || ends.contains(&cut);
            let cause = contents.damage.map(|damage| (damage.offset, damage.cause));
            assert_eq!(cause, (!clean).then_some((contents.good, Cause::CutOff)), "cut at {cut}");
        }
    }

    #[test]
    fn any_flipped_bit_is_noticed_at_its_record() {
        let (bytes, ends) = journal();
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let contents = read(&bad);
            let before = ends.iter().filter(|end| **end <= bit / 8).count();
            assert_eq!(contents.records, records()[..before], "bit {bit}");
            assert!(contents.damage.is_some(), "bit {bit}");
        }
    }

    #[test]
    fn zeros_at_the_end_are_no_records() {
        let (bytes, _) = journal();
        for zeros in [1, 7, 8, 9, 4096, 10_000] {
            let contents = read(&[bytes.clone(), vec![0; zeros]].concat());
            assert_eq!(contents.records, records());
            let cause = if zeros < 8 { Cause::CutOff } else { Cause::Zeros };
            assert_eq!(contents.damage.unwrap().cause, cause, "{zeros}");
        }
        let contents = read(&[bytes, vec![0; 20], vec![1]].concat());
        assert_eq!(contents.damage.unwrap().cause, Cause::Length(0));
    }

    #[test]
    fn a_length_is_checked_before_memory_is_taken() {
        let contents = read(&[0xff; 64]);
        assert_eq!(contents.damage.unwrap().cause, Cause::Length(u32::MAX));
        let long = u32::try_from(MAX_RECORD).unwrap().to_le_bytes();
        assert_eq!(read(&[&long[..], &[0; 20]].concat()).damage.unwrap().cause, Cause::CutOff);
        assert!(encode(&"x".repeat(MAX_RECORD)).is_err());
    }

    #[test]
    fn a_record_of_another_version_is_told_from_damage() {
        let bytes = encode(&42).unwrap();
        assert!(matches!(read(&bytes).damage.unwrap().cause, Cause::Unknown(_)));
    }
}
