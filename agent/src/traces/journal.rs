//! What the journal says: who became root with a command that names the thing, who was logged in when it was changed, what the tools of
//! accounts and the service manager did to it. Of a command its program alone is told: what follows may be anybody's secret.
//!
//! Anybody may write to the journal under any name (logger(1), `-t`). So what an entry says of itself finds it, and nothing more: it counts by the
//! fields that journald adds (systemd.journal-fields(7), "Trusted Journal Fields").

use super::find::Found;
use super::stamp::latest;
use crate::os::capture::Cap;
use crate::os::child::Child;
use crate::system::Accounts;
use jiff::{SignedDuration, Timestamp};
use model::{About, Failure, Thing};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Whose entries are asked for, by the name of the program.
const PROGRAMS: [&str; 11] = [
    "sudo", LOGINS[0], LOGINS[1], LOGINS[2], "useradd", "usermod", "userdel", "groupadd", "groupmod",
    "groupdel", "passwd",
];

/// Those of them by which people come in.
const LOGINS: [&str; 3] = ["sshd", "sshd-session", "login"];

/// Without a time at which it was known to be good the journal is asked from so long before the change.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// A login longer ago than this, in seconds before the change, is not looked for.
const LONGEST: i64 = 24 * 3600;

/// Most entries that are read, the newest.
const MOST: usize = 5000;

/// Of them so much is read, in bytes.
const ROOM: Cap = Cap { head: 4 << 20, tail: 0 };

/// What is read of each.
const FIELDS: &str = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_EXE,UNIT,_SOURCE_REALTIME_TIMESTAMP";

/// An entry, as `journalctl -o json` has it (systemd.journal-fields(7)).
#[derive(Debug)]
struct Entry {
    at: Timestamp,
    program: String,
    pid: String,
    unit: String,
    message: String,
    /// As whom it was said, by the kernel.
    uid: Option<u32>,
    /// Which program said it, by the kernel; `None` where that had ended before it was looked at.
    exe: Option<String>,
}

impl Entry {
    /// `None` for what is none, or does not say when or what.
    fn of(line: &[u8]) -> Option<Self> {
        let fields: BTreeMap<String, Value> = serde_json::from_slice(line).ok()?;
        let field = |name: &str| fields.get(name).and_then(text);
        // When it was said, which may be a while before it was taken down.
        let micros = field("_SOURCE_REALTIME_TIMESTAMP").or_else(|| field("__REALTIME_TIMESTAMP"))?;
        Some(Self {
            at: Timestamp::from_microsecond(micros.parse().ok()?).ok()?,
            program: field("SYSLOG_IDENTIFIER").unwrap_or_default(),
            pid: field("_PID").unwrap_or_default(),
            unit: field("UNIT").unwrap_or_default(),
            message: field("MESSAGE")?,
            uid: field("_UID").and_then(|uid| uid.parse().ok()),
            exe: field("_EXE"),
        })
    }

    /// True where the program said it whose name it has. One that tells of people is there for longer than it takes to look at it; a tool of
    /// accounts may have ended.
    fn is_genuine(&self) -> bool {
        let Some(exe) = &self.exe else { return self.program != "sudo" && !self.is_of_login() };
        // So the kernel has it where the program was replaced meanwhile.
        let exe = exe.strip_suffix(" (deleted)").unwrap_or(exe);
        exe.rsplit('/').next() == Some(self.program.as_str())
    }

    /// True where whoever said it may say that of `who`: root of anybody, anybody else of himself. Who has no account in the files is not
    /// contradicted by them.
    fn may_tell_of(&self, who: &str, accounts: &Accounts) -> bool {
        let Some(uid) = self.uid else { return false };
        uid == 0
            || match accounts.users.get(who) {
                Some(user) => user.uid == uid,
                None => accounts.users.values().all(|user| user.uid != uid),
            }
    }

    fn is_of_login(&self) -> bool {
        LOGINS.contains(&self.program.as_str())
    }

    /// True where the service manager itself said it.
    fn is_of_manager(&self) -> bool {
        self.pid == "1" && self.uid == Some(0)
    }
}

/// A value (<https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format>): a list of bytes where it is no text, a list of values where
/// the field stands there several times, `null` where it is too long.
fn text(value: &Value) -> Option<String> {
    let Value::Array(items) = value else { return value.as_str().map(str::to_owned) };
    let byte = |item: &Value| item.as_u64().and_then(|byte| u8::try_from(byte).ok());
    match items.iter().map(byte).collect::<Option<Vec<u8>>>() {
        Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        None => text(items.first()?),
    }
}

/// Asks it once for all of them.
pub(super) fn find(found: &mut [Found], accounts: &Accounts) -> Result<(), Failure> {
    let since = found.iter().filter_map(since).min();
    let Some(since) = since else { return Ok(()) };
    let mut argv = ["journalctl", "-q", "--no-pager", "--reverse", "-o", "json"].map(str::to_owned).to_vec();
    argv.push(format!("--lines={MOST}"));
    argv.push(format!("--output-fields={FIELDS}"));
    argv.push(format!("--since=@{}", since.as_second() - LONGEST));
    argv.extend(PROGRAMS.map(|program| format!("SYSLOG_IDENTIFIER={program}")));
    for unit in found.iter().flat_map(units) {
        argv.extend(["+".to_owned(), "_PID=1".to_owned(), format!("UNIT={unit}")]);
    }
    let call = Child { timeout: Duration::from_secs(20), cap: ROOM, ..Child::new(argv) };
    let output = call.run()?;
    if !output.status.success() {
        return Err(Failure::unknown("what it says", output.stderr.last_words()));
    }
    let is_cut = output.stdout.dropped() > 0;
    let (entries, unreadable) = entries(output.stdout.beginning(), is_cut);
    found.iter_mut().for_each(|one| tell(one, (&entries, unreadable), accounts));
    if is_cut || entries.len() + unreadable >= MOST {
        return Err(Failure::unknown("all of it", "there is more than was read, which was the newest of it"));
    }
    Ok(())
}

/// The entries, the oldest first, and how many there are that cannot be read. The last line of an output that was cut off is none.
fn entries(bytes: &[u8], is_cut: bool) -> (Vec<Entry>, usize) {
    let whole = if is_cut { bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0) } else { bytes.len() };
    let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    let all: Vec<Option<Entry>> = lines.filter(|line| !line.is_empty()).map(Entry::of).collect();
    let count = all.len();
    let mut entries: Vec<Entry> = all.into_iter().flatten().collect();
    let unreadable = count - entries.len();
    entries.reverse();
    entries.sort_by_key(|entry| entry.at);
    (entries, unreadable)
}

fn since(one: &Found) -> Option<Timestamp> {
    let (good, changed) = one.span();
    good.or(changed.map(|at| at.checked_sub(BEFORE).unwrap_or(at)))
}

fn units(one: &Found) -> impl Iterator<Item = &str> {
    one.things.iter().filter_map(|thing| match thing {
        Thing::Unit(name) => Some(name.as_str()),
        _ => None,
    })
}

fn tell(one: &mut Found, (entries, unreadable): (&[Entry], usize), accounts: &Accounts) {
    let Some(since) = since(one) else { return };
    if unreadable > 0 {
        let entries = if unreadable == 1 { "entry" } else { "entries" };
        let says = format!("{unreadable} {entries} of it could not be read");
        one.tell(About::Unknown, None, ("the journal".to_owned(), says));
    }
    let (_, changed) = one.span();
    for entry in entries.iter().filter(|entry| entry.at > latest(since)) {
        if entry.is_of_manager() {
            if units(one).any(|unit| unit == entry.unit) {
                let from = "the journal, systemd".to_owned();
                one.tell(About::When, Some(entry.at), (from, printable(&entry.message)));
            }
        } else if let Some(says) =
            names_it(one, entry, accounts).filter(|_| !is_too_late(one, changed, entry))
        {
            one.tell(About::Who, Some(entry.at), (format!("the journal, {}", entry.program), says));
        }
    }
    let Some(changed) = changed.filter(|_| one.paths().next().is_some()) else { return };
    for (at, program, says) in logins(entries, changed) {
        one.tell(About::There, Some(at), (format!("the journal, {program}"), says));
    }
}

/// True for a command that began after a file was changed last. Of a directory's own stamp that says nothing: it is not that of what lies in it.
fn is_too_late(one: &Found, changed: Option<Timestamp>, entry: &Entry) -> bool {
    ["file", "line", "symlink"].contains(&one.id.kind()) && changed.is_some_and(|at| entry.at > latest(at))
}

/// What an entry says that names the thing, and that it may say.
fn names_it(one: &Found, entry: &Entry, accounts: &Accounts) -> Option<String> {
    let text = Some(entry.message.as_str()).filter(|_| entry.is_genuine())?;
    let has = |text: &str, name: &str| {
        text.split(|it: char| !(it.is_alphanumeric() || "_-.@".contains(it))).any(|word| word == name)
    };
    match entry.program.as_str() {
        "sudo" => {
            let (who, rest) = text.trim_start().split_once(" : ")?;
            // Of what was refused it says first why (sudoers(5), "LOG FORMAT"): that was not run.
            let was_run = |(key, _): (&str, &str)| key.bytes().all(|it| it.is_ascii_uppercase());
            if !rest.split_once('=').is_some_and(was_run) || !entry.may_tell_of(who, accounts) {
                return None;
            }
            let (_, command) = rest.split_once("COMMAND=")?;
            let names = |path: &std::path::Path| {
                let file = path.file_name().and_then(|name| name.to_str());
                let dir = path.parent().map(|dir| format!("PWD={} ;", dir.display()));
                command.split(' ').any(|word| std::path::Path::new(word) == path)
                    || dir.is_some_and(|dir| rest.contains(&dir))
                        && file.is_some_and(|file| command.split(' ').any(|word| word == file))
            };
            let thing = |thing: &Thing| match thing {
                Thing::Path(path) | Thing::Mount(path) => names(path.as_path()),
                Thing::Unit(name) => [name.as_str(), name.strip_suffix(".service").unwrap_or(name)]
                    .iter()
                    .any(|name| has(command, name)),
                Thing::Package(name) | Thing::User(name) | Thing::Group(name) => has(command, name),
                Thing::UnitFile(_) => false,
            };
            let program = command.split(' ').next().unwrap_or_default();
            one.things
                .iter()
                .any(thing)
                .then(|| format!("{} ran {} with it", printable(who), printable(program)))
        }
        _ if entry.is_of_login() => None,
        _ => {
            let account = |thing: &Thing| match thing {
                Thing::User(name) | Thing::Group(name) => {
                    has(text, name) && entry.may_tell_of(name, accounts)
                }
                _ => false,
            };
            one.things.iter().any(account).then(|| printable(text))
        }
    }
}

/// Who was logged in at that time, by the words of pam_unix(8): when they came, by what, and who they are.
fn logins(entries: &[Entry], changed: Timestamp) -> Vec<(Timestamp, String, String)> {
    let is_login = |entry: &&Entry| entry.is_of_login() && entry.is_genuine() && entry.uid == Some(0);
    let entries: Vec<&Entry> = entries.iter().filter(is_login).collect();
    let mut open: Vec<(&Entry, String)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.at <= latest(changed)) {
        if let Some(user) = session(&entry.message, "opened") {
            let accepted = entries.iter().rev().find(|other| {
                other.pid == entry.pid && other.at <= entry.at && other.message.starts_with("Accepted ")
            });
            let how = accepted
                .and_then(|entry| entry.message.split_once(" from "))
                .map(|(_, from)| format!(" from {}", printable(from)));
            open.push((entry, format!("{} was logged in{}", printable(user), how.unwrap_or_default())));
        } else if session(&entry.message, "closed").is_some() {
            open.retain(|(opened, _)| opened.pid != entry.pid);
        }
    }
    open.into_iter().map(|(entry, says)| (entry.at, entry.program.clone(), says)).collect()
}

/// Whose session was `opened` or `closed`, where an entry says that and no more: what a stranger says at the door is quoted by others.
fn session<'a>(text: &'a str, what: &str) -> Option<&'a str> {
    let (_, rest) = text.strip_prefix("pam_unix(")?.split_once("): session ")?;
    let user = rest.strip_prefix(what)?.strip_prefix(" for user ")?;
    user.split(['(', ' ']).next()
}

fn printable(text: &str) -> String {
    text.trim().chars().map(|it| if it.is_control() { ' ' } else { it }).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::{Found, entries, tell};
    use crate::system::{Accounts, User};
    use jiff::Timestamp;
    use model::{About, HostPath, Id, Thing};

    /// As journalctl 252 writes them, without the fields that are not read.
    const ENTRIES: &str = r#"{"__REALTIME_TIMESTAMP":"1000000000","SYSLOG_IDENTIFIER":"sshd","_UID":"0","_EXE":"/usr/sbin/sshd","_PID":"7","MESSAGE":"Accepted publickey for ann from 10.0.0.9 port 4242 ssh2: ED25519 SHA256:abc"}
{"__REALTIME_TIMESTAMP":"1000000000","SYSLOG_IDENTIFIER":"sshd","_UID":"0","_EXE":"/usr/sbin/sshd","_PID":"7","MESSAGE":"pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)"}
{"__REALTIME_TIMESTAMP":"1001000000","SYSLOG_IDENTIFIER":"sshd","_UID":"0","_EXE":"/usr/sbin/sshd","_PID":"8","MESSAGE":"pam_unix(sshd:session): session opened for user bob(uid=1001) by (uid=0)"}
{"__REALTIME_TIMESTAMP":"1002000000","SYSLOG_IDENTIFIER":"sshd","_UID":"0","_EXE":"/usr/sbin/sshd","_PID":"8","MESSAGE":"pam_unix(sshd:session): session closed for user bob"}
{"__REALTIME_TIMESTAMP":"1003000000","SYSLOG_IDENTIFIER":"sudo","_UID":"1000","_EXE":"/usr/bin/sudo","_PID":"9","MESSAGE":"     ann : TTY=pts/0 ; PWD=/etc ; USER=root ; COMMAND=/usr/bin/tee motd hunter2"}
{"__REALTIME_TIMESTAMP":"1003000000","SYSLOG_IDENTIFIER":"sudo","_UID":"1000","_EXE":"/usr/bin/sudo","_PID":"9","MESSAGE":"     ann : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/tee motd"}
{"__REALTIME_TIMESTAMP":"1004000000","SYSLOG_IDENTIFIER":"usermod","_UID":"0","_EXE":"/usr/sbin/usermod","_PID":"10","MESSAGE":"change user 'deploy' shell from '/bin/sh' to '/bin/bash'"}
{"__REALTIME_TIMESTAMP":"1005000000","SYSLOG_IDENTIFIER":"systemd","_UID":"0","_EXE":"/usr/lib/systemd/systemd","_PID":"1","UNIT":"cron.service","MESSAGE":"Stopped cron.service."}
{"__REALTIME_TIMESTAMP":"10"#;

    /// Ann and Eve are users.
    fn accounts() -> Accounts {
        let text = String::new;
        let user = |uid| User {
            uid,
            gid: uid,
            comment: text(),
            home: text(),
            shell: text(),
            password: None,
            expires: None,
        };
        let users = [("ann", 1000), ("eve", 1001)].map(|(name, uid)| (name.to_owned(), user(uid)));
        Accounts { users: users.into(), ..Accounts::default() }
    }

    /// What is told of a thing that was good at 900, and changed at `changed`.
    fn told(thing: Thing, changed: Option<i64>) -> Vec<(About, String, String)> {
        let time = |micros| Timestamp::from_microsecond(micros).ok();
        told_of(thing, (time(900_000_000), changed.and_then(|at| time(at * 1_000_000))), ENTRIES)
    }

    fn told_of(
        thing: Thing,
        (good, changed): (Option<Timestamp>, Option<Timestamp>),
        text: &str,
    ) -> Vec<(About, String, String)> {
        let mut one = Found::new(Id::new("file", "x"), vec![thing]);
        one.tell(About::Good, good, (String::new(), String::new()));
        one.tell(About::When, changed, (String::new(), String::new()));
        let (entries, unreadable) = entries(text.as_bytes(), true);
        tell(&mut one, (&entries, unreadable), &accounts());
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
        let motd = Thing::Path(HostPath::new("/etc/motd").unwrap());
        assert_eq!(
            told(motd, Some(1000)).len(),
            2,
            "ann and bob were there, and what was run later did not do it"
        );
        let other = Thing::Path(HostPath::new("/etc/issue").unwrap());
        assert_eq!(told(other, Some(998)), [], "nobody was there, and nobody named it");
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

    #[test]
    fn entries_that_cannot_be_read_are_counted_and_bytes_and_lists_are_read() {
        let bytes =
            b"ann : TTY=x ; PWD=/etc ; COMMAND=/bin/t\x07 motd\xff /etc/motd".map(|it| it.to_string());
        let text = [
            format!(
                "{{\"__REALTIME_TIMESTAMP\":\"1000\",\"SYSLOG_IDENTIFIER\":[\"sudo\",\"x\"],\"_UID\":\"0\",\"_EXE\":\"/usr/bin/sudo\",\"MESSAGE\":[{}]}}",
                bytes.join(",")
            ),
            r#"{"__REALTIME_TIMESTAMP":"1000","SYSLOG_IDENTIFIER":"sudo","MESSAGE":null}"#.to_owned(),
            r#"{"SYSLOG_IDENTIFIER":"sudo","MESSAGE":"x"}"#.to_owned(),
            "-- No entries --".to_owned(),
            "{\"__REALTIME_TIMESTAMP\":\"10".to_owned(),
        ];
        let time = |micros| Timestamp::from_microsecond(micros).ok();
        let motd = Thing::Path(HostPath::new("/etc/motd").unwrap());
        let told = told_of(motd, (time(-5_000_000), None), &text.join("\n"));
        let lines: Vec<String> =
            told.into_iter().map(|(about, from, says)| format!("{about:?} {from}: {says}")).collect();
        let unread = "Unknown the journal: 3 entries of it could not be read";
        assert_eq!(lines, [unread, "Who the journal, sudo: ann ran /bin/t  with it"]);
    }

    #[test]
    fn what_was_said_in_the_same_second_counts_by_its_own_time() {
        let entry = |source: &str, taken: &str, shell: &str| {
            format!(
                r#"{{"__REALTIME_TIMESTAMP":"{taken}",{source}"SYSLOG_IDENTIFIER":"usermod","_UID":"0","MESSAGE":"change user 'ann' shell to '{shell}'"}}"#
            )
        };
        let source = r#""_SOURCE_REALTIME_TIMESTAMP":"1000100000","#;
        let text = [entry("", "1000700000", "hers"), entry(source, "1000400000", "the run's"), String::new()];
        let good = Timestamp::from_microsecond(1_000_200_000).ok();
        let told = told_of(Thing::User("ann".into()), (good, None), &text.join("\n"));
        let says: Vec<&str> = told.iter().map(|(_, _, says)| says.as_str()).collect();
        assert_eq!(says, ["change user 'ann' shell to 'hers'"]);
    }

    /// What is told of /etc/motd and of ann, who were good at 900, by one entry of 1000.
    fn told_by(program: &str, fields: &str, message: &str) -> Vec<String> {
        let line = format!(
            r#"{{"__REALTIME_TIMESTAMP":"1000000000","SYSLOG_IDENTIFIER":"{program}",{fields}"MESSAGE":"{message}"}}"#
        );
        let time = |seconds| Timestamp::from_second(seconds).ok();
        let motd = Thing::Path(HostPath::new("/etc/motd").unwrap());
        let told = |thing, changed| told_of(thing, (time(900), changed), &format!("{line}\n"));
        let all = [
            told(motd, time(1001)),
            told(Thing::User("ann".into()), None),
            told(Thing::Unit("a.service".into()), None),
        ];
        all.concat().into_iter().map(|(_, from, says)| format!("{from}: {says}")).collect()
    }

    fn count(cases: &[(&str, &str, &str, usize)]) {
        for (program, fields, message, count) in cases {
            let told = told_by(program, fields, message);
            assert_eq!(told.len(), *count, "{program} {fields} {message}: {told:?}");
        }
    }

    #[test]
    fn a_command_is_believed_of_sudo_alone_and_where_it_was_run() {
        let ran = "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/tee /etc/motd";
        let refused = ran.replace(": TTY", ": user NOT in sudoers ; TTY");
        let by_sudo = r#""_UID":"0","_EXE":"/usr/bin/sudo","#;
        count(&[
            ("sudo", by_sudo, ran, 1),
            ("sudo", by_sudo, &refused, 0),
            ("sudo", r#""_UID":"1000","_EXE":"/usr/bin/sudo","#, ran, 1),
            ("sudo", r#""_UID":"0","_EXE":"/usr/bin/sudo (deleted)","#, ran, 1),
            // As logger(1) says it, and a program of somebody's own.
            ("sudo", r#""_UID":"0","_EXE":"/usr/bin/logger","#, ran, 0),
            ("sudo", r#""_UID":"1001","_EXE":"/home/eve/sudo","#, ran, 0),
            ("sudo", r#""_UID":"0","#, ran, 0),
            ("sudo", r#""_EXE":"/usr/bin/sudo","#, ran, 0),
        ]);
    }

    #[test]
    fn logins_accounts_and_units_are_believed_of_those_who_make_them() {
        let opened = "pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)";
        let quoted = "Invalid user x session opened for user ann from 10.0.0.9 port 4242";
        let changed = "change user 'ann' shell from '/bin/sh' to '/bin/false'";
        let (by_sshd, by_eve) = (r#""_UID":"0","_EXE":"/usr/sbin/sshd","#, r#""_UID":"1001","#);
        count(&[
            ("sshd", by_sshd, opened, 1),
            ("sshd", r#""_UID":"1001","_EXE":"/home/eve/sshd","#, opened, 0),
            ("sshd", by_sshd, quoted, 0),
            ("usermod", r#""_UID":"0","#, changed, 1),
            ("usermod", by_eve, changed, 0),
            ("passwd", r#""_UID":"1000","_EXE":"/usr/bin/passwd","#, "password changed for ann", 1),
            ("systemd", r#""_PID":"1","_UID":"0","UNIT":"a.service","#, "Stopped a.service.", 1),
            ("sudo", r#""_PID":"7","_UID":"1001","UNIT":"a.service","#, "Stopped a.service.", 0),
        ]);
    }
}
