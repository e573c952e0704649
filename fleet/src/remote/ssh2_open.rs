//! From a socket to a session whose host is the right one: banner, key exchange, host key. Nothing of ours is shown to a host before that;
//! logging in comes next.

use super::ssh2_link::{Link, Stop};
use super::unsuited::Unsuited;
use crate::endpoint::Endpoint;
use crate::known_hosts::HostKey;
use crate::trouble::{Stage, Trouble};
use rustix::net::{RecvFlags, recv};
use ssh_key::PublicKey;
use ssh2::ErrorCode;

/// How many lines may come before the version (RFC 4253, section 4.2, allows them), and how long one may be.
const LINES: usize = 50;
const LINE: usize = 512;

/// `LIBSSH2_ERROR_KEX_FAILURE`, `LIBSSH2_ERROR_METHOD_NOT_SUPPORTED`.
const NO_AGREEMENT: [ErrorCode; 2] = [ErrorCode::Session(-5), ErrorCode::Session(-33)];

/// Opens the session on `link` and makes sure of the host. A key that is to be taken is recorded.
///
/// # Errors
/// No answer within `ConnectTimeout`, no SSH server, nothing in common with it, or not the right host.
pub(super) fn open(link: &Link, endpoint: &Endpoint) -> Result<(), Unsuited> {
    handshake(link, endpoint)?;
    let unknown = || Trouble::HostKey(format!("{} has shown no host key", endpoint.alias));
    let (blob, _) = link.session().host_key().ok_or_else(unknown)?;
    let key = HostKey::from_blob(blob).ok_or_else(unknown)?;
    let blobs =
        endpoint.host_keys.iter().filter_map(|line| PublicKey::from_openssh(line).ok()?.to_bytes().ok());
    if blobs.into_iter().any(|blob| blob == key.blob()) {
        return Ok(());
    }
    let (kind, fingerprint) = (key.short_kind(), key.fingerprint());
    Err(Trouble::HostKey(format!("{}: its {kind} key {fingerprint} is unknown", endpoint.alias)).into())
}

fn handshake(link: &Link, endpoint: &Endpoint) -> Result<(), Unsuited> {
    let limit = endpoint.connect_timeout;
    let mut greeting = Greeting::default();
    // Another handle of the same session: what is asked of it while the closure has this one is asked of that one.
    let mut session = link.session().clone();
    let done = link.until(limit, || {
        if let Err(Endless) = greeting.look(link) {
            return Err(ssh2::Error::new(ErrorCode::Session(-2), "too much before the version"));
        }
        session.handshake()
    });
    let greeted = session.banner_bytes().is_some_and(|banner| banner.starts_with(b"SSH-"));
    let address = || format!("{}:{}", endpoint.host, endpoint.port);
    match done {
        Ok(()) => Ok(()),
        Err(Stop::Late) => {
            let stage = if greeted { Stage::HostKey } else { Stage::Connect };
            Err(Trouble::Timeout { stage, limit, setting: " (ConnectTimeout)" }.into())
        }
        Err(Stop::Failed(error)) if !greeted && greeting.said.is_empty() && !ended(&error) => {
            Err(link.lost(Stage::Connect, &error.message()).into())
        }
        Err(Stop::Failed(_)) if !greeted => {
            Err(Trouble::NotSsh { address: address(), said: greeting.said }.into())
        }
        Err(Stop::Failed(error)) if NO_AGREEMENT.contains(&error.code()) => {
            Err(no_agreement(endpoint, error.message()))
        }
        Err(Stop::Failed(error)) => Err(link.lost(Stage::HostKey, &error.message()).into()),
    }
}

/// libssh2 does not have what the host asks for; newer or older than itself, `ssh` may.
fn no_agreement(endpoint: &Endpoint, because: &str) -> Unsuited {
    let what =
        format!("{} and libssh2 have no cipher, key exchange or type of host key in common", endpoint.alias);
    Unsuited { trouble: Trouble::HostKey(format!("{what} ({because})")), openssh_may: Some(what) }
}

/// `LIBSSH2_ERROR_SOCKET_DISCONNECT`, `LIBSSH2_ERROR_SOCKET_RECV`, `LIBSSH2_ERROR_BANNER_RECV`: the end, or what no banner has in it.
fn ended(error: &ssh2::Error) -> bool {
    [-13, -43, -2].map(ErrorCode::Session).contains(&error.code())
}

/// What a host says before its version. libssh2 skips that without a limit, and forgets it.
#[derive(Default)]
struct Greeting {
    /// The first line, or the start of it.
    said: String,
    lines: usize,
    /// The version has come: the rest is for libssh2.
    over: bool,
}

/// There is more of it than there should be.
struct Endless;

impl Greeting {
    /// Takes what has come and is no version off the socket, without waiting.
    fn look(&mut self, link: &Link) -> Result<(), Endless> {
        let mut buffer = [0; LINE];
        while !self.over {
            // What is wrong with the socket libssh2 will find out itself.
            let Ok((count, _)) = recv(link.socket(), &mut buffer, RecvFlags::PEEK | RecvFlags::DONTWAIT)
            else {
                return Ok(());
            };
            let words = &buffer[..count];
            self.over = count == 0 || words.starts_with(&b"SSH-"[..count.min(4)]);
            if self.over {
                return Ok(());
            }
            let end = words.iter().position(|byte| *byte == b'\n');
            if self.said.is_empty() {
                let line = &words[..end.unwrap_or(count.min(100))];
                self.said = String::from_utf8_lossy(line).trim().chars().take(100).collect();
            }
            self.lines += 1;
            match end {
                Some(_) | None if self.lines > LINES || (end.is_none() && count == LINE) => {
                    return Err(Endless);
                }
                Some(end) if recv(link.socket(), &mut buffer[..=end], RecvFlags::DONTWAIT).is_ok() => {}
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}
