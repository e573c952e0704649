//! `https://` against a server of TLS on this machine, whose certificates are in `tests/cases/tls`: `good` and `expired` are signed by
//! `authority` for www.example.org; `own`, `early` and `authority-of-itself` by nobody else.

use checks::look_from_keel;
use model::{CheckEnd, CheckSpec};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

const AUTHORITY: &str = include_str!("../../tests/cases/tls/authority.pem");
const GOOD: &str = include_str!("../../tests/cases/tls/good.pem");
const EXPIRED: &str = include_str!("../../tests/cases/tls/expired.pem");
const OWN: &str = include_str!("../../tests/cases/tls/own.pem");
const EARLY: &str = include_str!("../../tests/cases/tls/early.pem");
const AUTHORITY_OF_ITSELF: &str = include_str!("../../tests/cases/tls/authority-of-itself.pem");
const KEY: &str = include_str!("../../tests/cases/tls/server.key");

/// Answers one connection; its port.
fn listening(answer: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || answer(listener.accept().unwrap().0));
    port
}

/// A server with this certificate that says what name it was asked for.
fn server(certificate: &'static str) -> u16 {
    listening(move |stream| {
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        let mut asked = [0; 1024];
        if stream.read(&mut asked).is_err() {
            return;
        }
        let name = stream.conn.server_name().unwrap_or_default().to_owned();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
        stream.write_all(answer.as_bytes()).unwrap();
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

fn seen(port: u16, host: &str, tls: Value) -> String {
    let params = json!({ "url": format!("https://{host}:{port}/"), "body": { "equals": host }, "tls": tls });
    let check =
        CheckSpec { name: "c".into(), subject: "http".into(), params, timeout: 2, ..CheckSpec::default() };
    let result = look_from_keel(&[check], "127.0.0.1", &AtomicBool::new(false)).remove(0);
    match result.end {
        CheckEnd::Passed => "passed".to_owned(),
        CheckEnd::Failed => result.shortfalls[0].to_string(),
        CheckEnd::Unknown => format!("unknown: {}", result.because),
    }
}

#[test]
fn a_certificate_is_held_to_what_is_wanted() {
    let (name, other) = ("www.example.org", "mail.example.org");
    let by = |ca: &str| json!({ "ca": ca });
    let lasts = |time: &str| json!({ "ca": AUTHORITY, "valid_for": time });
    for (certificate, host, tls, says) in [
        (GOOD, name, by(AUTHORITY), "passed"),
        (GOOD, name, lasts("14d"), "passed"),
        (
            GOOD,
            name,
            lasts("40000d"),
            "certificate: wanted valid for 40000 days more, saw its end on 2099-12-31",
        ),
        (EXPIRED, name, by(AUTHORITY), "certificate: wanted valid, saw its end on 2021-01-01"),
        (GOOD, other, by(AUTHORITY), "certificate: wanted for mail.example.org, saw for www.example.org"),
        (OWN, name, by(AUTHORITY), "certificate: wanted by one of `ca`, saw by somebody else"),
        (OWN, name, by(OWN), "passed"),
        (
            GOOD,
            name,
            by("no PEM"),
            "unknown: cannot tell the state of www.example.org: `ca` holds no certificate",
        ),
    ] {
        assert_eq!(seen(server(certificate), host, tls), says);
    }
}

/// As people make them by hand.
#[test]
fn what_no_server_may_show_is_told_in_words() {
    let name = "www.example.org";
    for (certificate, ca, says) in [
        (EARLY, EARLY, "certificate: wanted valid, saw its beginning on 2090-01-02"),
        (
            AUTHORITY_OF_ITSELF,
            AUTHORITY_OF_ITSELF,
            "certificate: wanted of a server, saw of an authority (CA:TRUE), which no server may have",
        ),
    ] {
        assert_eq!(seen(server(certificate), name, json!({ "ca": ca })), says);
    }
}

#[test]
fn who_speaks_no_tls_has_failed_in_time() {
    let plain = |mut stream: TcpStream| drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let silent = |stream: TcpStream| {
        thread::sleep(Duration::from_secs(4));
        drop(stream);
    };
    let drips = |mut stream: TcpStream| {
        let _ = stream.write_all(&[22, 3, 3, 0x3f, 0xff]);
        while stream.write_all(&[0]).is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    };
    let begun = Instant::now();
    for (port, part) in [
        (listening(plain), "tls: wanted TLS with www.example.org, saw "),
        (listening(silent), "saw no answer in time"),
        (listening(drips), "tls: wanted TLS with www.example.org, saw "),
    ] {
        let said = seen(port, "www.example.org", json!({ "ca": AUTHORITY }));
        assert!(said.contains(part), "{said}");
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}
