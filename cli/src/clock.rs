//! The time, at the edge: everything further in gets it as an argument.

/// Now, RFC 3339 in UTC, to the millisecond.
pub fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// Now, in seconds since 1970.
pub fn seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}
