//! Places in the network: a server that holds whatever is put there.

use bundle::{Refusal, Source};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// Answers so many requests on a port of its own; its address.
fn server(requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one");
    std::thread::spawn(move || {
        let mut held = BTreeMap::new();
        for stream in listener.incoming().take(requests) {
            answer(stream.expect("somebody calls"), &mut held);
        }
    });
    format!("http://{address}/bundles/")
}

fn answer(mut stream: TcpStream, held: &mut BTreeMap<String, Vec<u8>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("it can be shared"));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a request");
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.to_ascii_lowercase());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length:")).map_or("0", str::trim);
    let mut body = vec![0; length.parse().expect("a number")];
    reader.read_exact(&mut body).expect("a body");
    let path = lines[0].split(' ').nth(1).expect("a path").to_owned();
    let (status, body) = match (lines[0].starts_with("put"), held.get(&path)) {
        (true, _) => {
            ("201 Created", held.insert(path, body).map(drop).map_or_else(Vec::new, |()| Vec::new()))
        }
        (false, Some(found)) => ("200 OK", found.clone()),
        (false, None) => ("404 Not Found", b"nothing".to_vec()),
    };
    let time = "Sat, 21 Nov 2026 12:00:00 GMT";
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nLast-Modified: {time}\r\nETag: \"x\"\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).expect("it listens");
}

fn get(place: &dyn Source, name: &str, most: u64) -> Result<Option<Vec<u8>>, Refusal> {
    let mut bytes = Vec::new();
    Ok(place.get(name, most, &mut bytes)?.map(|_| bytes))
}

#[test]
fn what_is_put_on_a_server_is_found_there() {
    let place = bundle::source(&server(4)).expect("it is a place");
    assert_eq!(get(&*place, "a", 10).expect("it can be told"), None);
    place.put("a", b"hello").expect("it takes it");
    assert_eq!(get(&*place, "a", 5).expect("it can be told").as_deref(), Some(&b"hello"[..]));
    let refusal = get(&*place, "a", 4).expect_err("it is too much");
    assert_eq!(refusal.to_string(), "the bundle has 5 bytes, and 4 are the most that is taken");
}

#[test]
fn a_server_that_is_gone_is_told_soon() {
    let place = bundle::source("http://127.0.0.1:9/x").expect("it is a place");
    let began = std::time::Instant::now();
    let told = get(&*place, "a", 10).expect_err("nobody is there").to_string();
    let again = get(&*place, "a", 10).expect_err("nobody is there").to_string();
    assert_eq!(told, again, "it is told anew each time that it takes longer");
    assert!(told.starts_with("cannot fetch http://127.0.0.1:9/x/a: "), "{told}");
    assert!(told.contains("refused") && began.elapsed().as_secs() < 30, "{told}");
}
