//! Through one host, and several, to another.

use crate::door::{Door, LONG, rest};
use crate::sshd::{Sshd, free_port};
use fleet::{Endpoint, Received, Trouble};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

fn through(hops: &[(&str, &Sshd)], target: &Sshd) -> Endpoint {
    let mut endpoint = target.endpoint();
    endpoint.jumps =
        hops.iter().map(|(name, hop)| Endpoint { alias: (*name).to_owned(), ..hop.endpoint() }).collect();
    endpoint
}

#[test]
fn one_and_several_hosts_are_gone_through() {
    let often = ["RekeyLimit 500K"];
    let (first, second, target) = (Sshd::start(&often), Sshd::start(&[]), Sshd::start(&often));
    let much: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7) as u8).collect();
    for hops in [&[("jump1", &first)][..], &[("jump1", &first), ("jump2", &second)]] {
        let mut pipe =
            Door::knowing(&[]).connect(&through(hops, &target)).unwrap().exec("cat; exit 4").unwrap();
        pipe.send(&much).unwrap();
        let mut came = Vec::new();
        let mut buffer = vec![0; 100_000];
        while came.len() < much.len() {
            let Received::Bytes(count) = pipe.receive(&mut buffer, LONG).unwrap() else { panic!("stuck") };
            came.extend_from_slice(&buffer[..count]);
        }
        assert!(came == much);
        assert_eq!(pipe.finish(LONG).unwrap(), Some(4));
        assert!(target.log().contains("Accepted publickey"));
    }
}

/// How long this process has worked, all threads together.
fn worked() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = tasks.map(|task| {
        let stat = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Does it, without working for it.
fn idle(what: &str, act: impl FnOnce()) {
    let before = worked();
    act();
    let spent = worked() - before;
    assert!(spent < Duration::from_millis(500), "{what}: {spent:?}");
}

#[test]
fn waiting_is_no_work() {
    let (hop, target) = (Sshd::start(&[]), Sshd::start(&[]));
    let mut remote = Door::knowing(&[]).connect(&through(&[("jump1", &hop)], &target)).unwrap();
    let mut pipe = remote.exec("sleep 1.5; head -c 9000000 /dev/zero; sleep 2; cat >&2").unwrap();
    idle("nothing comes", || {
        assert_eq!(pipe.receive(&mut [0; 9], Duration::from_secs(1)).unwrap(), Received::Nothing);
    });
    thread::sleep(Duration::from_secs(1));
    idle("nobody takes what comes", || thread::sleep(Duration::from_secs(1)));
    idle("nobody takes what goes", || pipe.send(&vec![0; 3_000_000]).unwrap());
}

/// What carries bytes for others here.
fn carriers() -> usize {
    let names = fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
    names.filter(|name| name.as_ref().is_ok_and(|name| name.starts_with("jump "))).count()
}

#[test]
fn nothing_is_left_of_a_connection_that_is_dropped() {
    let (first, second, target) = (Sshd::start(&[]), Sshd::start(&[]), Sshd::start(&[]));
    let endpoint = through(&[("jump1", &first), ("jump2", &second)], &target);
    let mut remote = Door::knowing(&[]).connect(&endpoint).unwrap();
    // With much on its way that nobody takes.
    let mut pipe = remote.exec("head -c 9000000 /dev/zero; sleep 60").unwrap();
    assert!(matches!(pipe.receive(&mut [0; 9], LONG), Ok(Received::Bytes(9))));
    assert_eq!(carriers(), 2);
    drop((pipe, remote));
    let until = Instant::now() + LONG;
    while carriers() > 0 {
        assert!(Instant::now() < until, "the threads go on");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The trouble of going through `jump1` and `jump2` after a change.
fn trouble(change: impl FnOnce(&mut Endpoint)) -> (Trouble, u16) {
    let (first, second, target) = (Sshd::start(&[]), Sshd::start(&[]), Sshd::start(&[]));
    let mut endpoint = through(&[("jump1", &first), ("jump2", &second)], &target);
    change(&mut endpoint);
    let trouble = Door::knowing(&[]).connect(&endpoint).err().expect("the way is blocked");
    assert!(trouble.is_unreachable(), "{trouble}");
    (trouble, endpoint.port)
}

#[test]
fn a_way_that_is_blocked_is_said_with_the_host_where_it_is() {
    let shut = free_port();
    let (trouble, _) = self::trouble(|endpoint| endpoint.jumps[0].port = shut);
    assert!(
        trouble.to_string().starts_with(&format!("through jump1: 127.0.0.1:{shut} refused")),
        "{trouble}"
    );
    let (trouble, _) = self::trouble(|endpoint| endpoint.jumps[1].port = shut);
    let said = format!("through jump1: there is no route to 127.0.0.1:{shut}: connect failed");
    assert_eq!(trouble.to_string(), said);
    let (trouble, _) = self::trouble(|endpoint| endpoint.port = shut);
    let said = format!("through jump2: there is no route to 127.0.0.1:{shut}: connect failed");
    assert_eq!(trouble.to_string(), said);
    let (trouble, _) = self::trouble(|endpoint| endpoint.jumps[1].identities.clear());
    assert!(trouble.to_string().starts_with("through jump2: root was not let in"), "{trouble}");
    let (trouble, _) = self::trouble(|endpoint| endpoint.jumps[0].host_keys = endpoint.host_keys.clone());
    assert!(
        matches!(&trouble, Trouble::Through { hop, trouble } if hop == "jump1" && matches!(**trouble, Trouble::HostKey(_))),
        "{trouble}"
    );
    let (trouble, _) = self::trouble(|endpoint| endpoint.host_keys = endpoint.jumps[0].host_keys.clone());
    assert!(matches!(trouble, Trouble::HostKey(_)), "{trouble}");
}

#[test]
fn a_host_that_forwards_nothing_says_so() {
    let (hop, target) = (Sshd::start(&["AllowTcpForwarding no"]), Sshd::start(&[]));
    let trouble = Door::knowing(&[]).connect(&through(&[("jump1", &hop)], &target)).err().unwrap();
    let said = format!(
        "through jump1: there is no route to 127.0.0.1:{}: administratively prohibited",
        target.port()
    );
    assert_eq!(trouble.to_string(), said);
}

#[test]
fn a_hop_that_dies_is_named() {
    let (hop, target) = (Sshd::start(&[]), Sshd::start(&[]));
    let command = "echo $PPID; cat";
    let mut pipe =
        Door::knowing(&[]).connect(&through(&[("jump1", &hop)], &target)).unwrap().exec(command).unwrap();
    let mut buffer = [0; 20];
    assert!(matches!(pipe.receive(&mut buffer, LONG), Ok(Received::Bytes(_))));
    hop.end_sessions();
    let trouble = pipe.receive(&mut buffer, Duration::from_secs(5)).unwrap_err();
    assert!(trouble.to_string().contains("through jump1: the connection was lost"), "{trouble}");
    assert!(rest(&mut *pipe).is_err());
}
