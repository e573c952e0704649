//! Lengths of time as people write them.

/// Reads `30s`, `10m`, `1h` or `7d` as seconds; `None` where it is none, or lasts no time.
pub fn parse(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    let is_number = number.bytes().all(|digit| digit.is_ascii_digit());
    let seconds = number.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(factor)?;
    Some(seconds).filter(|seconds| (1..=MOST).contains(seconds))
}

/// Ten years: more than anybody means, and little enough to count with.
const MOST: u64 = 10 * 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_have_a_unit() {
        let good = ["30s", "2m", "1h", "7d"].map(parse);
        assert_eq!(good, [Some(30), Some(120), Some(3600), Some(604_800)]);
        assert!(
            ["", "s", "5", "-1s", "+1s", "0s", "1w", "1.5h", "9é", "99999999d"]
                .iter()
                .all(|it| parse(it).is_none())
        );
    }
}
