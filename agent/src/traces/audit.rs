//! What auditd says, where it is there and watches the path: which user logged in and, whoever they became since, wrote to it, by which program.

use super::find::Found;
use crate::os::child::Child;
use crate::os::safe_path::{self, Follow};
use model::{About, Failure};
use std::path::Path;
use std::time::Duration;

const PROGRAM: &str = "/usr/sbin/ausearch";

/// Asks it of each path.
pub(super) fn find(found: &mut [Found]) -> Result<(), Failure> {
    if safe_path::look(Path::new(PROGRAM), Follow::Yes)?.is_none() {
        return Ok(());
    }
    for one in found {
        for path in one.paths().map(ToOwned::to_owned).collect::<Vec<_>>() {
            let mut call = Child::new([PROGRAM, "--raw", "--input-logs", "-sv", "yes", "-f"]);
            call.argv.push(path.into_os_string());
            call.timeout = Duration::from_secs(20);
            let output = call.run()?;
            // It ends with 1 where it has found nothing (ausearch(8)), and says so.
            let text = String::from_utf8_lossy(output.stdout.beginning()).into_owned();
            if let Some((at, says)) = text.lines().rev().find_map(writer) {
                one.tell(About::Who, Some(at), ("auditd".to_owned(), says));
            }
        }
    }
    Ok(())
}

/// Time and writer in a record of a system call: `type=SYSCALL msg=audit(SECONDS.MILLIS:SERIAL): … auid=… uid=… exe="…"`.
fn writer(line: &str) -> Option<(i64, String)> {
    let rest = line.strip_prefix("type=SYSCALL msg=audit(")?;
    let at = rest.split('.').next()?.parse().ok()?;
    let field = |name: &str| rest.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    // The number of nobody: not by anybody who logged in (auditctl(8)).
    let login = field("auid").filter(|auid| !["4294967295", "unset", "-1"].contains(auid));
    let login = login
        .map_or_else(|| "nobody who logged in".to_owned(), |auid| format!("who logged in as uid {auid}"));
    let exe: String =
        field("exe")?.trim_matches('"').chars().filter(|it| !it.is_control()).take(200).collect();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).take(10).collect::<String>();
    Some((at, format!("{exe}, pid {}, as uid {}, {login}", digits(field("pid")?), digits(field("uid")?))))
}

#[cfg(test)]
mod tests {
    use super::writer;

    #[test]
    fn a_record_tells_the_program_and_who_logged_in() {
        let line = |auid: &str| {
            format!(
                "type=SYSCALL msg=audit(1732223000.123:456): arch=c000003e syscall=257 success=yes exit=3 items=2 ppid=11 \
                 pid=12 auid={auid} uid=0 gid=0 tty=pts0 ses=4 comm=\"vi\" exe=\"/usr/bin/vim.basic\" key=\"etc\""
            )
        };
        let says = |auid| writer(&line(auid)).unwrap();
        let ann = "/usr/bin/vim.basic, pid 12, as uid 0, who logged in as uid 1000".to_owned();
        assert_eq!(says("1000"), (1_732_223_000, ann));
        assert!(says("4294967295").1.ends_with("nobody who logged in"));
        assert_eq!(writer("type=PATH msg=audit(1.2:3): item=0 name=\"/etc/motd\""), None);
    }
}
