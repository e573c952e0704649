//! `dns` against name servers on this machine.

use crate::scene::{look, said, spec};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::thread;

/// The answer to `asked`: these flags, and an A record for each address.
fn answer(asked: &[u8], flags: [u8; 2], addresses: &[[u8; 4]]) -> Vec<u8> {
    let mut out = asked.to_vec();
    (out[2], out[3], out[7]) = (flags[0], flags[1], addresses.len() as u8);
    for address in addresses {
        out.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04");
        out.extend(address);
    }
    out
}

/// A server that answers everything so over UDP, and with two addresses over TCP; its address.
fn server(flags: [u8; 2], addresses: &'static [[u8; 4]]) -> String {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(at).unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = udp.recv_from(&mut bytes) {
            let mut other = bytes[..length].to_vec();
            other[0] ^= 0xff;
            // Somebody who guesses comes first.
            udp.send_to(&answer(&other, [0x81, 0x80], &[[6, 6, 6, 6]]), from).unwrap();
            udp.send_to(&answer(&bytes[..length], flags, addresses), from).unwrap();
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming() {
            let (mut stream, mut length) = (stream.unwrap(), [0; 2]);
            stream.read_exact(&mut length).unwrap();
            let mut asked = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut asked).unwrap();
            let said = answer(&asked, [0x81, 0x80], &[[192, 0, 2, 1], [192, 0, 2, 2]]);
            stream.write_all(&[&(said.len() as u16).to_be_bytes()[..], &said].concat()).unwrap();
        }
    });
    at.to_string()
}

fn seen(server: &str, keys: Value) -> String {
    let mut params = json!({ "name": "www.example.org", "server": server });
    params.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    said(&look(&spec("dns", params), None)).replace(server, "SERVER")
}

#[test]
fn a_name_has_what_is_wanted_or_not() {
    let one = server([0x81, 0x80], &[[192, 0, 2, 7]]);
    let none = server([0x81, 0x83], &[]);
    let cut = server([0x83, 0x80], &[]);
    for (at, keys, says) in [
        (&one, json!({}), "passed"),
        (&one, json!({ "contains": ["192.0.2.7"] }), "passed"),
        (&one, json!({ "contains": ["192.0.2.8"] }), "www.example.org A: wanted 192.0.2.8, saw 192.0.2.7"),
        (&one, json!({ "absent": true }), "www.example.org A: wanted no record, saw 192.0.2.7"),
        (&one, json!({ "type": "AAAA" }), "www.example.org AAAA: wanted a record, saw no such record"),
        (&none, json!({}), "www.example.org A: wanted a record, saw no such record"),
        (&none, json!({ "absent": true }), "passed"),
        (&cut, json!({ "contains": ["192.0.2.1", "192.0.2.2"] }), "passed"),
    ] {
        assert_eq!(seen(at, keys), says);
    }
}

#[test]
fn who_could_not_be_asked_has_said_nothing_of_the_name() {
    let failing = server([0x81, 0x82], &[]);
    let unknown = "unknown: cannot tell the state of www.example.org: ";
    for keys in [json!({}), json!({ "absent": true })] {
        let said = seen(&failing, keys.clone());
        assert_eq!(said, format!("{unknown}the name server failed (SERVFAIL) (SERVER)"));
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let said = seen(&silent.local_addr().unwrap().to_string(), keys);
        assert_eq!(said, format!("{unknown}SERVER does not answer"));
    }
}
