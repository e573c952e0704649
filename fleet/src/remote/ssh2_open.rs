//! From a socket to a session whose host is the right one: banner, key exchange, host key. Nothing of ours is shown to a host before that;
//! logging in comes next.

use super::access::Access;
use super::ssh2_link::{AGAIN, Link, Stop, now, wait_for};
use super::unsuited::Unsuited;
use crate::endpoint::Endpoint;
use crate::known_hosts::{self, HostKey, Judgement};
use crate::trouble::{Stage, Trouble};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv};
use ssh2::{ErrorCode, MethodType};
use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

/// How many lines may come before the version, and how long one may be.
const LINES: usize = 50;
const LINE: usize = 512;

/// `LIBSSH2_ERROR_KEX_FAILURE`, `LIBSSH2_ERROR_METHOD_NOT_SUPPORTED`.
const NO_AGREEMENT: [ErrorCode; 2] = [ErrorCode::Session(-5), ErrorCode::Session(-33)];

/// Opens the session on `link` and makes sure of the host. A key that is to be taken is recorded. The key that the host has.
///
/// # Errors
/// No answer within `ConnectTimeout`, no SSH server, nothing in common with it, or not the right host.
pub(super) fn open(
    link: &Link,
    socket: OwnedFd,
    endpoint: &Endpoint,
    access: &Access<'_>,
) -> Result<HostKey, Unsuited> {
    prefer(link, known_hosts::algorithms(endpoint)?)
        .map_err(|error| link.lost(Stage::HostKey, &error.message()))?;
    handshake(link, endpoint, socket)?;
    let unknown = || Trouble::HostKey(format!("{} has shown no host key", endpoint.alias));
    let (blob, _) = link.session().host_key().ok_or_else(unknown)?;
    let key = HostKey::from_blob(blob).ok_or_else(unknown)?;
    if known_hosts::judge(endpoint, &key)? == Judgement::ToRecord {
        known_hosts::record(endpoint, &key)?;
        let (kind, fingerprint) = (key.short_kind(), key.fingerprint());
        (access.notes)(&format!("{}: recorded its {kind} host key {fingerprint}", endpoint.alias));
    }
    Ok(key)
}

/// Asks for a host key of a type that is known first, and for any other after it: a host that no longer has it has changed, and says which it has.
fn prefer(link: &Link, mut algorithms: Vec<String>) -> Result<(), ssh2::Error> {
    if algorithms.is_empty() {
        return Ok(());
    }
    let all = link.session().supported_algs(MethodType::HostKey)?;
    let others =
        all.into_iter().filter(|one| !algorithms.iter().any(|known| known == one)).map(str::to_owned);
    let others: Vec<_> = others.collect();
    algorithms.extend(others);
    link.session().method_pref(MethodType::HostKey, &algorithms.join(","))
}

fn handshake(link: &Link, endpoint: &Endpoint, socket: OwnedFd) -> Result<(), Unsuited> {
    let (limit, start) = (endpoint.connect_timeout, Instant::now());
    let late = |stage| Trouble::Timeout { stage, limit, setting: " (ConnectTimeout)" };
    let lost = |stage: Stage, error: &dyn Display| Unsuited::from(link.lost(stage, error));
    let mut session = link.session().clone();
    let mut step = || match session.handshake() {
        Err(error) if error.code() != AGAIN => Err(error),
        _ => Ok(()),
    };
    // libssh2 skips whatever comes before a version, without an end, and forgets it. So it gets to see the version only.
    step().map_err(|error| lost(Stage::Connect, &error.message()))?;
    hand_over(link, &socket).map_err(|error| lost(Stage::Connect, &error))?;
    let mut greeting = Greeting::default();
    let version = greeting.version(&socket, start + limit).map_err(|stop| match stop {
        _ if link.hop_has_ended() => lost(Stage::Connect, &"it ended"),
        NoVersion::Late => late(Stage::Connect).into(),
        NoVersion::None => not_ssh(endpoint, greeting.said).into(),
    })?;
    link.near().write_all(&version).map_err(|error| lost(Stage::Connect, &error))?;
    step().map_err(|error| lost(Stage::HostKey, &error.message()))?;
    hand_over(link, &socket).map_err(|error| lost(Stage::HostKey, &error))?;
    link.attach(socket).map_err(|error| lost(Stage::HostKey, &error))?;
    let left = limit.saturating_sub(start.elapsed());
    link.until(left, || session.handshake()).map_err(|stop| match stop {
        Stop::Late => late(Stage::HostKey).into(),
        Stop::Failed(error) if NO_AGREEMENT.contains(&error.code()) => {
            no_agreement(endpoint, error.message())
        }
        Stop::Failed(error) => lost(Stage::HostKey, &error.message()),
    })
}

/// What libssh2 has sent before it had a host. It is little, and the first there is on this socket.
fn hand_over(link: &Link, socket: &OwnedFd) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while let Some(count) = now(link.near().read(&mut buffer))? {
        let sent = rustix::net::send(socket, &buffer[..count], SendFlags::empty())?;
        if sent < count {
            return Err(io::Error::new(io::ErrorKind::WriteZero, "it takes nothing"));
        }
    }
    Ok(())
}

fn not_ssh(endpoint: &Endpoint, said: String) -> Trouble {
    Trouble::NotSsh { address: format!("{}:{}", endpoint.host, endpoint.port), said }
}

/// libssh2 does not have what the host asks for; newer or older than itself, `ssh` may.
fn no_agreement(endpoint: &Endpoint, because: &str) -> Unsuited {
    let what =
        format!("{} and libssh2 have no cipher, key exchange or type of host key in common", endpoint.alias);
    Unsuited { trouble: Trouble::HostKey(format!("{what} ({because})")), openssh_may: Some(what) }
}

/// What a host says up to and including its version (RFC 4253, section 4.2).
#[derive(Default)]
struct Greeting {
    /// The first line, or the start of it, for the message.
    said: String,
    line: Vec<u8>,
    lines: usize,
}

/// Why there is no version.
enum NoVersion {
    Late,
    /// Something else came, too much of it, or the end.
    None,
}

impl Greeting {
    /// The line with the version; what comes after it stays on the socket.
    fn version(&mut self, socket: &OwnedFd, until: Instant) -> Result<Vec<u8>, NoVersion> {
        while self.lines < LINES && self.line.len() < LINE {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoVersion::Late);
            }
            if !self.take(socket, left)? {
                continue;
            }
            if self.line.starts_with(b"SSH-") {
                return Ok(std::mem::take(&mut self.line));
            }
            self.line.clear();
            self.lines += 1;
        }
        self.remember();
        Err(NoVersion::None)
    }

    /// Waits for more of a line. True where that was its end.
    fn take(&mut self, socket: &OwnedFd, left: Duration) -> Result<bool, NoVersion> {
        let mut buffer = [0; LINE];
        // What is wrong with the socket is as good as its end.
        let ready = wait_for(socket.as_fd(), PollFlags::IN, left).map_err(|_| NoVersion::None)?;
        if ready.is_empty() {
            return Ok(false);
        }
        let count = match recv(socket, &mut buffer, RecvFlags::PEEK) {
            Ok((count @ 1.., _)) => count,
            Err(Errno::AGAIN) => return Ok(false),
            Ok(_) | Err(_) => {
                self.remember();
                return Err(NoVersion::None);
            }
        };
        let end = buffer[..count].iter().position(|byte| *byte == b'\n').map(|end| end + 1);
        let part = &mut buffer[..end.unwrap_or(count)];
        recv(socket, &mut *part, RecvFlags::empty()).map_err(|_| NoVersion::None)?;
        self.line.extend_from_slice(part);
        if end.is_some() {
            self.remember();
        }
        Ok(end.is_some())
    }

    /// Keeps the first line.
    fn remember(&mut self) {
        if self.said.is_empty() {
            self.said = String::from_utf8_lossy(&self.line).trim().chars().take(100).collect();
        }
    }
}
