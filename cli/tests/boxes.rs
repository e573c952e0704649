//! Tests in boxes, as root on this very machine: `keel test` on small sites. What happened in a box is looked at by plain shell in it (the
//! suites), and the machine with plain reads.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "runs the program and writes scratch files")]

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A site, and `keel` with an agent beside it.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new(files: &[(&str, &str)]) -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        for (name, text) in files.iter().chain(&[("keel.toml", "[project]\n")]) {
            fs::create_dir_all(scratch.path(name).parent().unwrap()).unwrap();
            fs::write(scratch.path(name), text).unwrap();
        }
        let (keel, agent) = (Path::new(env!("CARGO_BIN_EXE_keel")), scratch.path("bin/keel-agent"));
        fs::create_dir(scratch.path("bin")).unwrap();
        fs::hard_link(keel, scratch.path("bin/keel"))
            .or_else(|_| fs::copy(keel, scratch.path("bin/keel")).map(|_| ()))
            .unwrap();
        let built = keel.with_file_name("keel-agent");
        if !built.exists() {
            let build = ["build", "--quiet", "--package", "agent", "--bin", "keel-agent"];
            assert!(Command::new(env!("CARGO")).args(build).status().unwrap().success());
        }
        let agent = agent.with_file_name(format!("keel-agent-{}", std::env::consts::ARCH));
        assert!(Command::new("strip").arg("-o").arg(agent).arg(built).status().unwrap().success());
        scratch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn test(&self, arguments: &[&str]) -> Command {
        let mut keel = Command::new(self.path("bin/keel"));
        keel.arg("test").args(arguments).current_dir(self.0.path());
        keel
    }

    /// Exit code, and what was printed.
    fn ran(&self, arguments: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } = self.test(arguments).output().unwrap();
        let text = [stdout, stderr].concat();
        (status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
    }
}

const DEMO: &str = "[file.\"/etc/keel-demo.conf\"]\ncontent = \"demo\\n\"\nmode = \"0640\"\n\
                    [directory.\"/srv/keel-demo\"]\n[group.keeldemo]\n\
                    [file.\"/etc/systemd/system/keel-demo.service\"]\ncontent = \"[Service]\\nExecStart=/bin/sleep 4711\\n\"\n\
                    [service.keel-demo]\nrunning = true\nrequire = [\"file./etc/systemd/system/keel-demo.service\"]\n";

const TESTS: &str = "[box.usual]\nrollback = true\n[check.conf]\nfile = { path = \"/etc/keel-demo.conf\", mode = \"0640\" }\n\
                     [suite.plain]\nargv = [\"sh\", \"-euc\", \"grep -qx demo /etc/keel-demo.conf; getent group keeldemo; \
                     test -d /srv/keel-demo; test $(stat -c %a /etc/keel-demo.conf) = 640; systemctl is-active keel-demo\"]\n";

/// The steps that were told, without their times.
fn steps(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("       ")?.split(' ').next()).collect()
}

const ALL: [&str; 7] = ["create", "converge", "again", "checks", "suite", "rollback", "destroy"];

#[test]
fn a_box_is_converged_twice_tested_and_raw_again_needs_root() {
    let site = Scratch::new(&[("modules/demo/module.toml", DEMO), ("modules/demo/tests/demo.toml", TESTS)]);
    let (code, text) = site.ran(&["--report", "junit.xml"]);
    assert_eq!((code, steps(&text)), (0, ALL.to_vec()), "{text}");
    assert!(text.contains("5 changed, 0 unchanged") && text.contains("raw again"), "{text}");
    assert!(text.contains("1 of 1 passed") && text.contains("0 changed"), "{text}");
    assert!(fs::read_to_string(site.path("junit.xml")).unwrap().contains("tests=\"1\" failures=\"0\""));
    for path in ["/etc/keel-demo.conf", "/srv/keel-demo", "/etc/systemd/system/keel-demo.service"] {
        assert!(!Path::new(path).exists(), "{path} is on this machine");
    }
}

/// Sites with something wrong, and what has to be said of it.
const WRONG: &[(&str, &str)] = &[
    (
        "tests/a.toml",
        "[box.restless]\nfile = \"../restless.toml\"\n[box.failing]\nfile = \"../failing.toml\"\n\
      [box.leaving]\nfile = \"../leaving.toml\"\nrollback = true\n[box.broken]\nfile = \"../broken.toml\"\n",
    ),
    (
        "tests/b.toml",
        "[box.wrong]\nfile = \"../fine.toml\"\n[check.gone]\nfile = { path = \"/etc/keel-gone\" }\n\
      [suite.three]\nargv = [\"sh\", \"-c\", \"echo '1..1'; echo 'not ok 1 is three'; exit 3\"]\n",
    ),
    ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n"),
    ("restless.toml", "[exec.restless]\ncommand = [\"sh\", \"-c\", \"date >>/root/keel-restless\"]\n"),
    ("failing.toml", "[exec.failing]\ncommand = [\"sh\", \"-c\", \"echo no such luck >&2; exit 3\"]\n"),
    (
        "leaving.toml",
        "[exec.leaving]\ncommand = [\"touch\", \"/etc/keel-left\"]\ncreates = \"/etc/keel-left\"\n",
    ),
    ("broken.toml", "[file.\"/etc/x\"]\nmood = 7\n"),
];

#[test]
fn what_is_wrong_is_told_by_name_and_place_needs_root() {
    let (code, text) = Scratch::new(WRONG).ran(&[]);
    assert_eq!(code, 1, "{text}");
    for part in [
        "restless.toml:1:7: exec.restless changes again when it is converged a second time: run sh -c",
        "failing.toml:1:7: exec.failing failed: `sh -c echo no such luck >&2; exit 3` exited with 3: no such luck",
        "tests/a.toml:5:6: the box is not raw after the rollback:\n    /etc/keel-left is there",
        "broken.toml:2:1: unknown-key: unknown key `mood`",
        "tests/b.toml:3:8: check gone failed: ",
        "tests/b.toml:5:8: suite.three ended with 3: not ok 1 is three",
        "5 tests, 5 failed",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

/// Processes of this machine with these words in their command line.
fn processes(words: &str) -> usize {
    let lines =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).replace('\0', " ").contains(words)).count()
}

fn soon(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn nothing_outlives_a_keel_that_is_killed_needs_root() {
    let tests = "[box.a]\nfile = \"../fine.toml\"\n[suite.long]\nargv = [\"sh\", \"-c\", \"sleep 86423 & sleep 86423\"]\n";
    let site = Scratch::new(&[
        ("tests/a.toml", tests),
        ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n"),
    ]);
    let mut keel = site.test(&[]).stdout(Stdio::null()).spawn().unwrap();
    soon("it does not come to its suite", || processes("sleep 86423") >= 2);
    keel.kill().unwrap();
    keel.wait().unwrap();
    soon("the box is left", || processes("sleep 86423") + processes("__copy-") == 0);
    assert!(!Path::new("/etc/keel-fine").exists());
}

/// `keel`, told to stop when the processes of its box are there.
fn stopped(site: &Scratch, arguments: &[&str], words: &str) -> (i32, String) {
    let mut keel = site.test(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    soon("it does not come to its suite", || processes(words) >= 1);
    assert!(Command::new("kill").args(["-INT", &keel.id().to_string()]).status().unwrap().success());
    let mut text = String::new();
    keel.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    (keel.wait().unwrap().code().unwrap_or(-1), text)
}

#[test]
fn several_boxes_are_there_at_once_needs_root() {
    let tests = "[box.a]\nfile = \"../fine.toml\"\n[box.b]\nfile = \"../fine.toml\"\n[suite.long]\nargv = [\"sleep\", \"86428\"]\n";
    let site = Scratch::new(&[
        ("tests/a.toml", tests),
        ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n"),
    ]);
    let mut keel = site.test(&["--parallel", "2"]).stdout(Stdio::null()).spawn().unwrap();
    soon("the second waits for the first", || processes("sleep 86428") >= 2);
    keel.kill().unwrap();
    keel.wait().unwrap();
    soon("a box is left", || processes("sleep 86428") == 0);
}

#[test]
fn who_stops_a_test_waits_for_no_suite_and_no_other_box_is_made_needs_root() {
    let suite = "[suite.long]\nargv = [\"sleep\", \"86424\"]\n";
    let site = Scratch::new(&[
        (
            "tests/a.toml",
            &format!("[box.a]\nfile = \"../fine.toml\"\n[box.b]\nfile = \"../fine.toml\"\n{suite}"),
        ),
        ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n"),
    ]);
    let began = Instant::now();
    let (code, text) = stopped(&site, &["--parallel", "1"], "sleep 86424");
    assert_eq!((code, steps(&text)), (1, vec!["create", "converge", "again", "suite", "destroy"]), "{text}");
    assert!(began.elapsed() < Duration::from_secs(60) && text.contains("2 tests, 2 failed"), "{text}");
    assert_eq!(text.matches(": stopped before its end").count(), 2, "{text}");
    soon("the box is left", || processes("sleep 86424") == 0);
}

#[test]
fn a_box_that_cannot_be_written_down_is_not_left_needs_root() {
    let suite = "[suite.stays]\nargv = [\"sh\", \"-c\", \"sleep 86425 </dev/null >/dev/null 2>&1 &\"]\n";
    let site = Scratch::new(&[
        ("tests/a.toml", &format!("[box.a]\nfile = \"../fine.toml\"\n{suite}")),
        ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n"),
    ]);
    let output = site.test(&["--keep"]).env("HOME", "/proc").env_remove("XDG_STATE_HOME").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("the box could not be kept: write /proc/.local/state/evenkeel/boxes/"), "{text}");
    soon("the box is left", || processes("sleep 86425") == 0);
}

#[test]
fn what_tests_nothing_is_not_fine() {
    let fine = ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n");
    let only_boxes = ("tests/a.toml", "[box.a]\nfile = \"../fine.toml\"\n");
    let (code, text) = Scratch::new(&[fine]).ran(&[]);
    assert!(code == 3 && text.contains("there is nothing to test"), "{code} {text}");
    let (code, text) = Scratch::new(&[fine, only_boxes]).ran(&["--unit", "./tests/a.toml"]);
    assert!(code == 3 && text.contains("there is nothing to test"), "{code} {text}");
    let mistyped = ("tests/a.toml", "[box.a]\nfile = \"../fine.toml\"\ndriver = \"nspwan\"\n");
    let (code, text) = Scratch::new(&[fine, mistyped]).ran(&[]);
    assert!(
        code == 3 && text.contains("box.a wants a box of `nspwan`: did you mean `nspawn`?"),
        "{code} {text}"
    );
}

#[test]
fn what_a_suite_prints_is_told_without_secrets_needs_root() {
    let site = Scratch::new(&[
        (
            "tests/a.toml",
            "[box.a]\nfile = \"../token.toml\"\n[suite.shows]\nargv = [\"sh\", \"-c\", \"cat /etc/keel-token; exit 3\"]\n",
        ),
        (
            "token.toml",
            "[inputs.token]\ntype = \"secret\"\ndefault = \"5esame-0pen\"\n\
             [file.\"/etc/keel-token\"]\ncontent = \"{{ inputs.token }}\"\nmode = \"0600\"\n",
        ),
    ]);
    let (code, text) = site.ran(&["--report", "junit.xml"]);
    assert!(code == 1 && text.contains("suite.shows ended with 3: <secret>"), "{code} {text}");
    let report = fs::read_to_string(site.path("junit.xml")).unwrap();
    assert!(!text.contains("5esame") && !report.contains("5esame"), "{text} {report}");
}

/// Programs that stand in for those of a machine where nothing is set up.
const FAKES: &[(&str, &str)] = &[
    ("tests/a.toml", "[box.a]\nfile = \"../fine.toml\"\n"),
    ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n"),
    ("none/none", ""),
    (
        "fakes/docker",
        "#!/bin/sh\necho 'docker: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?.' >&2\nexit 1\n",
    ),
    ("fakes/vagrant", "#!/bin/sh\nexit 1\n"),
];

#[test]
fn what_a_machine_lacks_for_boxes_is_told_with_what_to_type() {
    let site = Scratch::new(FAKES);
    for fake in ["fakes/docker", "fakes/vagrant"] {
        fs::set_permissions(site.path(fake), fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (path, sort, told) in [
        ("none", "docker:a", "there is no docker on this machine; `sudo apt install docker.io`"),
        ("none", "podman", "there is no podman on this machine; `sudo apt install podman`"),
        ("none", "vagrant", "there is no vagrant on this machine; `sudo apt install vagrant`"),
        ("fakes", "docker", "Docker's daemon does not answer"),
        ("fakes", "docker:a", "`sudo systemctl start docker` starts it"),
        ("fakes", "vagrant", "there is no Vagrantfile beside keel.toml; write one"),
    ] {
        let output = site.test(&["--box", sort]).env("PATH", site.path(path)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("the box could not be made: ") && text.contains(told), "{sort}: {text}");
    }
}

/// Says what it was asked, and with which machine in mind; it cannot start one.
const OBSERVED: &str = "#!/bin/sh\necho \"$1 $VAGRANT_CWD $VAGRANT_DOTFILE_PATH $VAGRANT_VAGRANTFILE\" >>\"$OBSERVED\"\n\
                        case $1 in status) echo 1,one,state,not_created;; up) echo no luck >&2; exit 1;; esac\n";

#[test]
fn vagrant_is_never_asked_for_a_machine_of_the_users_own() {
    let site = Scratch::new(&[FAKES[0], FAKES[1], ("Vagrantfile", ""), ("fakes/vagrant", OBSERVED)]);
    fs::set_permissions(site.path("fakes/vagrant"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", site.path("fakes").display());
    let own = [("VAGRANT_CWD", "/own"), ("VAGRANT_DOTFILE_PATH", "/own"), ("VAGRANT_VAGRANTFILE", "Own")];
    let mut keel = site.test(&["--box", "vagrant"]);
    keel.env("PATH", path).env("OBSERVED", site.path("observed")).envs(own);
    let output = keel.env("HOME", site.path("home")).env_remove("XDG_STATE_HOME").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("`vagrant up --no-provision one` exited with 1: no luck"), "{text}");
    let (asked, root) =
        (fs::read_to_string(site.path("observed")).unwrap(), fs::canonicalize(site.path("")).unwrap());
    let state = format!("{}/home/.local/state/evenkeel/machines/keel-box-", site.path("").display());
    let state = state.replace("//", "/");
    let is_meant = |line: &str| {
        line.contains(&format!(" {} {state}", root.display())) && line.ends_with("/.vagrant Vagrantfile")
    };
    assert_eq!(
        asked.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["status", "up", "destroy"]
    );
    assert!(asked.lines().all(is_meant), "{asked}");
    assert_eq!(fs::read_dir(site.path("home/.local/state/evenkeel/machines")).unwrap().count(), 0);
}

/// A base that is there already: that of the lab. Making one takes a minute.
fn base() -> Option<String> {
    let entries = fs::read_dir("/var/cache/keel-lab").ok()?;
    let dirs =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join("sbin/init").exists());
    dirs.filter(|path| path.extension().is_none()).map(|path| path.display().to_string()).max()
}

#[test]
fn services_run_in_a_booted_box_and_nothing_is_left_of_it_needs_root() {
    let Some(base) = base() else { return };
    let tests = TESTS.replace("systemctl is-active", "pgrep -f 'sleep 4711'; systemctl is-active");
    let site = Scratch::new(&[("modules/demo/module.toml", DEMO), ("modules/demo/tests/demo.toml", &tests)]);
    let (code, text) = site.ran(&["--box", "nspawn", "--box-base", &base]);
    assert_eq!((code, steps(&text)), (0, ALL.to_vec()), "{text}");
    assert!(text.contains("5 changed, 0 unchanged") && text.contains("raw again"), "{text}");
    assert_eq!(processes("sleep 4711"), 0);
    for top in ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"] {
        let groups =
            fs::read_dir(top).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
        let ours = groups.filter(|name| name.to_string_lossy().starts_with("keel-box-"));
        // Others may be at it meanwhile: ours is gone with its process.
        let dead = |name: &std::ffi::OsString| {
            let pid = name.to_string_lossy().split('-').nth(2).map(str::to_owned).unwrap_or_default();
            !Path::new("/proc").join(pid).exists()
        };
        assert_eq!(ours.filter(dead).count(), 0, "{top}");
    }
}

#[test]
fn a_booted_box_that_is_kept_hinders_no_other_needs_root() {
    let Some(base) = base() else { return };
    let tests = "[box.a]\nfile = \"../fine.toml\"\n[suite.stays]\nargv = [\"sh\", \"-c\", \"sleep 86426 </dev/null >/dev/null 2>&1 &\"]\n";
    let site = Scratch::new(&[
        ("tests/a.toml", tests),
        ("fine.toml", "[file.\"/etc/keel-fine\"]\ncontent = \"x\"\n"),
    ]);
    let ran = |arguments: &[&str]| {
        let mut keel = site.test(arguments);
        let output = keel.env("HOME", site.path("home")).env_remove("XDG_STATE_HOME").output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let kept = ran(&["--box", "nspawn", "--box-base", &base, "--keep"]);
    assert!(kept.0 == Some(0) && processes("sleep 86426") > 0, "{kept:?}");
    let other = ran(&["--box", "nspawn", "--box-base", &base]);
    let destroyed = ran(&["--destroy"]);
    assert!(other.0 == Some(0) && destroyed.0 == Some(0), "{other:?} {destroyed:?}");
    soon("the box is left", || processes("sleep 86426") == 0);
}
