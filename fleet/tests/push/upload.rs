//! Bringing the agent: cold, warm, and each way in which it cannot be brought. Nothing is run then.

use crate::host::{As, Host, in_words};
use crate::shell::Cut;
use crate::told::Told;
use fleet::Password;
use model::Digest;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

#[test]
fn a_missing_agent_is_brought_and_the_next_push_finds_it() {
    let host = Host::new(As::Root);
    let (cold, warm) = ("Connect Elevate Upload Facts Order Plan", "Connect Elevate Facts Order Plan");
    for (is_cold, stages) in [(true, cold), (false, warm)] {
        let told = Told::default();
        assert_eq!(in_words(&host.push(&told, &Password::never())), "Unchanged");
        let lines = told.lines();
        let went: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("h1: stage ")).collect();
        assert_eq!(went.join(" "), stages);
        assert_eq!(told.has("note bringing the agent"), is_cold);
    }
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!([mode(&host.path("state")), mode(&host.bin()), mode(&host.installed_agent())], [0o700; 3]);
    let agent = Digest::of(&fs::read(host.path("agents/keel-agent-x86_64")).unwrap());
    assert_eq!(host.installed(), [format!("keel-agent-{agent}")]);
}

/// What the host is like, and the words it ends with; `{dir}` is the host's directory.
type Case = (&'static str, fn(&Host), &'static str);

const DEAD_ENDS: &[Case] = &[
    (
        "no agent for the machine",
        |host| {
            let mut other = fs::read(host.path("agents/keel-agent-x86_64")).unwrap();
            other[18] = 183;
            fs::write(host.path("agents/keel-agent-aarch64"), other).unwrap();
            fs::remove_file(host.path("agents/keel-agent-x86_64")).unwrap();
        },
        "there is no agent for the host's machine, x86_64: a file keel-agent-x86_64 has to be beside keel; there are agents for aarch64",
    ),
    (
        "no agent at all",
        |host| fs::remove_file(host.path("agents/keel-agent-x86_64")).unwrap(),
        "there is no agent to put on hosts: no file keel-agent-<machine>, such as keel-agent-x86_64, in {dir}/agents",
    ),
    (
        "an agent for another machine than its name says",
        |host| {
            fs::rename(host.path("agents/keel-agent-x86_64"), host.path("agents/keel-agent-riscv64")).unwrap()
        },
        "{dir}/agents/keel-agent-riscv64 is no agent for riscv64: it is a program for x86_64",
    ),
    (
        "no sha256sum",
        |host| host.without("sha256sum"),
        "the host has no `sha256sum`, which the agent is brought and checked with: install it",
    ),
    (
        "no gzip",
        |host| host.without("gzip"),
        "the host has no `gzip`, which the agent is brought and checked with: install it",
    ),
    (
        "read-only",
        |host| {
            host.tool(
                "mkdir",
                "echo \"mkdir: cannot create directory '$3': Read-only file system\" >&2; exit 1",
            )
        },
        "the agent cannot be put on the host: mkdir: cannot create directory '{dir}/state': Read-only file system",
    ),
    (
        "disk full",
        |host| {
            host.tool(
                "gzip",
                "cat >/dev/null; printf '\\ngzip: stdout: No space left on device\\n' >&2; exit 1",
            )
        },
        "the agent could not be written to {dir}/state/bin on the host, and was not run: gzip: stdout: No space left on device",
    ),
    (
        "damaged on the way",
        |host| host.tool("gzip", "cat >/dev/null; echo x"),
        "the agent came damaged to the host: its SHA-256 is 73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac there; it was not run",
    ),
    (
        "not renamed",
        |host| host.tool("mv", "echo mv: no >&2; exit 1"),
        "the agent cannot be put on the host: mv: no",
    ),
    (
        "not synced",
        |host| host.tool("sync", "echo \"sync: Input/output error\" >&2; exit 1"),
        "the agent cannot be put on the host: sync: Input/output error",
    ),
    (
        "not executable",
        |host| host.tool("chmod", "exit 0"),
        "programs in {dir}/state/bin cannot be run on the host: its file system is mounted noexec",
    ),
    (
        "a file where the directory should be",
        |host| fs::write(host.path("state"), "").unwrap(),
        "{dir}/state is there on the host, and is no directory",
    ),
];

#[test]
fn what_keeps_the_agent_away_is_said_and_nothing_is_left() {
    for (name, make, words) in DEAD_ENDS {
        let host = Host::new(As::Root);
        host.agent("touch ran");
        make(&host);
        assert_eq!(host.end(), words.replace("{dir}", &host.dir.path().display().to_string()), "{name}");
        assert!(!host.path("ran").exists(), "{name}");
        assert!(host.installed().iter().all(|file| !file.starts_with('.')), "{name}: {:?}", host.installed());
    }
}

#[test]
fn an_agent_that_is_not_what_it_was_is_not_run_and_not_replaced() {
    let host = Host::new(As::Root);
    host.end();
    let agent = host.installed_agent();
    let bytes = [fs::read(&agent).unwrap(), b"x".to_vec()].concat();
    fs::write(&agent, &bytes).unwrap();
    let wanted = agent.file_name().unwrap().to_str().unwrap().strip_prefix("keel-agent-").unwrap();
    let words = format!(
        "the agent on the host was tampered with or damaged, and was not run: its SHA-256 is {}, and not {wanted}. \
         Find out why; when {} is removed there, the next push brings it anew",
        Digest::of(&bytes),
        agent.display()
    );
    assert_eq!(host.end(), words);
    assert_eq!(fs::read(&agent).unwrap(), bytes);
    fs::remove_file(&agent).unwrap();
    assert_eq!(host.end(), "Unchanged");
}

#[test]
fn nothing_is_run_from_where_others_can_write() {
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let elsewhere = |path: &Path| {
        fs::rename(path, path.with_extension("moved")).unwrap();
        symlink(path.with_extension("moved"), path).unwrap();
    };
    let makes: [&dyn Fn(&Host); 7] = [
        &|host| mode(&host.path("state"), 0o777),
        &|host| mode(&host.bin(), 0o770),
        &|host| mode(&host.bin(), 0o702),
        &|host| mode(&host.installed_agent(), 0o702),
        &|host| elsewhere(&host.bin()),
        &|host| elsewhere(&host.path("state")),
        &|host| elsewhere(&host.installed_agent()),
    ];
    for make in makes {
        let host = Host::new(As::Root);
        assert_eq!(host.end(), "Unchanged");
        host.says("done", &[wire::Up::Done(wire::Ending::Changed)]);
        make(&host);
        let words = host.end();
        assert!(words.starts_with("others than root could replace what is run from "), "{words}");
    }
}

#[test]
fn a_directory_that_others_may_read_will_do() {
    let host = Host::new(As::Root);
    host.end();
    for place in [host.path("state"), host.bin(), host.installed_agent()] {
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(host.end(), "Unchanged");
}

#[test]
fn what_a_power_cut_left_of_an_upload_goes_with_the_next() {
    let host = Host::new(As::Root);
    fs::create_dir_all(host.bin()).unwrap();
    for (file, age) in [(".part-old", 2), (".part-of-another-push", 0)] {
        let hours = std::time::Duration::from_secs(3600 * age);
        fs::write(host.bin().join(file), "").unwrap();
        let file = fs::File::options().append(true).open(host.bin().join(file)).unwrap();
        file.set_modified(std::time::SystemTime::now() - hours).unwrap();
    }
    assert_eq!(host.end(), "Unchanged");
    assert_eq!(host.installed().iter().filter(|file| *file == ".part-of-another-push").count(), 1);
    assert_eq!(host.installed().len(), 2);
}

#[test]
fn an_upload_that_is_cut_off_leaves_nothing_and_runs_nothing() {
    let short = "the agent could not be written to {dir}/state/bin on the host, and was not run: gzip: stdin: unexpected end of file";
    for (cut, words) in [
        (Cut::Input(200_000), short),
        (Cut::Both(200_000), "the connection was lost while uploading the agent: its input has ended"),
        (
            Cut::Input(0),
            "the connection was lost while uploading the agent: the agent's size did not come to the host",
        ),
    ] {
        let mut host = Host::new(As::Root);
        // Digits of digests cannot be packed away.
        let filler: String = (0..9000).map(|n: u32| Digest::of(&n.to_be_bytes()).to_string()).collect();
        host.agent(&format!("touch ran; : {filler}"));
        host.cut = Some(cut);
        assert_eq!(host.end(), words.replace("{dir}", &host.dir.path().display().to_string()));
        assert!(host.installed().is_empty() && !host.path("ran").exists(), "{:?}", host.installed());
    }
}

#[test]
fn a_warm_push_starts_two_programs_and_the_agent() {
    let host = Host::new(As::Root);
    host.end();
    for tool in fs::read_dir(host.path("tools")).unwrap().map(|tool| tool.unwrap().file_name()) {
        let name = tool.to_str().unwrap();
        let real = fs::read_link(host.path("tools").join(name)).unwrap();
        host.tool(name, &format!("echo {name} >> {{dir}}/started; exec {} \"$@\"", real.display()));
    }
    assert_eq!(host.end(), "Unchanged");
    let started = fs::read_to_string(host.path("started")).unwrap();
    // The agent of this test is a shell that calls cat.
    assert_eq!(started.lines().filter(|tool| *tool != "cat").collect::<Vec<_>>(), ["ls", "sha256sum"]);
}
