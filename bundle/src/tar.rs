//! Headers of the archive: ustar (POSIX.1-2017, pax, "ustar Interchange Format"), so that `tar tf` shows what is in a bundle. For a name
//! and a size there is one header, and no other is taken: links, devices, odd modes, sparse files, extended headers do not exist here.

use model::Run;

/// Headers and contents begin at multiples of so many bytes.
pub const BLOCK: u64 = 512;
/// What ends an archive: two blocks of zeroes.
pub const END: u64 = 2 * BLOCK;
/// The largest size that a header holds: 11 octal digits, in bytes.
pub const MOST: u64 = (1 << 33) - 1;
/// Bytes of the fields `name` and `prefix`.
const NAME: usize = 100;
const PREFIX: usize = 155;

/// A header.
pub type Header = [u8; BLOCK as usize];

/// The name as `prefix` and `name` hold it; `None` where they cannot. It is split as far to the left as it can be.
pub fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= NAME {
        return Some(("", name));
    }
    let fits = |at: &usize| *at <= PREFIX && name.len() - at - 1 <= NAME;
    let at = name.match_indices('/').map(|(at, _)| at).find(fits)?;
    Some((name.get(..at)?, name.get(at + 1..)?))
}

/// The header of a file that anybody may read, of root, from the beginning of time. `None` where the name or the size cannot be said.
pub fn header(name: &str, size: u64, run: Run) -> Option<Header> {
    let (prefix, tail) = split(name)?;
    if size > MOST {
        return None;
    }
    let mut header = [0u8; BLOCK as usize];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(field) = header.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    };
    put(0, tail.as_bytes());
    put(100, if run == Run::Yes { b"0000755\0" } else { b"0000644\0" });
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    // As if the checksum were blanks, which is how it is computed.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(265, b"root");
    put(297, b"root");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    put(345, prefix.as_bytes());
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    header.get_mut(148..156)?.copy_from_slice(sum.as_bytes());
    Some(header)
}

/// The size that a header claims, for the one entry whose size nothing else tells. The header is to be compared afterwards.
pub fn size(header: &Header) -> Option<u64> {
    let digits = std::str::from_utf8(header.get(124..135)?).ok()?;
    u64::from_str_radix(digits, 8).ok()
}

/// How many bytes a file takes, with its header and what fills the last block; `None` where that cannot be counted.
pub fn taken(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK)?.checked_add(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::{header, size, split, taken};

    #[test]
    fn a_long_name_is_split_at_a_slash() {
        let long = format!("{}/{}", "a".repeat(120), "b".repeat(90));
        assert_eq!(split(&long).map(|(head, tail)| (head.len(), tail.len())), Some((120, 90)));
        assert_eq!(split(&"a".repeat(101)), None);
        assert_eq!(split("a/b"), Some(("", "a/b")));
    }

    #[test]
    fn the_size_is_told() {
        let header = header("a", 4097, model::Run::No).expect("it fits");
        assert_eq!((size(&header), taken(4097), taken(0)), (Some(4097), Some(5120), Some(512)));
        assert!(super::header("a", u64::MAX, model::Run::Yes).is_none() && taken(u64::MAX).is_none());
    }
}
