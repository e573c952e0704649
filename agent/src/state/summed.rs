//! Small files of the state with a sum behind their text, so that a bit that turned is never taken for what was written. What a damaged
//! file means, and what is done about it, is the business of whoever reads it.

/// `text`, which has no line breaks, and in a line of its own the CRC-32 of it in eight hexadecimal digits.
pub(super) fn summed(mut text: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&text);
    text.extend_from_slice(format!("\n{sum:08x}\n").as_bytes());
    text
}

/// The text of a file that was written so. One without any sum is taken as it is: its text tells itself whether it is whole.
///
/// # Errors
/// It is damaged.
pub(super) fn text_of(bytes: &[u8]) -> Result<&[u8], &'static str> {
    if !bytes.contains(&b'\n') {
        return Ok(bytes);
    }
    let (text, sum) = bytes.split_at(bytes.len().saturating_sub(10));
    if sum == format!("\n{:08x}\n", crc32fast::hash(text)).as_bytes() {
        Ok(text)
    } else {
        Err("its sum is not that of its text")
    }
}

#[cfg(test)]
mod tests {
    use super::{summed, text_of};

    #[test]
    fn no_bit_turns_unseen_and_no_cut_loses_half() {
        let text = br#"{"run":1,"window":60,"because":[],"phase":"armed"}"#;
        let whole = summed(text.to_vec());
        assert_eq!(text_of(&whole), Ok(&text[..]));
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(text_of(&bytes).is_err(), "bit {bit}");
        }
        for cut in 0..whole.len() {
            let left = text_of(&whole[..cut]);
            assert!(
                left.is_err() || left == Ok(&text[..cut.min(text.len())]) && cut <= text.len(),
                "cut at {cut}"
            );
        }
        assert!(text_of(&[&whole[..], &whole[..]].concat()).is_err(), "doubled");
    }
}
