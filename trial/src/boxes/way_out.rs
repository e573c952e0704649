//! All of the network that a box has besides its own loopback: a proxy for apt on it, which lets through nothing but the package
//! sources of this machine. The box is not reached from outside, and nothing of the machine's network is changed for it.

use super::command::run;
use agent::os::child::Child;
use fleet::Remote;
use model::Failure;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// The proxy's port on the loopback of the box.
const PORT: u16 = 3142;
/// What a box reads it from. Nobody has that file but a box.
const CONFIG: &str = "/etc/apt/apt.conf.d/99keel-box";
/// Longest head of a request, in bytes.
const LONGEST: usize = 64 << 10;
/// How often somebody looks whether there is a connection, or the box has gone.
const GLANCE: Duration = Duration::from_millis(10);

/// The proxy of one box; it ends with this value.
#[derive(Debug)]
pub struct WayOut {
    over: Arc<AtomicBool>,
}

impl WayOut {
    /// Opens one for the box whose first process is `pid`, and tells apt in it.
    ///
    /// # Errors
    /// Its network could not be entered, or apt not be told.
    pub fn open(pid: u32, remote: &mut dyn Remote) -> Result<Self, Failure> {
        let over = Arc::new(AtomicBool::new(false));
        let (listener, ends) = (listen(pid)?, over.clone());
        // Asked of apt when a box asks for something.
        let sources: Arc<OnceLock<Result<BTreeSet<String>, Failure>>> = Arc::default();
        spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let sources = sources.clone();
                        spawn(move || match sources.get_or_init(asked) {
                            Ok(sources) => drop(serve(stream, sources)),
                            // What it is asked for is not reached then, and says so.
                            Err(_) => drop(stream),
                        });
                    }
                    // Nobody is there, or one that came has left again, or there are too many at the moment.
                    Err(_) => sleep(GLANCE),
                }
            }
        });
        let way_out = Self { over };
        let proxy = format!("http://127.0.0.1:{PORT}");
        let text = format!("Acquire::http::Proxy \"{proxy}\";\nAcquire::https::Proxy \"{proxy}\";\n");
        let script = "if [ -d /etc/apt/apt.conf.d ]; then cat >\"$0\"; else cat >/dev/null; fi";
        let said = run(remote, &["sh", "-euc", script, CONFIG], text.as_bytes(), Duration::from_secs(30));
        let said = said.map_err(|trouble| Failure::unknown("the box", trouble.to_string()))?;
        match said.status {
            Some(0) => Ok(way_out),
            _ => Err(Failure::unknown(
                "the box",
                format!("apt could not be told of its proxy: {}", said.errors.trim()),
            )),
        }
    }
}

/// What is to be said of a box that outlives its way out.
pub fn note(way_out: Option<WayOut>) -> String {
    way_out.map_or_else(String::new, |_| "apt reaches nothing in it any more".to_owned())
}

impl Drop for WayOut {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// A socket belongs to the network that its thread was in: this one is the box's, and is answered from ours.
fn listen(pid: u32) -> Result<TcpListener, Failure> {
    let path = format!("/proc/{pid}/ns/net");
    let own = path.clone();
    let bind = move || -> std::io::Result<TcpListener> {
        let network = File::open(own)?;
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        let listener = TcpListener::bind(("127.0.0.1", PORT))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    // The thread ends in there; ours has never left.
    let bound = spawn(bind).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    bound.map_err(|error| Failure::io("listen in", path, error))
}

/// The hosts that this machine's apt takes packages from; none where it has no apt.
fn asked() -> Result<BTreeSet<String>, Failure> {
    let output = match Child::new(["apt-get", "indextargets", "--format", "$(REPO_URI)"]).run() {
        Ok(output) => output.success()?.text()?,
        Err(Failure::Command { .. }) => return Ok(BTreeSet::new()),
        Err(failure) => return Err(failure),
    };
    let host = |line: &str| host_of(line.split_once("://")?.1.split('/').next()?);
    Ok(output.lines().filter_map(host).collect())
}

/// The host of an authority, without user and port.
fn host_of(authority: &str) -> Option<String> {
    let rest = authority.rsplit('@').next()?;
    let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
    (!host.is_empty()).then(|| host.to_owned())
}

/// One connection of a box.
fn serve(mut stream: TcpStream, sources: &BTreeSet<String>) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&piece[..count]),
        }
        if head.len() > LONGEST {
            return Ok(());
        }
    }
    let Some((address, tunnel)) = wanted(&String::from_utf8_lossy(&head), sources) else {
        return stream.write_all(b"HTTP/1.1 403 Not a package source of this machine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let mut there = match TcpStream::connect(address) {
        Ok(there) => there,
        Err(_) => {
            return stream
                .write_all(b"HTTP/1.1 502 Not reached\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    };
    match tunnel {
        Tunnel::Yes => stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?,
        // Servers take the address that a proxy is given as well (RFC 9112, 3.2.2).
        Tunnel::No => there.write_all(&head)?,
    }
    let (mut up, mut down) = (stream.try_clone()?, there.try_clone()?);
    let upwards = spawn(move || {
        let sent = std::io::copy(&mut up, &mut there);
        drop(there.shutdown(Shutdown::Write));
        sent
    });
    let received = std::io::copy(&mut down, &mut stream);
    drop(stream.shutdown(Shutdown::Both));
    drop(upwards.join());
    received.map(|_| ())
}

/// Whether bytes are only passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tunnel {
    Yes,
    No,
}

/// Where a request goes: host and port; `None` where that is no source of packages.
fn wanted(head: &str, sources: &BTreeSet<String>) -> Option<((String, u16), Tunnel)> {
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (authority, port, tunnel) = match method {
        "CONNECT" => (target, 443, Tunnel::Yes),
        _ => (target.strip_prefix("http://")?.split('/').next()?, 80, Tunnel::No),
    };
    let host = host_of(authority).filter(|host| sources.contains(host))?;
    let own = authority.rsplit('@').next()?.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    let port = own.transpose().ok()?.unwrap_or(port);
    Some(((host, port), tunnel))
}

#[cfg(test)]
mod tests {
    use super::{Tunnel, wanted};

    #[test]
    fn only_sources_of_packages_are_let_through() {
        let sources = ["deb.example.org".to_owned()].into();
        let to = |head: &str| wanted(head, &sources).map(|((host, port), tunnel)| (host, port, tunnel));
        let own = |port, tunnel| Some(("deb.example.org".to_owned(), port, tunnel));
        assert_eq!(to("GET http://deb.example.org/debian/x HTTP/1.1\r\n\r\n"), own(80, Tunnel::No));
        assert_eq!(to("GET http://u:p@deb.example.org:8080/x HTTP/1.1\r\n\r\n"), own(8080, Tunnel::No));
        assert_eq!(to("CONNECT deb.example.org:443 HTTP/1.1\r\n\r\n"), own(443, Tunnel::Yes));
        for other in [
            "GET http://other.example.org/ HTTP/1.1",
            "GET /x HTTP/1.1",
            "CONNECT other:443 HTTP/1.1",
            "",
            "GET http://deb.example.org:x/ HTTP/1.1",
        ] {
            assert_eq!(to(other), None, "{other}");
        }
    }
}
