//! What the journal says: who became root with a command that names the thing, who was logged in when it was changed, what the tools of
//! accounts and the service manager did to it. Of a command its program alone is told: what follows may be anybody's secret.

use super::find::Found;
use crate::os::capture::Cap;
use crate::os::child::Child;
use model::{About, Failure, Thing};
use serde::Deserialize;
use std::time::Duration;

/// Whose entries are asked for, by the name of the program.
const PROGRAMS: [&str; 11] = [
    "sudo",
    "sshd",
    "sshd-session",
    "login",
    "useradd",
    "usermod",
    "userdel",
    "groupadd",
    "groupmod",
    "groupdel",
    "passwd",
];

/// Without a time at which it was known to be good the journal is asked from so many seconds before the change.
const BEFORE: i64 = 3600;

/// A login longer ago than this, in seconds before the change, is not looked for.
const LONGEST: i64 = 24 * 3600;

/// Most entries that are read, the newest.
const MOST: usize = 5000;

/// Of them so much is read, in bytes.
const ROOM: Cap = Cap { head: 4 << 20, tail: 0 };

/// An entry, as `journalctl -o json` has it (systemd.journal-fields(7)).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    micros: String,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    program: String,
    #[serde(rename = "_PID")]
    pid: String,
    #[serde(rename = "UNIT")]
    unit: String,
    /// A list of bytes where it is no text.
    #[serde(rename = "MESSAGE")]
    message: serde_json::Value,
}

impl Entry {
    fn at(&self) -> i64 {
        self.micros.parse::<i64>().map_or(0, |micros| micros / 1_000_000)
    }

    fn text(&self) -> &str {
        self.message.as_str().unwrap_or_default()
    }
}

/// Asks it once for all of them.
pub(super) fn find(found: &mut [Found]) -> Result<(), Failure> {
    let since = found.iter().filter_map(since).min();
    let Some(since) = since else { return Ok(()) };
    let mut argv = ["journalctl", "-q", "--no-pager", "--reverse", "-o", "json"].map(str::to_owned).to_vec();
    argv.push(format!("--lines={MOST}"));
    argv.push("--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_PID,UNIT".to_owned());
    argv.push(format!("--since=@{}", since - LONGEST));
    argv.extend(PROGRAMS.map(|program| format!("SYSLOG_IDENTIFIER={program}")));
    for unit in found.iter().flat_map(units) {
        argv.extend(["+".to_owned(), "_PID=1".to_owned(), format!("UNIT={unit}")]);
    }
    let call = Child { timeout: Duration::from_secs(20), cap: ROOM, ..Child::new(argv) };
    let output = call.run()?;
    if !output.status.success() {
        return Err(Failure::unknown("what it says", output.stderr.last_words()));
    }
    let mut entries = entries(output.stdout.beginning());
    entries.reverse();
    found.iter_mut().for_each(|one| tell(one, &entries));
    if output.stdout.dropped() > 0 || entries.len() >= MOST {
        return Err(Failure::unknown("all of it", "there is more than was read, which was the newest of it"));
    }
    Ok(())
}

/// Lines that are no entry, as the last one of an output that was cut off, say nothing.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn since(one: &Found) -> Option<i64> {
    let (good, changed) = one.span();
    good.or(changed.map(|at| at - BEFORE))
}

fn units(one: &Found) -> impl Iterator<Item = &str> {
    one.things.iter().filter_map(|thing| match thing {
        Thing::Unit(name) => Some(name.as_str()),
        _ => None,
    })
}

fn tell(one: &mut Found, entries: &[Entry]) {
    let Some(since) = since(one) else { return };
    let (_, changed) = one.span();
    for entry in entries.iter().filter(|entry| entry.at() > since) {
        let from = format!("the journal, {}", if entry.unit.is_empty() { &entry.program } else { "systemd" });
        if units(one).any(|unit| unit == entry.unit) {
            one.tell(About::When, Some(entry.at()), (from, printable(entry.text())));
        } else if let Some(says) = names_it(one, entry) {
            one.tell(About::Who, Some(entry.at()), (from, says));
        }
    }
    let Some(changed) = changed.filter(|_| one.paths().next().is_some()) else { return };
    for (at, program, says) in logins(entries, changed) {
        one.tell(About::There, Some(at), (format!("the journal, {program}"), says));
    }
}

/// What an entry says that names the thing.
fn names_it(one: &Found, entry: &Entry) -> Option<String> {
    let text = entry.text();
    let word = |name: &str| {
        text.split(|it: char| !(it.is_alphanumeric() || "_-.@".contains(it))).any(|word| word == name)
    };
    match entry.program.as_str() {
        "sudo" => {
            let (who, rest) = text.trim_start().split_once(" : ")?;
            let (_, command) = rest.split_once("COMMAND=")?;
            let names = |path: &std::path::Path| {
                let file = path.file_name().and_then(|name| name.to_str());
                let dir = path.parent().map(|dir| format!("PWD={} ;", dir.display()));
                command.split(' ').any(|word| std::path::Path::new(word) == path)
                    || dir.is_some_and(|dir| rest.contains(&dir))
                        && file.is_some_and(|file| command.split(' ').any(|word| word == file))
            };
            let thing = |thing: &Thing| match thing {
                Thing::Path(path) => names(path.as_path()),
                Thing::Unit(name) => [name.as_str(), name.strip_suffix(".service").unwrap_or(name)]
                    .iter()
                    .any(|name| word(name)),
                Thing::Package(name) | Thing::User(name) | Thing::Group(name) => word(name),
                Thing::UnitFile(_) => false,
            };
            let program = command.split(' ').next().unwrap_or_default();
            one.things
                .iter()
                .any(thing)
                .then(|| format!("{} ran {} with it", printable(who), printable(program)))
        }
        "sshd" | "sshd-session" | "login" => None,
        _ => {
            let account =
                |thing: &Thing| matches!(thing, Thing::User(name) | Thing::Group(name) if word(name));
            one.things.iter().any(account).then(|| printable(text))
        }
    }
}

/// Who was logged in at that time, by the words of pam_unix(8): when they came, by what, and who they are.
fn logins(entries: &[Entry], at: i64) -> Vec<(i64, String, String)> {
    let is_login = |entry: &&Entry| ["sshd", "sshd-session", "login"].contains(&entry.program.as_str());
    let mut open: Vec<(&Entry, String)> = Vec::new();
    for entry in entries.iter().filter(is_login).filter(|entry| entry.at() <= at) {
        let text = entry.text();
        if let Some((_, rest)) = text.split_once("session opened for user ") {
            let user = rest.split(['(', ' ']).next().unwrap_or_default();
            let accepted = entries.iter().rev().find(|other| {
                other.pid == entry.pid && other.at() <= entry.at() && other.text().starts_with("Accepted ")
            });
            let how = accepted
                .and_then(|entry| entry.text().split_once(" from "))
                .map(|(_, from)| format!(" from {}", printable(from)));
            open.push((entry, format!("{} was logged in{}", printable(user), how.unwrap_or_default())));
        } else if text.contains("session closed for user ") {
            open.retain(|(opened, _)| opened.pid != entry.pid);
        }
    }
    open.into_iter().map(|(entry, says)| (entry.at(), entry.program.clone(), says)).collect()
}

fn printable(text: &str) -> String {
    text.trim().chars().map(|it| if it.is_control() { ' ' } else { it }).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::{Found, entries, tell};
    use model::{About, HostPath, Id, Thing};

    /// As journalctl 252 writes them, without the fields that are not read.
    const ENTRIES: &str = r#"{"__REALTIME_TIMESTAMP":"1000000000","SYSLOG_IDENTIFIER":"sshd","_PID":"7","MESSAGE":"Accepted publickey for ann from 10.0.0.9 port 4242 ssh2: ED25519 SHA256:abc"}
{"__REALTIME_TIMESTAMP":"1000000000","SYSLOG_IDENTIFIER":"sshd","_PID":"7","MESSAGE":"pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)"}
{"__REALTIME_TIMESTAMP":"1001000000","SYSLOG_IDENTIFIER":"sshd","_PID":"8","MESSAGE":"pam_unix(sshd:session): session opened for user bob(uid=1001) by (uid=0)"}
{"__REALTIME_TIMESTAMP":"1002000000","SYSLOG_IDENTIFIER":"sshd","_PID":"8","MESSAGE":"pam_unix(sshd:session): session closed for user bob"}
{"__REALTIME_TIMESTAMP":"1003000000","SYSLOG_IDENTIFIER":"sudo","_PID":"9","MESSAGE":"     ann : TTY=pts/0 ; PWD=/etc ; USER=root ; COMMAND=/usr/bin/tee motd hunter2"}
{"__REALTIME_TIMESTAMP":"1003000000","SYSLOG_IDENTIFIER":"sudo","_PID":"9","MESSAGE":"     ann : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/tee motd"}
{"__REALTIME_TIMESTAMP":"1004000000","SYSLOG_IDENTIFIER":"usermod","_PID":"10","MESSAGE":"change user 'deploy' shell from '/bin/sh' to '/bin/bash'"}
{"__REALTIME_TIMESTAMP":"1005000000","SYSLOG_IDENTIFIER":"systemd","_PID":"1","UNIT":"cron.service","MESSAGE":"Stopped cron.service."}
{"__REALTIME_TIMESTAMP":"10"#;

    /// What is told of a thing that was good at 900, and changed at `changed`.
    fn told(thing: Thing, changed: Option<i64>) -> Vec<(About, String, String)> {
        let mut one = Found::new(Id::new("file", "x"), vec![thing]);
        one.tell(About::Good, Some(900), (String::new(), String::new()));
        one.tell(About::When, changed, (String::new(), String::new()));
        tell(&mut one, &entries(ENTRIES.as_bytes()));
        let traces = one.traces.into_iter().filter(|trace| !trace.from.is_empty());
        traces.map(|trace| (trace.about, trace.from, trace.says)).collect()
    }

    #[test]
    fn who_named_a_file_and_who_was_there_is_told_and_no_more() {
        let motd = Thing::Path(HostPath::new("/etc/motd").unwrap());
        let text = |text: &str| text.to_owned();
        let there = (
            About::There,
            text("the journal, sshd"),
            text("ann was logged in from 10.0.0.9 port 4242 ssh2: ED25519 SHA256:abc"),
        );
        let who = (About::Who, text("the journal, sudo"), text("ann ran /usr/bin/tee with it"));
        assert_eq!(told(motd, Some(1003)), [there, who]);
        let other = Thing::Path(HostPath::new("/etc/issue").unwrap());
        assert_eq!(told(other, Some(999)), [], "nobody was there, and nobody named it");
    }

    #[test]
    fn what_happened_to_accounts_and_units_is_quoted() {
        let told = |thing| {
            told(thing, None)
                .into_iter()
                .map(|(about, from, says)| format!("{about:?} {from}: {says}"))
                .collect::<Vec<_>>()
        };
        let changed = "Who the journal, usermod: change user 'deploy' shell from '/bin/sh' to '/bin/bash'";
        assert_eq!(told(Thing::User("deploy".into())), [changed]);
        assert_eq!(
            told(Thing::Unit("cron.service".into())),
            ["When the journal, systemd: Stopped cron.service."]
        );
        assert!(told(Thing::User("deplo".into())).is_empty());
    }
}
