//! The journal of the host, by its own protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL>): a datagram of fields, so that
//! `journalctl EVENKEEL_EVENT=drift` finds what it says. Where there is no journal, syslog's socket (RFC 3164) gets the line.

use super::{Reporter, Told, What};
use crate::status::Status;
use model::Failure;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";

/// So long is waited for a journal that takes nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// More is cut off: a datagram has its bounds.
const MOST: usize = 16 << 10;

/// The journal of this host.
pub struct Journald;

impl Reporter for Journald {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn tell(&mut self, told: &Told, _: &Status) -> Result<(), Failure> {
        let sent = if Path::new(JOURNAL).exists() {
            send(&fields(told), Path::new(JOURNAL))
        } else {
            // Facility daemon, as of RFC 3164.
            let line = format!("<{}>keel-agent: {}", 3 * 8 + priority(&told.what), message(&told.what));
            send(line.as_bytes(), Path::new(SYSLOG))
        };
        sent.map_err(|error| Failure::io("tell", "the journal", error))
    }
}

/// To somebody who may hang: the agent has other things to do.
fn send(bytes: &[u8], to: &Path) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to(bytes, to).map(drop)
}

fn fields(told: &Told) -> Vec<u8> {
    let mut bytes = Vec::new();
    let event = serde_json::to_value(&told.what).ok();
    let text = |key: &str| event.as_ref().and_then(|event| event.get(key)?.as_str().map(str::to_owned));
    let changes = event.as_ref().and_then(|event| {
        let lines = event.get("changes")?.as_array()?.iter().filter_map(|line| line.as_str());
        Some(lines.collect::<Vec<_>>().join("\n"))
    });
    for (name, value) in [
        ("MESSAGE", Some(message(&told.what))),
        ("PRIORITY", Some(priority(&told.what).to_string())),
        ("SYSLOG_IDENTIFIER", Some("keel-agent".to_owned())),
        ("EVENKEEL_EVENT", text("event")),
        ("EVENKEEL_RESOURCE", text("id")),
        ("EVENKEEL_BECAUSE", text("because")),
        ("EVENKEEL_RUN", text("run")),
        ("EVENKEEL_CHANGES", changes),
        ("EVENKEEL_CATALOG", told.catalog.clone()),
    ] {
        if let Some(value) = value {
            field(&mut bytes, name, &value);
        }
    }
    bytes
}

/// A name, a line break, the length in eight bytes from the least one on, the value, a line break: any value may stand so.
fn field(bytes: &mut Vec<u8>, name: &str, value: &str) {
    let mut end = value.len().min(MOST);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(&(end as u64).to_le_bytes());
    bytes.extend_from_slice(&value.as_bytes()[..end]);
    bytes.push(b'\n');
}

/// As of syslog(3).
pub fn priority(what: &What) -> u8 {
    match what {
        What::Failed { .. } | What::NoCatalog { .. } => 3,
        What::Drift { .. } | What::Fight { .. } | What::Unwatched { .. } | What::Held { .. } => 4,
        What::Refused { .. } => 4,
        What::Corrected { .. } | What::Paused { .. } | What::Resumed | What::Even { .. } => 5,
        What::Looked { .. } => 7,
        _ => 6,
    }
}

/// One line for people.
pub fn message(what: &What) -> String {
    match what {
        What::Started { source } => format!("keeps this host even: {source}"),
        What::Stopped => "stops".to_owned(),
        What::Catalog { resources, .. } => format!("a new catalog: {resources} resources"),
        What::NoCatalog { why } => {
            format!("there is no new catalog: {}", why.lines().next().unwrap_or_default())
        }
        What::Bundle { bundle } => {
            format!(
                "in force: the bundle with the counter {} of `{}`, signed by {}",
                bundle.counter, bundle.site, bundle.signer
            )
        }
        What::Refused { why, counter } => match counter {
            Some(counter) => format!("{why}; the bundle with the counter {counter} stays in force"),
            None => why.clone(),
        },
        What::Looked { report, millis, .. } => format!(
            "looked: {} changed, {} even, {} failed, {millis} ms",
            report.changed,
            report.unchanged,
            report.failed + report.unknown
        ),
        What::Drift { id, changes, left } => {
            format!("{id} drifted and is left, {left}: {}", changes.join("; "))
        }
        What::Corrected { id, because, changes, .. } => match because {
            model::Because::Drift => {
                format!("{id} drifted and was corrected: {}", changes.join("; "))
            }
            _ => format!("{id} was changed: {}", changes.join("; ")),
        },
        What::Held { id, left } => format!("{id} waits: {left}"),
        What::Failed { id, why } => format!("{id} failed: {why}"),
        What::Even { id } => format!("{id} is even again"),
        What::Fight { id, corrections, until, other } => {
            format!("{id} was corrected {corrections} times and is left alone until {until}: {other}")
        }
        What::FightOver { id } => format!("nobody fights over {id} any more"),
        What::Paused { words } => words.clone(),
        What::Resumed => "goes on".to_owned(),
        What::Unwatched { what, why } => format!("not watched, {what}: {why}"),
        What::Note { text } => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{fields, send};
    use crate::report::{Told, What};
    use model::Id;
    use std::os::unix::net::UnixDatagram;
    use std::time::{Duration, Instant};

    #[test]
    fn a_journal_that_hangs_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let _hangs = UnixDatagram::bind(&path).unwrap();
        let began = Instant::now();
        while send(b"x", &path).is_ok() {}
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn fields_are_as_the_journal_takes_them() {
        let what = What::Drift { id: Id::new("file", "/a"), changes: vec!["x\ny".into()], left: "z".into() };
        let told = Told { at: String::new(), host: "h".into(), catalog: Some("abc".into()), what };
        let bytes = fields(&told);
        let has = |name: &str, value: &str| {
            let field =
                [name.as_bytes(), b"\n", &(value.len() as u64).to_le_bytes(), value.as_bytes(), b"\n"]
                    .concat();
            assert!(bytes.windows(field.len()).any(|window| window == field), "{name}");
        };
        has("MESSAGE", "file./a drifted and is left, z: x\ny");
        has("PRIORITY", "4");
        has("EVENKEEL_EVENT", "drift");
        has("EVENKEEL_RESOURCE", "file./a");
        has("EVENKEEL_CHANGES", "x\ny");
        has("EVENKEEL_CATALOG", "abc");
    }
}
