//! Maintenance windows: when corrections may happen. Pure; times are UTC, as everywhere.

use std::fmt;

/// Minutes of a week.
const WEEK: u64 = 7 * DAY;
const DAY: u64 = 24 * 60;

/// Names of days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Stretches of the week, such as `Mon-Fri 02:00-04:00`; always open where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows(Vec<Window>);

/// One stretch: on these days, from a minute of the day to another, which may be the next day's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    days: [bool; 7],
    from: u64,
    length: u64,
}

impl Window {
    /// Reads `Mon-Fri 02:00-04:00`, `Sat,Sun 00:00-24:00` or `22:00-02:00`, which is every day's, into the next.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (days, times) = match text.trim().rsplit_once(' ') {
            Some((days, times)) => (days_of(days.trim())?, times),
            None => ([true; 7], text.trim()),
        };
        let (from, to) = times.split_once('-').ok_or_else(|| format!("`{times}` is no stretch of time"))?;
        let (from, to) = (minute(from)?, minute(to)?);
        if from == to || from == DAY {
            return Err(format!("`{times}` lasts no time"));
        }
        Ok(Self { days, from, length: (to + DAY - from - 1) % DAY + 1 })
    }

    fn is_open(&self, minute: u64) -> bool {
        (0..7).filter(|day| self.days[*day as usize]).any(|day| {
            let begin = day * DAY + self.from;
            (minute + WEEK - begin) % WEEK < self.length
        })
    }
}

impl Windows {
    /// These; none means always.
    pub fn new(windows: Vec<Window>) -> Self {
        Self(windows)
    }

    /// True where corrections may happen at this time, in seconds since 1970.
    pub fn is_open(&self, now: u64) -> bool {
        self.0.is_empty() || self.0.iter().any(|window| window.is_open(minute_of_week(now)))
    }

    /// When they may again, in seconds since 1970; `None` where they may now.
    pub fn opens(&self, now: u64) -> Option<u64> {
        if self.is_open(now) {
            return None;
        }
        let begin = now - now % 60;
        (1..=WEEK).map(|minutes| begin + minutes * 60).find(|time| self.is_open(*time))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = DAYS.iter().zip(self.days).filter(|it| it.1).map(|it| *it.0).collect();
        let end = (self.from + self.length) % DAY;
        let clock = |minute: u64| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{} {}-{}", days.join(","), clock(self.from), clock(end))
    }
}

/// 1970 began on a Thursday.
fn minute_of_week(seconds: u64) -> u64 {
    (seconds / 60 + 3 * DAY) % WEEK
}

fn days_of(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut at = first;
        days[at] = true;
        while at != last {
            at = (at + 1) % 7;
            days[at] = true;
        }
    }
    Ok(days)
}

fn day(text: &str) -> Result<usize, String> {
    let found = DAYS.iter().position(|day| text.trim().eq_ignore_ascii_case(day));
    found.ok_or_else(|| format!("`{}` is no day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun", text.trim()))
}

fn minute(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{}` is no time of day: write 02:00", text.trim());
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| match text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit()) {
        true => text.parse::<u64>().map_err(|_| wrong()),
        false => Err(wrong()),
    };
    match (number(hours)?, number(minutes)?) {
        (24, 0) => Ok(DAY),
        (hours @ 0..24, minutes @ 0..60) => Ok(hours * 60 + minutes),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY, Window, Windows};

    /// Seconds since 1970 of a minute of the day in the week that began on Monday, 2026-11-16.
    fn at(day: u64, hours: u64, minutes: u64) -> u64 {
        1_794_787_200 + (day * DAY + hours * 60 + minutes) * 60
    }

    fn windows(texts: &[&str]) -> Windows {
        Windows::new(texts.iter().map(|text| Window::parse(text).unwrap()).collect())
    }

    #[test]
    fn a_time_is_in_a_window_or_not() {
        for (texts, time, is_open) in [
            (&[][..], at(0, 0, 0), true),
            (&["Mon-Fri 02:00-04:00"], at(0, 1, 59), false),
            (&["Mon-Fri 02:00-04:00"], at(0, 2, 0), true),
            (&["Mon-Fri 02:00-04:00"], at(4, 3, 59), true),
            (&["Mon-Fri 02:00-04:00"], at(0, 4, 0), false),
            (&["Mon-Fri 02:00-04:00"], at(5, 3, 0), false),
            (&["Mon-Fri 02:00-04:00", "sat 12:00-13:00"], at(5, 12, 30), true),
            (&["Sun 22:00-02:00"], at(6, 23, 0), true),
            (&["Sun 22:00-02:00"], at(0, 1, 59), true),
            (&["Sun 22:00-02:00"], at(0, 2, 0), false),
            (&["22:00-02:00"], at(3, 1, 0), true),
            (&["Sat,Sun 00:00-24:00"], at(6, 23, 59), true),
            (&["Fri-Mon 10:00-11:00"], at(0, 10, 0), true),
            (&["Fri-Mon 10:00-11:00"], at(1, 10, 0), false),
        ] {
            assert_eq!(windows(texts).is_open(time), is_open, "{texts:?} {time}");
        }
    }

    #[test]
    fn it_is_known_when_the_next_one_opens() {
        let nights = windows(&["Mon-Fri 02:00-04:00"]);
        assert_eq!(nights.opens(at(0, 3, 0)), None);
        assert_eq!(nights.opens(at(0, 4, 0) + 30), Some(at(1, 2, 0)));
        assert_eq!(nights.opens(at(4, 5, 0)), Some(at(7, 2, 0)));
    }

    #[test]
    fn what_is_no_window_is_told_why() {
        for (text, why) in [
            ("Mon", "`Mon` is no stretch of time"),
            ("Mo 02:00-04:00", "`Mo` is no day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun"),
            ("Mon 2:00-04:00", "`2:00` is no time of day: write 02:00"),
            ("Mon 02:00-24:01", "`24:01` is no time of day: write 02:00"),
            ("02:00-02:00", "`02:00-02:00` lasts no time"),
        ] {
            assert_eq!(Window::parse(text), Err(why.to_owned()), "{text}");
        }
        assert_eq!(Window::parse("Sat-Sun 22:00-02:00").unwrap().to_string(), "sat,sun 22:00-02:00");
    }
}
