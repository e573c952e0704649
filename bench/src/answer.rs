//! A page that a web server is to answer with, asked for until it does. It knows nothing of who puts it there. Next: `clock`.

use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it is asked for: seldom enough to cost nothing where nobody listens yet.
const PAUSE: Duration = Duration::from_millis(5);

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// A page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
pub struct Answer {
    /// Address and port of the server.
    #[arg(long, requires = "says", required = false)]
    pub at: SocketAddr,
    /// All that its page `/` says.
    #[arg(long, requires = "at", required = false)]
    pub says: String,
}

impl Answer {
    /// Asks until it is right: how long after `began` that was. Nothing where it is no longer waited for.
    pub fn first(&self, began: Instant, waits: &AtomicBool) -> Option<Duration> {
        while waits.load(Ordering::Relaxed) {
            if self.is_right() {
                return Some(began.elapsed());
            }
            std::thread::sleep(PAUSE);
        }
        None
    }

    /// Whether it is right now. A server that is about to come up answers in many ways.
    fn is_right(&self) -> bool {
        let ask = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect_timeout(&self.at, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(format!("GET / HTTP/1.0\r\nHost: {}\r\n\r\n", self.at).as_bytes())?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        let right = |answer: Vec<u8>| {
            answer.starts_with(b"HTTP/1.1 200 ")
                && answer.ends_with(format!("\r\n\r\n{}", self.says).as_bytes())
        };
        ask().is_ok_and(right)
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    #[test]
    fn the_first_right_answer_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let page = Answer { at: listener.local_addr().expect("an address"), says: "page\n".to_owned() };
        let answers = ["HTTP/1.1 404 Not Found\r\n\r\npage\n", "HTTP/1.1 200 OK\r\n\r\nold\n"];
        let all = answers.into_iter().chain(["HTTP/1.1 200 OK\r\nA: b\r\n\r\npage\n"]);
        let serves = std::thread::spawn(move || {
            for text in all {
                let (mut stream, _) = listener.accept().expect("somebody asks");
                assert!(stream.read(&mut [0; 512]).expect("a request") > 0);
                stream.write_all(text.as_bytes()).expect("it is read");
            }
        });
        assert!(page.first(Instant::now(), &AtomicBool::new(true)).is_some());
        serves.join().expect("all three were asked for");
        assert_eq!(page.first(Instant::now(), &AtomicBool::new(false)), None);
    }
}
