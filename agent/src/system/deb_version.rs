//! The order of Debian's version numbers, deb-version(7). Only compares; whether a package may go down is its kind's.

use std::cmp::Ordering;

/// Compares two versions as `dpkg --compare-versions` does.
pub fn compare_versions(left: &str, right: &str) -> Ordering {
    let (left_epoch, left) = epoch(left);
    let (right_epoch, right) = epoch(right);
    let (left, left_revision) = left.rsplit_once('-').unwrap_or((left, ""));
    let (right, right_revision) = right.rsplit_once('-').unwrap_or((right, ""));
    by_number(left_epoch.as_bytes(), right_epoch.as_bytes())
        .then_with(|| by_part(left.as_bytes(), right.as_bytes()))
        .then_with(|| by_part(left_revision.as_bytes(), right_revision.as_bytes()))
}

fn epoch(version: &str) -> (&str, &str) {
    version.split_once(':').unwrap_or(("", version))
}

/// Stretches of non-digits and of digits by turns.
fn by_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_word, left_rest) = split(left, |byte| !byte.is_ascii_digit());
        let (right_word, right_rest) = split(right, |byte| !byte.is_ascii_digit());
        let (left_number, left_rest) = split(left_rest, u8::is_ascii_digit);
        let (right_number, right_rest) = split(right_rest, u8::is_ascii_digit);
        let order = by_word(left_word, right_word).then_with(|| by_number(left_number, right_number));
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

fn split(bytes: &[u8], goes_on: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(|byte| !goes_on(byte)).unwrap_or(bytes.len()))
}

/// Digits of any length: without leading zeros the longer is the greater.
fn by_number(left: &[u8], right: &[u8]) -> Ordering {
    let bare =
        |digits: &[u8]| -> Vec<u8> { digits.iter().copied().skip_while(|digit| *digit == b'0').collect() };
    let (left, right) = (bare(left), bare(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(&right))
}

/// A tilde sorts before the end, the end before letters, letters before all else.
fn by_word(left: &[u8], right: &[u8]) -> Ordering {
    let weight = |word: &[u8], at: usize| match word.get(at) {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    };
    let orders = (0..left.len().max(right.len())).map(|at| weight(left, at).cmp(&weight(right, at)));
    orders.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::compare_versions;
    use std::cmp::Ordering::{Equal, Less};

    #[test]
    fn versions_sort_as_dpkg_sorts_them() {
        let rising =
            ["1.0~beta1~svn1245", "1.0~beta1", "1.0", "1.0-1", "1.0-1ubuntu2", "1.0-10", "1.0a", "1.0+b1"];
        for pair in rising.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1]), Less, "{pair:?}");
        }
        for (left, right) in
            [("1.9.10", "1:0.1"), ("2.9", "2.10"), ("1.2-3~bpo12+1", "1.2-3"), ("1-2", "1-2-1")]
        {
            assert_eq!(compare_versions(left, right), Less, "{left} {right}");
        }
        for (left, right) in [("0:1.0", "1.0"), ("1.0-0", "1.0"), ("1.007", "1.7")] {
            assert_eq!(compare_versions(left, right), Equal, "{left} {right}");
        }
    }
}
