//! `http` and `port` against servers that say whatever they like.

use crate::scene::{look, said, spec};
use agent::checks::{Scene, run};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

/// A server that answers one connection with `answer`; its port, and what it was asked.
fn server(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut byte = [0];
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
            asked.push(byte[0]);
        }
        answer(&mut stream);
        String::from_utf8(asked).unwrap()
    });
    (port, asked)
}

/// What a check says of a server that writes these bytes and closes.
fn seen(bytes: &'static [u8], keys: Value) -> String {
    let (port, _) = server(move |stream| drop(stream.write_all(bytes)));
    asked(port, keys)
}

fn asked(port: u16, keys: Value) -> String {
    let mut params = json!({ "url": format!("http://127.0.0.1:{port}/x") });
    params.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    said(&look(&spec("http", params), None)).replace(&port.to_string(), "PORT")
}

#[test]
fn an_answer_is_held_to_what_is_wanted() {
    let ok = b"HTTP/1.1 200 OK\r\nX-A: b\r\nx-a: c\r\nContent-Length: 5\r\n\r\nhello, and more that is none";
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    let early = b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200\r\n\r\nhello";
    let moved = b"HTTP/1.1 301 Moved\r\nLocation: https://a/\r\nContent-Length: 0\r\n\r\n";
    let equals = json!({ "body": { "equals": "hello" } });
    for (bytes, keys, says) in [
        (&ok[..], equals.clone(), "passed"),
        (ok, json!({ "header": { "X-A": { "equals": "b, c" } } }), "passed"),
        (ok, json!({ "header": { "x-b": "z" } }), "header x-b: wanted `z`, saw nothing"),
        (ok, json!({ "status": 204, "body": "x" }), "status: wanted 204, saw 200; it said `hello`"),
        (chunks, equals.clone(), "passed"),
        (early, equals, "passed"),
        (moved, json!({ "status": 301, "header": { "location": "https://" } }), "passed"),
        (
            b"HTTP/1.1 500 \r\n\r\n\x1b[31m\xff",
            json!({}),
            "status: wanted 200, saw 500; it said `\\u{1b}[31m\u{fffd}`",
        ),
    ] {
        assert_eq!(seen(bytes, keys), says);
    }
}

#[test]
fn what_is_no_answer_has_failed() {
    let long = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
    for (bytes, why) in [
        (&b""[..], "it closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what it says is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nno field\r\n\r\n", "a field of its head has no name"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", "it closed the connection in the middle of its head"),
        (long, "it closed the connection in the middle of its body"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "its Content-Length is no number"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
            "a chunk of its body is longer than its size",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "a chunk of its body has no size"),
    ] {
        assert_eq!(seen(bytes, json!({})), format!("answer: wanted status 200, saw {why}"));
    }
}

#[test]
fn a_hostile_server_costs_a_second_and_little_memory() {
    let endless: fn(&mut TcpStream) = |stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(&[b'a'; 4096]).is_ok() {}
    };
    let drips: fn(&mut TcpStream) = |stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        while stream.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    };
    let silent: fn(&mut TcpStream) = |_| thread::sleep(Duration::from_secs(30));
    for (server_does, why) in [
        (endless, "its head is longer than 64 KiB"),
        (drips, "it does not answer in time"),
        (silent, "it does not answer in time"),
    ] {
        let (port, _) = server(server_does);
        let begun = Instant::now();
        assert_eq!(asked(port, json!({})), format!("answer: wanted status 200, saw {why}"));
        assert!(begun.elapsed() < Duration::from_secs(8), "{why}: {:?}", begun.elapsed());
    }
}

#[test]
fn of_an_endless_body_only_what_was_found_is_known() {
    let endless = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello");
        while stream.write_all(&[b'a'; 65_536]).is_ok() {}
    };
    for (body, says) in [
        (json!("hello"), "passed"),
        (
            json!({ "lacks": "bye" }),
            "unknown: cannot tell the state of body: it is longer than the 1048576 bytes that were looked at",
        ),
    ] {
        let (port, _) = server(endless);
        assert_eq!(asked(port, json!({ "body": body })), says);
    }
}

#[test]
fn a_server_is_asked_as_it_is_meant_to_be() {
    let (port, heard) = server(|stream| drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")));
    let keys = json!({ "url": format!("http://www.example.org:{port}/a?b=c#d"), "connect": "127.0.0.1", "request": { "X-Y": "z" } });
    assert_eq!(asked(port, keys), "passed");
    let heard = heard.join().unwrap();
    let head = format!("GET /a?b=c HTTP/1.1\r\nHost: www.example.org:{port}\r\n");
    assert!(heard.starts_with(&head) && heard.contains("\r\nX-Y: z\r\n"), "{heard}");
}

#[test]
fn from_outside_this_machine_is_the_host() {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let check = spec("port", json!({ "number": port, "address": "localhost" }));
    let scene =
        Scene { machine: None, address: "127.0.0.2", tls: None, names: None, stop: &AtomicBool::new(false) };
    assert_eq!(said(&run(&[check], &scene)[0]), "passed");
}

#[test]
fn a_port_is_open_or_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let state = |state: &str| {
        let found = said(&look(&spec("port", json!({ "number": port, "state": state })), None));
        found.replace(&port.to_string(), "PORT")
    };
    assert_eq!(
        (state("open").as_str(), state("closed").as_str()),
        ("passed", "port PORT: wanted closed, saw open")
    );
    drop(listener);
    let refused = "port PORT: wanted open, saw closed: 127.0.0.1:PORT refuses connections";
    assert_eq!((state("open").as_str(), state("closed").as_str()), (refused, "passed"));
}
