//! Rehearsals on this very machine, as root: what is told is exactly what happened in the copy, and the machine stays as it is, also when
//! any process of a rehearsal is killed. It looks at the machine with plain reads of its files and of `/proc`.

#![cfg(target_os = "linux")]

#[path = "rehearse/processes.rs"]
mod processes;
#[path = "rehearse/run.rs"]
mod run;

use processes::Tree;
use run::{Rehearsed, machine, rehearse, start};
use std::time::Duration;

#[test]
fn files_users_and_a_package_are_told_exactly_needs_root() {
    let before = machine();
    let told = rehearse(
        "[group.keelgrp]\n[user.keelusr]\ngroup = \"keelgrp\"\nmanage_home = false\n[package.hello]\n\
         [directory.\"/srv/keel rehearsal\"]\nmode = \"0750\"\n\
         [file.\"/srv/keel rehearsal/page\"]\ncontent = \"one\\ntwo\\n\"\n\
         [symlink.\"/etc/keel-link\"]\ntarget = \"/srv\"\n",
    );
    assert_eq!((told.code, told.names("packages", "name")), (2, vec!["hello".to_owned()]), "{}", told.text);
    assert_eq!(told.subjects(), ["user keelusr", "group keelgrp"]);
    let files = told.names("files", "path");
    let accounts = ["/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow"];
    let ours = ["/etc/keel-link", "/srv/keel rehearsal", "/srv/keel rehearsal/page"];
    let expected: Vec<&str> = [&accounts[..2], &ours[..1], &accounts[2..], &ours[1..]].concat();
    let seen: Vec<&String> = files.iter().filter(|path| !path.starts_with("/etc/sub")).collect();
    assert_eq!(seen, expected.iter().collect::<Vec<_>>());
    assert_eq!(machine(), before);
}

#[test]
fn an_empty_result_is_exit_0_and_a_failure_is_exit_1_needs_root() {
    let told = rehearse("[directory.\"/etc\"]\nmode = \"0755\"\n");
    assert_eq!((told.code, told.found["files"].as_array().map(Vec::len)), (0, Some(0)), "{}", told.text);
    let told = rehearse("[exec.no]\ncommand = [\"false\"]\n[file.\"/etc/keel-x\"]\ncontent = \"x\"\n");
    assert_eq!(
        (told.code, told.names("files", "path")),
        (1, vec!["/etc/keel-x".to_owned()]),
        "{}",
        told.text
    );
}

#[test]
fn removals_and_changed_types_are_told_needs_root() {
    let told = rehearse(
        "[file.\"/etc/issue\"]\nensure = \"absent\"\n[exec.scripts]\n\
         command = [\"sh\", \"-c\", \"rm -r /etc/skel && echo x > /etc/skel && chmod 600 /etc/adduser.conf && touch /etc/fstab\"]\n",
    );
    let lines = told.lines();
    for line in [
        "removed /etc/issue",
        "changed /etc/skel type directory -> file, mode 0755 -> 0644",
        "removed /etc/skel/.profile",
    ] {
        assert!(lines.iter().any(|told| told.starts_with(line)), "{line}: {lines:#?}");
    }
    assert!(lines.contains(&"changed /etc/adduser.conf mode 0644 -> 0600".to_owned()), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("/etc/fstab")), "only its time is another: {lines:#?}");
}

#[test]
fn nothing_sensitive_is_shown_needs_root() {
    let told = rehearse(
        "[file.\"/etc/keel-a\"]\ncontent = \"tell-nobody-1\"\nsensitive = true\n\
         [exec.scripts]\ncommand = [\"sh\", \"-c\", \"umask 077; echo tell-nobody-$((1+1)) > /etc/keel-b; mkdir /etc/keel-c; \
         chmod 700 /etc/keel-c; echo tell-nobody-$((1+2)) > /etc/keel-c/d; usermod -p tell-nobody-$((2+2)) root\"]\n",
    );
    assert_eq!(told.code, 2, "{}", told.text);
    for number in 1..=4 {
        assert!(!told.text.contains(&format!("tell-nobody-{number}")), "{}", told.text);
    }
    assert!(told.lines().iter().any(|line| line.starts_with("added /etc/keel-c/d ")), "{}", told.text);
}

#[test]
fn nobody_in_the_copy_reaches_the_machine_needs_root() {
    let script = "mount -o remount,rw /proc/sys && exit 1; echo 1 > /proc/sys/vm/swappiness && exit 2; \
                  hostname keel-test && exit 3; test -e /run/systemd/system && exit 4; ls /sys/fs/cgroup/* && exit 5; \
                  mknod /root/disk b 8 0 && exit 6; test $(ls /proc | grep -c '^[0-9]') -lt 12 || exit 7; \
                  date -s 2001-01-01 && exit 8; exit 0";
    let before = machine();
    let told = rehearse(&format!("[exec.try]\ncommand = [\"sh\", \"-c\", \"{script}\"]\n"));
    assert_eq!((told.code, told.lines()), (2, Vec::new()), "{}", told.text);
    assert_eq!(machine(), before);
}

#[test]
fn what_is_mounted_elsewhere_is_copied_too_needs_root() {
    let mounts = "mount --make-rprivate / && mount -t tmpfs none /home && mkdir -m 755 /home/u && echo old > /home/u/f && \
                  mount -t tmpfs none /opt && mkdir '/opt/a b,c:d' && mount -t tmpfs none '/opt/a b,c:d' && \
                  mount -t tmpfs -o ro none /srv && mount -t tmpfs none /run && mkdir /run/d && touch /run/ns && \
                  mount --bind /proc/self/ns/net /run/ns && echo host > /home/u/hosts && mount --bind /home/u/hosts /etc/hosts";
    let told = run::in_mounts(
        mounts,
        "[file.\"/home/u/f\"]\ncontent = \"new\"\n[file.\"/opt/a b,c:d/x\"]\ncontent = \"x\"\n\
         [exec.hosts]\ncommand = [\"sh\", \"-c\", \"echo more >> /etc/hosts; touch /srv/x && exit 1; exit 0\"]\n",
    );
    let files = ["/etc/hosts", "/home/u/f", "/opt/a b,c:d/x"].map(str::to_owned);
    assert_eq!((told.code, told.names("files", "path")), (2, files.to_vec()), "{}", told.text);
}

#[test]
fn whoever_is_killed_nothing_is_left_needs_root() {
    let before = machine();
    for victim in ["keel", "__rehearse-keeper", "__rehearse-inner", "sleep"] {
        let mut front = start(
            "[file.\"/etc/keel-x\"]\ncontent = \"x\"\n[exec.wait]\ncommand = [\"sleep\", \"999\"]\nrequire = [\"file./etc/keel-x\"]\n",
        );
        let tree = Tree::until_has(front.id(), "sleep");
        tree.kill(victim);
        assert!(!front.wait().success(), "{victim}");
        tree.assert_gone();
        assert_eq!(machine(), before, "{victim}");
    }
}

#[test]
fn killed_at_any_moment_nothing_is_left_needs_root() {
    let before = machine();
    for millis in [0, 1, 2, 4, 6, 8, 10, 13, 16, 20, 25, 30, 40, 60, 90] {
        let mut front = start("[file.\"/etc/keel-x\"]\ncontent = \"x\"\n[user.keelusr]\n");
        std::thread::sleep(Duration::from_millis(millis));
        let tree = Tree::of(front.id());
        front.kill();
        front.wait();
        tree.assert_gone();
        assert_eq!(machine(), before, "after {millis} ms");
    }
}

#[test]
fn people_are_told_the_same_needs_root() {
    let told: Rehearsed = run::human("[file.\"/etc/keel-x\"]\ncontent = \"line one\\n\"\n");
    assert!(
        told.text.contains(
            "  + /etc/keel-x  (mode 0644, owner root:root)\n      @@ -0,0 +1 @@\n      +line one\n"
        ),
        "{}",
        told.text
    );
    assert!(told.text.ends_with("1 changed\n"), "{}", told.text);
}
