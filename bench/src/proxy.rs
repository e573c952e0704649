//! A TCP proxy that takes its time: what one side says reaches the other half a round trip later, as over a long line of full width. Connecting to
//! it takes none. It knows nothing of what passes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Listens on a port of the loopback, which it returns, for as long as this process lives.
pub fn start(to: (String, u16), milliseconds: u64) -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let half = Duration::from_micros(milliseconds * 500);
    spawn(move || -> anyhow::Result<()> {
        for near in listener.incoming() {
            let (near, far) = (near?, TcpStream::connect((to.0.as_str(), to.1))?);
            for stream in [&near, &far] {
                stream.set_nodelay(true)?;
            }
            let (from_near, to_near) = (near.try_clone()?, near);
            let (from_far, to_far) = (far.try_clone()?, far);
            spawn(move || pass(from_near, to_far, half));
            spawn(move || pass(from_far, to_near, half));
        }
        Ok(())
    });
    Ok(port)
}

/// Ends when one side does; the other is told.
fn pass(mut from: TcpStream, mut to: TcpStream, late: Duration) {
    let (give, take) = channel::<(Instant, Vec<u8>)>();
    spawn(move || {
        for (due, bytes) in take {
            sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Write)
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if give.send((Instant::now() + late, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::start;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    #[test]
    fn an_echo_takes_a_round_trip() {
        let echo = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = echo.local_addr().expect("its number").port();
        std::thread::spawn(move || {
            let (stream, _) = echo.accept().expect("a connection");
            std::io::copy(&mut stream.try_clone().expect("another"), &mut &stream).expect("an echo")
        });
        let proxy = start(("127.0.0.1".to_owned(), port), 100).expect("a proxy");
        let mut stream = TcpStream::connect(("127.0.0.1", proxy)).expect("a connection");
        let began = Instant::now();
        stream.write_all(b"hello").expect("said");
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).expect("heard");
        assert_eq!(&heard, b"hello");
        assert!(began.elapsed().as_millis() >= 100);
    }
}
