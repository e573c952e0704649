//! The system's `ssh` as a transport: it talks as the other one does, and its dead ends are the same troubles.
#![expect(clippy::disallowed_methods, reason = "tests write scratch files")]

use crate::door::{Door, LONG, fresh, rest};
use crate::sshd::{Sshd, free_port, keygen};
use fleet::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
use fleet::{Endpoint, Received, Transport, Trouble, UnknownKeys};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

fn door() -> Door {
    Door { transport: Transport::OpenSsh, ..Door::default() }
}

/// What a configuration makes of host `web`.
fn configured(sshd: &Sshd, config: &str, said: Overrides) -> Endpoint {
    let file = sshd.dir().join("config");
    let usual = "Host *\nHostName 127.0.0.1\nGlobalKnownHostsFile none\nIdentityAgent none\n";
    fs::write(&file, format!("{config}\n{usual}")).unwrap();
    let surroundings = Surroundings::here().unwrap();
    let files = SshFiles { instead: Some(file), ..SshFiles::usual(sshd.dir()) };
    let asked = Asked { name: "web".to_owned(), inventory: said, ..Asked::default() };
    resolve(&asked, &files, &surroundings).unwrap()
}

/// The endpoint with another option for `ssh`, which is the one that counts.
fn with(endpoint: Endpoint, option: &str) -> Endpoint {
    let openssh_options = [vec![option.to_owned()], endpoint.openssh_options].concat();
    Endpoint { openssh_options, ..endpoint }
}

#[test]
fn it_runs_commands_and_tells_how_they_end() {
    let sshd = Sshd::start(&[]);
    for (command, expected) in [
        ("echo hi; exit 7", ("hi\n", Some(7))),
        ("exit 255", ("", Some(255))),
        ("echo last; kill -9 $$", ("last\n", None)),
        ("echo ' a  \"b\" $HOME' | wc -l", ("1\n", Some(0))),
        ("tty; echo $LANG$LC_ALL$SSH_AUTH_SOCK", ("not a tty\n\n", Some(0))),
    ] {
        let (said, status) = door().run(&sshd.endpoint(), command).unwrap();
        assert_eq!((said.as_str(), status), expected, "{command}");
    }
}

#[test]
fn megabytes_go_both_ways_at_once_and_errors_stay_apart() {
    let sshd = Sshd::start(&[]);
    let mut pipe =
        door().connect(&sshd.endpoint()).unwrap().exec("tee /dev/null; echo oops >&2; exit 3").unwrap();
    let bytes: Vec<u8> = (0..6_000_000_u32).map(|index| (index % 251) as u8).collect();
    pipe.send(&bytes).unwrap();
    let (mut back, mut buffer) = (Vec::new(), vec![0; 70_000]);
    while back.len() < bytes.len() {
        let Received::Bytes(count) = pipe.receive(&mut buffer, LONG).unwrap() else {
            panic!("{}", back.len())
        };
        back.extend_from_slice(&buffer[..count]);
    }
    assert!(back == bytes);
    assert_eq!(pipe.receive(&mut buffer, Duration::from_millis(50)).unwrap(), Received::Nothing);
    assert_eq!(pipe.finish(LONG).unwrap(), Some(3));
    assert_eq!(pipe.errors(), b"oops\n");
}

#[test]
fn a_command_that_does_not_end_is_ended_with_its_ssh() {
    let sshd = Sshd::start(&[]);
    let mark = format!("Port={}\0", sshd.port());
    let running = || {
        let all = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
        all.filter(|line| line.windows(mark.len()).any(|part| part == mark.as_bytes())).count()
    };
    let mut pipe = door().connect(&sshd.endpoint()).unwrap().exec("echo on; exec sleep 60").unwrap();
    let mut buffer = [0; 10];
    assert_eq!(pipe.receive(&mut buffer, LONG).unwrap(), Received::Bytes(3));
    assert_eq!(running(), 1);
    let late = pipe.finish(Duration::from_millis(300)).unwrap_err().to_string();
    assert!(late.contains("the command has not ended within 0.3 s"), "{late}");
    drop(pipe);
    assert_eq!(running(), 0);
}

#[test]
fn what_the_command_said_before_the_connection_was_lost_is_heard() {
    let sshd = Sshd::start(&[]);
    let mut pipe = door().connect(&sshd.endpoint()).unwrap().exec("echo on; cat >/dev/null").unwrap();
    let mut buffer = [0; 10];
    assert_eq!(pipe.receive(&mut buffer, LONG).unwrap(), Received::Bytes(3));
    sshd.end_sessions();
    let lost = rest(&mut *pipe).unwrap_err();
    assert!(matches!(lost, Trouble::Lost { .. }) && !lost.is_unreachable(), "{lost:?}");
    assert!(lost.to_string().contains("closed by remote host"), "{lost}");
    assert!(matches!(pipe.send(&[0; 1 << 20]), Err(Trouble::Lost { .. })));
}

#[test]
fn nobody_there() {
    let sshd = Sshd::start(&[]);
    let port = format!("Port={}", free_port());
    let nobody = with(sshd.endpoint(), &port);
    let said = door().enter(&nobody);
    assert!(
        said.starts_with(&port.replace("Port=", "127.0.0.1:")) && said.contains("refused the connection"),
        "{said}"
    );
    let unknown = Endpoint { alias: "no-such-host.invalid".to_owned(), ..sshd.endpoint() };
    let said = door().enter(&unknown);
    assert!(said.starts_with("the name no-such-host.invalid is unknown: "), "{said}");
    let wrong = with(sshd.endpoint(), "NoSuchKeyword=1");
    let said = door().enter(&wrong);
    assert!(
        said.starts_with("127.0.0.1: the system's ssh says: ") && said.contains("nosuchkeyword"),
        "{said}"
    );
}

#[test]
fn no_sshd_there() {
    let sshd = Sshd::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut mail = listener.accept().unwrap().0;
        mail.write_all(b"220 mail\r\n").unwrap();
        // Closed with something unread it would be a reset, which may overtake what was said.
        mail.shutdown(Shutdown::Write).unwrap();
        mail.read_to_end(&mut Vec::new()).unwrap();
        let silent = listener.accept().unwrap();
        let mut greeted = listener.accept().unwrap().0;
        greeted.write_all(b"SSH-2.0-x\r\n").unwrap();
        thread::sleep(Duration::from_secs(20));
        drop((silent, greeted));
    });
    let endpoint = Endpoint {
        port,
        connect_timeout: Duration::from_secs(1),
        ..with(sshd.endpoint(), &format!("Port={port}"))
    };
    assert_eq!(door().enter(&endpoint), format!("127.0.0.1:{port} is no SSH server: it said: 220 mail"));
    let start = Instant::now();
    assert_eq!(door().enter(&endpoint), "no answer within 1 s while connecting (ConnectTimeout)");
    assert_eq!(door().enter(&endpoint), "no answer within 1 s while checking the host key (ConnectTimeout)");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn not_let_in() {
    let sshd = Sshd::start(&["PasswordAuthentication no", "KbdInteractiveAuthentication no"]);
    let wrong = fresh(&sshd, "wrong", &["-t", "ed25519", "-N", ""]);
    let port = format!("Port={}", sshd.port());
    let with_key = |key: &Path| Endpoint {
        openssh_options: [&port, &format!("IdentityFile={}", key.display()), "IdentitiesOnly=yes"]
            .map(|option: &str| option.to_owned())
            .into(),
        ..sshd.endpoint()
    };
    let (user, key) = (sshd.endpoint().user, wrong.display().to_string());
    let said = door().enter(&with_key(&wrong));
    assert_eq!(said, format!("{user} was not let in; tried key {key}; the host takes publickey"));
    let locked = crate::door::authorized(&sshd, "locked", &["-t", "ed25519", "-N", "secret"]);
    let said = door().enter(&with_key(&locked));
    assert!(
        said.contains(
            "the host takes it, but it cannot be used: a key with a passphrase has to be in an agent"
        ),
        "{said}"
    );
}

/// What known_hosts holds, which keys the inventory has, what becomes of unknown ones, and what is said. `GOOD` is the host's key, `BAD` another.
const JUDGED: &[(&str, &[&str], UnknownKeys, &str)] = &[
    ("", &[], UnknownKeys::Refuse, "--accept-new-host-key"),
    ("NAME BAD\n", &[], UnknownKeys::Record, "Offending ED25519 key in FILE:1\n"),
    ("@revoked * GOOD\n", &[], UnknownKeys::Record, "WARNING: REVOKED HOST KEY DETECTED!"),
    ("NAME GOOD\n", &["BAD"], UnknownKeys::Record, "The inventory says that it is ED25519 SHA256:"),
    ("NAME BAD\n", &["BAD", "GOOD"], UnknownKeys::Refuse, "in"),
    ("NAME GOOD\n", &[], UnknownKeys::Refuse, "in"),
    ("", &[], UnknownKeys::Record, "in"),
];

#[test]
fn host_keys_are_judged_in_the_same_words() {
    let sshd = Sshd::start(&[]);
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f"], &sshd.dir().join("other"));
    let (name, file) = (format!("[127.0.0.1]:{}", sshd.port()), sshd.dir().join("known_hosts"));
    let (good, bad) = (sshd.host_key("host_ed25519"), sshd.host_key("other"));
    let filled = |text: &str| text.replace("NAME", &name).replace("GOOD", &good).replace("BAD", &bad);
    for (known, keys, unknown_keys, expected) in JUDGED {
        let host_keys = keys.iter().map(|key| filled(key)).collect();
        let endpoint = Endpoint { host_keys, unknown_keys: *unknown_keys, ..sshd.endpoint() };
        let said = [Transport::OpenSsh, Transport::Ssh2].map(|transport| {
            fs::write(&file, filled(known)).unwrap();
            Door { transport, ..Door::default() }.enter(&endpoint)
        });
        assert!(said[0].contains(&expected.replace("FILE", file.to_str().unwrap())), "{known}: {said:?}");
        // Both say the same, all but the line of a revoked key.
        assert_eq!(said[0].lines().next(), said[1].lines().next());
        assert!(said[0] == said[1] || said[0].contains("REVOKED"), "{said:?}");
    }
    assert!(fs::read_to_string(&file).unwrap().contains(&good), "recorded");
}

#[test]
fn through_another_host() {
    let (hop, target) = (Sshd::start(&[]), Sshd::start(&[]));
    let (hop_key, key) = (hop.key().display().to_string(), target.key().display().to_string());
    let said = Overrides { host_keys: vec![target.host_key("host_ed25519")], ..Overrides::default() };
    let enter = |hop_port: u16, checking: &str, port: u16| {
        let config = format!(
            "Host hop\nPort {hop_port}\nIdentityFile {hop_key}\nUserKnownHostsFile /dev/null\nStrictHostKeyChecking {checking}\n\
             Host web\nProxyJump hop\nPort {port}\nIdentityFile {key}\n"
        );
        door().enter(&configured(&hop, &config, said.clone()))
    };
    assert_eq!(enter(hop.port(), "accept-new", target.port()), "in");
    for (trouble, start, end) in [
        (
            enter(hop.port(), "accept-new", free_port()),
            "through hop: there is no route to 127.0.0.1:",
            "Connection refused",
        ),
        (enter(hop.port(), "yes", target.port()), "through hop: ", "Host key verification failed."),
        (enter(free_port(), "yes", target.port()), "through hop: 127.0.0.1:", "or a firewall rejects it"),
    ] {
        assert!(trouble.starts_with(start) && trouble.ends_with(end), "{trouble}");
    }
}

#[test]
fn what_libssh2_lacks_goes_over_it_by_itself() {
    let sshd = Sshd::start(&[]);
    let usual = format!("Port {}\nIdentityFile {}\n", sshd.port(), sshd.key().display());
    let proxy = format!("{usual}ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'\n");
    let said = Overrides { host_keys: vec![sshd.host_key("host_ed25519")], ..Overrides::default() };
    let auto = Door::default();
    assert_eq!(auto.enter(&configured(&sshd, &proxy, said.clone())), "in");
    assert!(auto.notes.lock().unwrap()[0].starts_with("web: ProxyCommand ("));
    let broken = format!("{usual}ProxyCommand sh -c 'echo no way >&2'\n");
    let trouble = Door::default().enter(&configured(&sshd, &broken, said));
    assert_eq!(trouble, "through the ProxyCommand: the connection was lost while connecting: no way");
}

#[test]
fn a_host_that_libssh2_has_nothing_in_common_with_goes_over_it_by_itself() {
    let sshd = Sshd::start(&["KexAlgorithms sntrup761x25519-sha512@openssh.com"]);
    let usual = format!("Port {}\nIdentityFile {}\n", sshd.port(), sshd.key().display());
    let said = Overrides { host_keys: vec![sshd.host_key("host_ed25519")], ..Overrides::default() };
    let auto = Door::default();
    assert_eq!(auto.enter(&configured(&sshd, &usual, said)), "in");
    let notes = auto.notes.lock().unwrap();
    assert!(
        notes[0].starts_with("web: web and libssh2 have no ") && notes[0].ends_with("ssh is tried"),
        "{notes:?}"
    );
}

/// An authority, and a host's and a user's key signed by it.
fn signed(dir: &Path) {
    let at = |name: &str| dir.join(name);
    for name in ["authority", "host", "user"] {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f"], &at(name));
    }
    let (authority, user) = (at("authority").display().to_string(), crate::sshd::user());
    keygen(&["-q", "-s", &authority, "-I", "host", "-h", "-n", "127.0.0.1,web"], &at("host.pub"));
    keygen(&["-q", "-s", &authority, "-I", "user", "-n", &user], &at("user.pub"));
    let line = format!("@cert-authority * {}", fs::read_to_string(at("authority.pub")).unwrap());
    fs::write(at("known_hosts"), line).unwrap();
}

#[test]
fn user_and_host_may_be_known_only_by_who_signed_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    signed(dir.path());
    let option = |keyword: &str, name: &str| format!("{keyword} {}", dir.path().join(name).display());
    let host = [option("HostKey", "host"), option("HostCertificate", "host-cert.pub")];
    let users = [option("TrustedUserCAKeys", "authority.pub"), "AuthorizedKeysFile none".to_owned()];
    let sshd = Sshd::start(&[&host[0], &host[1], &users[0], &users[1]]);
    let with_key = |key: &str| {
        let lines = [
            format!("Port {}", sshd.port()),
            option("UserKnownHostsFile", "known_hosts"),
            option("IdentityFile", key),
        ];
        configured(&sshd, &lines.join("\n"), Overrides::default())
    };
    let auto = Door::default();
    assert_eq!(auto.enter(&with_key("user")), "in");
    assert!(auto.notes.lock().unwrap()[0].contains("certificate "), "{:?}", auto.notes);
    let unsigned = with_key("authority");
    assert!(unsigned.needs_openssh.as_ref().unwrap().starts_with("@cert-authority ("), "{unsigned:?}");
    assert!(Door::default().enter(&unsigned).contains("was not let in"));
}
