//! Ctrl-C: what is under way is brought to an end, and nothing else is begun.

use crate::hosts::Hosts;
use rustix::process::{Pid, Signal, kill_process};
use std::process::Stdio;
use std::time::{Duration, Instant};

const ROLE: &str = "[exec.wait]\ncommand = [\"sh\", \"-c\", \"touch /srv/begun; sleep 3\"]\n\
                    [exec.next]\ncommand = [\"touch\", \"/srv/next\"]\nrequire = [\"exec.wait\"]\n";

#[test]
fn a_run_ends_at_its_next_safe_point_and_no_host_is_begun_any_more() {
    let hosts = Hosts::new(2, ROLE);
    let words = ["apply", "web*", "--yes", "--parallel", "1"];
    let mut keel = hosts.command(&words);
    let child = keel.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("keel starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !hosts.on(1, "/srv/begun").exists() {
        assert!(Instant::now() < deadline, "it never begins");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::INT).expect("it is there");
    let ran = hosts.ran(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("stopping each host after what is under way there"), "{ran:?}");
    assert!(ran.out.contains("web1: run 1: 1 changed, 1 skipped\n"), "{ran:?}");
    assert!(
        ran.out.ends_with("failed       web1\nskipped      web2\n2 hosts: 1 failed, 1 skipped\n"),
        "{ran:?}"
    );
    assert!(!hosts.on(1, "/srv/next").exists() && !hosts.on(2, "/srv/begun").exists());
}
