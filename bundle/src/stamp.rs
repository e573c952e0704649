//! Times as allowed_signers has them (ssh-keygen(1), ALLOWED SIGNERS): `YYYYMMDD` or `YYYYMMDDHHMM[SS]`, followed by a `Z` for UTC. Without
//! one they would be of a zone that each machine knows differently, so here it has to be there.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Seconds since 1970.
///
/// # Errors
/// What is wrong with it, and what to write.
pub fn parse(text: &str) -> Result<i64, String> {
    let Some(digits) = text.strip_suffix(['Z', 'z']) else {
        return Err(format!("the time `{text}` has no zone: write {text}Z, which is UTC"));
    };
    let wrong = || format!("`{text}` is no time: write 20270131Z, or 202701311530Z");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong());
    }
    let number = |from: usize, count: usize| match digits.get(from..from + count) {
        None => Some(0),
        Some(digits) => digits.parse::<i16>().ok(),
    };
    let part = |from| number(from, 2).and_then(|number| i8::try_from(number).ok());
    let parsed = || {
        let (month, day, hour, minute, second) = (part(4)?, part(6)?, part(8)?, part(10)?, part(12)?);
        let time = DateTime::new(number(0, 4)?, month, day, hour, minute, second, 0).ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
    };
    parsed().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_read() {
        // date -u -d '2027-01-31 15:30:59' +%s
        for (text, second) in [
            ("20270131Z", 1_801_353_600),
            ("202701311530Z", 1_801_409_400),
            ("20270131153059Z", 1_801_409_459),
        ] {
            assert_eq!(parse(text), Ok(second), "{text}");
        }
        for bad in ["20270131", "2027013Z", "20271331Z", "20270230Z", "2027013115Z", "+0270131Z", "Z", "äää"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
