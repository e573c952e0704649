//! What auditd says, where it is there and watches the path: which user logged in and, whoever they became since, wrote to
//! it, by which program. Who only read it is passed by.

use super::find::Found;
use crate::os::capture::Cap;
use crate::os::child::Child;
use crate::os::safe_path::{self, Follow};
use jiff::Timestamp;
use model::{About, Failure};
use std::path::Path;
use std::time::Duration;

const PROGRAM: &str = "/usr/sbin/ausearch";

/// What it says where it has found nothing; it ends with 1 then as where it could not look (ausearch(8)).
const NOTHING: &str = "<no matches>";

/// Of what it says so much is read, in bytes: the end, as the newest stands there.
const ROOM: Cap = Cap { head: 0, tail: 4 << 20 };

/// Asks it of each path.
pub(super) fn find(found: &mut [Found]) -> Result<(), Failure> {
    if safe_path::look(Path::new(PROGRAM), Follow::Yes)?.is_none() {
        return Ok(());
    }
    for one in found {
        for path in one.paths().map(ToOwned::to_owned).collect::<Vec<_>>() {
            // The whole name: else what was done to /etc/motd.d would be told of /etc/motd.
            let mut call = Child::new([PROGRAM, "--raw", "--input-logs", "-sv", "yes", "--word", "-f"]);
            call.argv.push(path.into_os_string());
            (call.timeout, call.cap) = (Duration::from_secs(20), ROOM);
            let output = call.run()?;
            if !output.status.success() && !output.stderr.last_words().contains(NOTHING) {
                return Err(Failure::unknown("what it says", output.stderr.last_words()));
            }
            if let Some((at, says)) = last_writer(&output.stdout.end()) {
                one.tell(About::Who, Some(at), ("auditd".to_owned(), says));
            }
        }
    }
    Ok(())
}

/// How calls are numbered that may only read (linux/audit.h, `AUDIT_ARCH_…`; syscalls(2)): `open`, whose flags are `a1`; `openat`, whose flags are
/// `a2`; `execve`, `execveat`, `readlink`, `getxattr`, `listxattr` and their kin, which never write.
const CALLS: [(&str, Option<&str>, &str, &[&str]); 3] = [
    ("c000003e", Some("2"), "257", &["59", "322", "89", "267", "191", "192", "193", "194", "195", "196"]),
    ("c00000b7", None, "56", &["221", "281", "78", "8", "9", "10", "11", "12", "13"]),
    ("40000003", Some("5"), "295", &["11", "358", "85", "305", "229", "230", "231", "232", "233", "234"]),
];

/// `O_WRONLY`, `O_RDWR`, `O_CREAT`, `O_TRUNC` of open(2).
const WRITES: u64 = 0x1 | 0x2 | 0x40 | 0x200;

/// Who wrote last. What was cut off at its beginning is no record.
fn last_writer(said: &[u8]) -> Option<(Timestamp, String)> {
    String::from_utf8_lossy(said).lines().rev().find_map(writer)
}

/// Time and writer in a record of a system call: `type=SYSCALL msg=audit(SECONDS.MILLIS:SERIAL): … auid=… uid=… exe="…"`; `None` for one that
/// only reads. Where logs of several hosts come together each record says first from which it is (auditd.conf(5), `name_format`).
fn writer(line: &str) -> Option<(Timestamp, String)> {
    let line = match line.strip_prefix("node=") {
        Some(rest) => rest.split_once(' ')?.1,
        None => line,
    };
    let (stamp, rest) = line.strip_prefix("type=SYSCALL msg=audit(")?.split_once(')')?;
    let (seconds, millis) = stamp.split(':').next()?.split_once('.')?;
    let millis = seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(millis.parse().ok()?)?;
    let at = Timestamp::from_millisecond(millis).ok()?;
    // What is told in words besides (`log_format = ENRICHED`) stands behind a separator.
    let rest = rest.split('\u{1d}').next()?;
    let field = |name: &str| rest.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    if only_reads(field) {
        return None;
    }
    // The number of nobody: not by anybody who logged in (auditctl(8)).
    let login = field("auid").filter(|auid| !["4294967295", "unset", "-1"].contains(auid));
    let login = login
        .map_or_else(|| "nobody who logged in".to_owned(), |auid| format!("who logged in as uid {auid}"));
    let exe: String = name(field("exe")?).chars().filter(|it| !it.is_control()).take(200).collect();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).take(10).collect::<String>();
    Some((at, format!("{exe}, pid {}, as uid {}, {login}", digits(field("pid")?), digits(field("uid")?))))
}

fn only_reads<'a>(field: impl Fn(&str) -> Option<&'a str>) -> bool {
    let (Some(arch), Some(call)) = (field("arch"), field("syscall")) else { return false };
    let Some((_, open, openat, never)) = CALLS.iter().find(|(it, ..)| *it == arch) else { return false };
    let flags = match call {
        _ if never.contains(&call) => return true,
        _ if *open == Some(call) => field("a1"),
        _ if *openat == call => field("a2"),
        _ => None,
    };
    let flags = flags.and_then(|flags| u64::from_str_radix(flags, 16).ok());
    flags.is_some_and(|flags| flags & WRITES == 0)
}

/// A name in quotes; one with a blank, a quote or a control character in it stands there in hex, without any.
fn name(text: &str) -> String {
    if let Some(name) = text.strip_prefix('"') {
        return name.trim_end_matches('"').to_owned();
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    let bytes = bytes.filter(|_| text.len().is_multiple_of(2));
    bytes.map_or_else(|| text.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{last_writer, writer};

    /// Red Hat Enterprise Linux 7, Security Guide, 7.6 "Understanding Audit Log Files": `cat /etc/ssh/sshd_config`.
    /// <https://docs.redhat.com/en/documentation/Red_Hat_Enterprise_Linux/7/html/security_guide/sec-understanding_audit_log_files>
    const CAT: &str = r#"type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 success=no exit=-13 a0=7fffd19c5592 a1=0 a2=7fffd19c4b50 a3=a items=1 ppid=2686 pid=3538 auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=1 comm="cat" exe="/bin/cat" subj=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 key="sshd_config""#;
    /// The linux-audit mailing list, of an older kernel on i386: <https://listman.redhat.com/archives/linux-audit/2008-January/004953.html>
    const VIM: &str = r#"type=SYSCALL msg=audit(1201421673.445:1508): arch=40000003 syscall=5 success=no exit=-2 a0=bfec1e40 a1=0 a2=b7ee6548 a3=bfec1e40 items=1 ppid=9571 pid=9695 auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts1 comm="vim" exe="/usr/bin/vim" key=(null)"#;

    fn says(line: &str) -> Option<String> {
        writer(line).map(|(at, says)| format!("{at} {says}"))
    }

    #[test]
    fn a_record_tells_the_program_and_who_logged_in() {
        let ann =
            "2013-03-28T14:36:03.243Z /bin/cat, pid 3538, as uid 1000, who logged in as uid 1000".to_owned();
        let root =
            "2008-01-27T08:14:33.445Z /usr/bin/vim, pid 9695, as uid 0, who logged in as uid 0".to_owned();
        // As published they read; with these flags, or by these calls, they would write.
        for (record, from, to, wanted) in [
            (CAT, " a1=0 ", " a1=241 ", Some(&ann)),
            (CAT, "syscall=2 ", "syscall=90 ", Some(&ann)),
            (CAT, "syscall=2 ", "syscall=257 ", Some(&ann)),
            (CAT, "type=", "node=web1 type=", None),
            (CAT, " a1=0 ", " a1=zz ", Some(&ann)),
            (CAT, "arch=c000003e", "arch=c0000015", Some(&ann)),
            (CAT, "syscall=2 ", "syscall=59 ", None),
            (CAT, "", "", None),
            (VIM, "", "", None),
            (VIM, " a1=0 ", " a1=8041 ", Some(&root)),
        ] {
            assert_eq!(says(&record.replacen(from, to, 1)).as_ref(), wanted, "{from} -> {to}");
        }
        assert_eq!(says("type=PATH msg=audit(1.2:3): item=0 name=\"/etc/motd\""), None);
    }

    #[test]
    fn the_last_who_wrote_counts_and_no_half_of_a_record() {
        let wrote = |at: &str, exe: &str| {
            CAT.replace(" a1=0 ", " a1=1 ").replace("1364481363.243", at).replace("/bin/cat", exe)
        };
        let (early, late) = (wrote("1.000", "/bin/early"), wrote("2.000", "/bin/late"));
        let said = format!("{}\n{early}\ntype=PATH x\n{late}\n{CAT}\n", &early[9..]);
        let (at, says) = last_writer(said.as_bytes()).unwrap();
        assert_eq!((at.as_second(), says.starts_with("/bin/late,")), (2, true), "{says}");
        assert_eq!(last_writer(&early.as_bytes()[9..]), None);
    }

    #[test]
    fn nobody_and_names_in_hex_and_other_hosts_are_read() {
        let written = format!("node=web1 {}", CAT.replace(" a1=0 ", " a1=1 "));
        let nobody = written.replace("auid=1000", "auid=4294967295");
        assert!(says(&nobody).unwrap().ends_with("as uid 1000, nobody who logged in"));
        let hex = written.replace("\"/bin/cat\"", "2F746D702F6120620A");
        assert!(says(&hex).unwrap().contains(" /tmp/a b, pid 3538"), "{hex}");
        let enriched = format!("{}\u{1d}ARCH=x86_64 SYSCALL=open AUID=\"ann\" UID=\"ann\"", written);
        assert_eq!(says(&enriched), says(&written));
        assert_eq!(says(&written.replace("1364481363.243", "9999999999999999999.1")), None);
    }
}
