//! Where no sshd is.

use crate::door::Door;
use crate::sshd::free_port;
use fleet::{Endpoint, RecordedNames, Trouble, UnknownKeys};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

fn at(host: &str, port: u16) -> Endpoint {
    Endpoint {
        alias: "web1".to_owned(),
        host: host.to_owned(),
        port,
        user: "ada".to_owned(),
        identities: Vec::new(),
        identities_only: true,
        agent: None,
        jumps: Vec::new(),
        known_hosts: Vec::new(),
        recorded_names: RecordedNames::Plain,
        host_key_alias: None,
        host_keys: Vec::new(),
        unknown_keys: UnknownKeys::Refuse,
        connect_timeout: Duration::from_secs(1),
        alive_interval: Duration::from_secs(5),
        alive_count: 3,
        keep: Duration::from_secs(60),
        needs_openssh: None,
        openssh_options: Vec::new(),
        openssh_config: None,
    }
}

fn trouble(endpoint: &Endpoint) -> Trouble {
    let start = Instant::now();
    let trouble = Door::knowing(&[]).connect(endpoint).err().expect("nobody can be let in");
    assert!(start.elapsed() < Duration::from_secs(4), "{trouble} after {:?}", start.elapsed());
    assert!(trouble.is_unreachable(), "{trouble}");
    trouble
}

/// A port where that is done with the first connection; then it is closed.
fn listener(serve: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(listener.accept().unwrap().0));
    port
}

#[test]
fn a_name_that_nobody_knows() {
    let said = trouble(&at("no-such-host.invalid", 22)).to_string();
    assert!(said.starts_with("the name no-such-host.invalid is unknown: "), "{said}");
}

#[test]
fn a_port_where_nobody_listens() {
    let port = free_port();
    let refused = |said: &str| said.starts_with("127.0.0.1:") || said.starts_with("[::1]:");
    for host in ["127.0.0.1", "localhost"] {
        let said = trouble(&at(host, port)).to_string();
        assert!(refused(&said) && said.contains(" refused the connection: no sshd listens"), "{said}");
    }
}

#[test]
fn a_network_without_a_way_there() {
    // TEST-NET-1 where there is a route, of which the system may say anything but that somebody is there.
    let said = trouble(&at("255.255.255.255", 22)).to_string();
    assert!(said.starts_with("there is no route to 255.255.255.255:22: "), "{said}");
}

#[test]
fn a_listener_that_says_nothing() {
    let port = listener(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    assert_eq!(
        trouble(&at("127.0.0.1", port)).to_string(),
        "no answer within 1 s while connecting (ConnectTimeout)"
    );
}

#[test]
fn a_listener_that_stops_after_its_version() {
    let port = listener(|mut stream| {
        stream.write_all(b"SSH-2.0-half\r\n").unwrap();
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let said = trouble(&at("127.0.0.1", port)).to_string();
    assert_eq!(said, "no answer within 1 s while checking the host key (ConnectTimeout)");
}

#[test]
fn a_full_backlog() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let _waiting: Vec<_> =
        (0..4).map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(50))).collect();
    let said = trouble(&at("127.0.0.1", address.port())).to_string();
    assert_eq!(said, "no answer within 1 s while connecting (ConnectTimeout)");
}

#[test]
fn something_else_than_an_sshd() {
    for (words, after, said) in [
        (&b"220 mail.example.org ESMTP\r\n"[..], &b""[..], "it said: 220 mail.example.org ESMTP"),
        (b"Exceeded MaxStartups\r\n", b"", "it said: Exceeded MaxStartups"),
        (b"", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "it said: HTTP/1.1 400 Bad Request"),
        (b"\x15\x03\x01\x00\x02\x02\x46", b"", "it said: \u{15}\u{3}\u{1}\0\u{2}\u{2}F"),
        (b"", b"", "it ended the connection without a word"),
        (b"no end", b"", "it said: no end"),
    ] {
        let port = listener(move |mut stream| {
            stream.write_all(words).unwrap();
            // What sshd's peer says first; HTTP servers wait for it.
            let mut version = [0; 8];
            stream.read_exact(&mut version).unwrap();
            stream.write_all(after).unwrap();
            // Closed with something unread it would be a reset, which may overtake what was said.
            stream.shutdown(Shutdown::Write).unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        });
        let expected = format!("127.0.0.1:{port} is no SSH server: {said}");
        assert_eq!(trouble(&at("127.0.0.1", port)).to_string(), expected);
    }
}

#[test]
fn endless_words_before_a_version() {
    for words in [&b"tick\n"[..], b"tick", b"\n", b"\0"] {
        let port = listener(move |mut stream| while stream.write_all(&words.repeat(1000)).is_ok() {});
        let said = trouble(&at("127.0.0.1", port)).to_string();
        assert!(said.contains(" is no SSH server: "), "{words:?}: {said}");
    }
}
