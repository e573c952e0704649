//! A push over a real connection to a real sshd.

use crate::host::{As, Host, in_words, short};
use crate::sshd::Sshd;
use crate::told::Told;
use fleet::{
    Access, Agents, Endpoint, Keyring, Password, Passwords, Places, Prompts, Push, Resume, Target, Transport,
    connect, push,
};
use model::Secret;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

struct Nobody;

impl Prompts for Nobody {
    fn secret(&self, question: &str) -> Option<Secret<String>> {
        panic!("nobody is to be asked: {question}")
    }
}

/// Pushes to that many hosts, which are all the same one, but each with a state directory that is `host`'s.
fn push_over(transport: Transport, sshd: &Sshd, host: &Host, count: usize) -> Vec<String> {
    push_at(transport, &sshd.endpoint(), host, count)
}

fn push_at(transport: Transport, endpoint: &Endpoint, host: &Host, count: usize) -> Vec<String> {
    let keyring = Keyring::default();
    let access = Access {
        prompts: &Nobody,
        transport,
        passwords: Passwords::Never,
        keyring: &keyring,
        notes: &|_| (),
        keep: None,
    };
    let targets: Vec<_> =
        (0..count).map(|n| Target { name: format!("h{n}"), endpoint: Ok(endpoint.clone()) }).collect();
    let places = Places { state: host.path("state").display().to_string(), ..Places::default() };
    let told = Told::default();
    let ends = push(&Push {
        targets: &targets,
        parallel: 32,
        connect: &|endpoint: &Endpoint| connect(endpoint, &access),
        password: &Password::never(),
        agents: &Agents::beside(&host.path("agents")),
        places,
        patience: short(),
        controller: &told,
        stop: &AtomicBool::new(false),
        detach: &AtomicBool::new(false),
        runs: None,
        resume: Resume::No,
        wait: Duration::ZERO,
    });
    ends.iter().map(|(_, end)| in_words(end)).collect()
}

#[test]
fn a_push_is_cold_once_and_warm_then() {
    cold_and_warm(Transport::Ssh2);
}

#[test]
fn so_it_is_over_the_systems_ssh() {
    cold_and_warm(Transport::OpenSsh);
}

fn cold_and_warm(transport: Transport) {
    let (sshd, host) = (Sshd::start(&[]), Host::new(As::Root));
    // Large enough for many packets.
    let filler: String = (0..20_000).map(|n: u32| model::Digest::of(&n.to_be_bytes()).to_string()).collect();
    let beside = host.path("agents/keel-agent-x86_64");
    let agent = [std::fs::read(&beside).unwrap(), filler.into_bytes()].concat();
    std::fs::write(&beside, &agent).unwrap();
    assert_eq!(push_over(transport, &sshd, &host, 1), ["Unchanged"]);
    assert_eq!(push_over(transport, &sshd, &host, 12), ["Unchanged"; 12]);
    assert!(std::fs::read(host.installed_agent()).unwrap() == agent);
}

#[test]
fn several_controllers_may_bring_the_same_agent_at_once() {
    let (sshd, host) = (Sshd::start(&[]), Host::new(As::Root));
    assert_eq!(push_over(Transport::Ssh2, &sshd, &host, 12), ["Unchanged"; 12]);
    assert_eq!(host.installed().len(), 1);
}

#[test]
fn what_a_host_ends_with_comes_over_a_real_connection_too() {
    let sshd = Sshd::start(&["ForceCommand echo 'Backups only.'; exit 7"]);
    let host = Host::new(As::Root);
    for transport in [Transport::Ssh2, Transport::OpenSsh] {
        let [end] = &push_over(transport, &sshd, &host, 1)[..] else { panic!("one host") };
        let words = "(exit status 7), as a nologin shell or a ForceCommand does; it said: Backups only.";
        assert!(end.ends_with(words), "{transport:?}: {end}");
    }
    let (sshd, crashing) = (Sshd::start(&[]), Host::new(As::Root));
    crashing.agent("cat hello; sleep 0.3; echo 'out of memory' >&2; kill -9 $$");
    for transport in [Transport::Ssh2, Transport::OpenSsh] {
        let [end] = &push_over(transport, &sshd, &crashing, 1)[..] else { panic!("one host") };
        let words = "the agent ended before it was done (killed by a signal) while planning; nothing had been changed; it said: out of memory";
        assert_eq!(end, words, "{transport:?}");
    }
}

#[test]
fn who_is_not_let_in_is_told_so_by_both_transports() {
    let sshd = Sshd::start(&[
        "AuthorizedKeysFile none",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
    ]);
    let host = Host::new(As::Root);
    for transport in [Transport::Ssh2, Transport::OpenSsh] {
        let [end] = &push_over(transport, &sshd, &host, 1)[..] else { panic!("one host") };
        let words = format!("was not let in; tried key {}; the host takes publickey", sshd.key().display());
        assert!(end.ends_with(&words), "{transport:?}: {end}");
    }
}

#[test]
fn a_host_that_is_not_there_is_not_said_to_be_elevated_on() {
    let (sshd, host) = (Sshd::start(&[]), Host::new(As::Root));
    let mut nobody = sshd.endpoint();
    nobody.port = crate::sshd::free_port();
    let (old, new) = (sshd.port().to_string(), nobody.port.to_string());
    nobody.openssh_options.iter_mut().for_each(|option| *option = option.replace(&old, &new));
    for transport in [Transport::Ssh2, Transport::OpenSsh] {
        let end = push_at(transport, &nobody, &host, 1).remove(0);
        assert!(
            end.contains(" refused the connection: no sshd listens on that port"),
            "{transport:?}: {end}"
        );
    }
}
