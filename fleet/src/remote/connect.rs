//! From an endpoint to a logged-in connection: chooses the transport, and goes through the hosts on the way.

use super::access::{Access, Transport};
use super::dial::dial;
use super::openssh::OpenSsh;
use super::pipe::Remote;
use super::ssh2_jump::through;
use super::ssh2_link::Link;
use super::ssh2_login::log_in;
use super::ssh2_open::open;
use super::ssh2_remote::Ssh2;
use super::unsuited::Unsuited;
use crate::endpoint::Endpoint;
use crate::trouble::Trouble;

/// Connects to the host and logs in. With [`Transport::Auto`], what libssh2 lacks goes over the system's `ssh`, and a note says so.
///
/// # Errors
/// Each of the dead ends up to and including the login.
pub fn connect(endpoint: &Endpoint, access: &Access<'_>) -> Result<Box<dyn Remote>, Trouble> {
    let hops = endpoint.jumps.iter().chain([endpoint]);
    let need = hops.into_iter().find_map(|hop| hop.needs_openssh.as_deref());
    match (access.transport, need) {
        (Transport::OpenSsh, _) => Ok(over_openssh(endpoint)),
        (Transport::Auto, Some(need)) => {
            (access.notes)(&format!("{}: {need} is for the system's ssh, which is used", endpoint.alias));
            Ok(over_openssh(endpoint))
        }
        (Transport::Ssh2, Some(need)) => Err(Trouble::Here(format!(
            "{}: {need} is for the system's ssh, and the transport ssh2 was asked for",
            endpoint.alias
        ))),
        (transport, None) => match over_kept(endpoint, access) {
            Ok(remote) => Ok(remote),
            Err(Unsuited { openssh_may: Some(why), .. }) if transport == Transport::Auto => {
                (access.notes)(&format!("{}: {why}; the system's ssh is tried", endpoint.alias));
                Ok(over_openssh(endpoint))
            }
            Err(unsuited) => Err(unsuited.trouble),
        },
    }
}

/// By a process that keeps the connection for later calls, where there can be one; else in this process.
fn over_kept(endpoint: &Endpoint, access: &Access<'_>) -> Result<Box<dyn Remote>, Unsuited> {
    if let Some(keep) = access.keep {
        match keep.connect(endpoint, access) {
            Some(Ok(kept)) => return Ok(Box::new(kept)),
            Some(Err(unsuited)) => return Err(unsuited),
            None => {}
        }
    }
    Ok(Box::new(over_ssh2(endpoint, access)?))
}

/// A connection of this process.
pub(super) fn over_ssh2(endpoint: &Endpoint, access: &Access<'_>) -> Result<Ssh2, Unsuited> {
    let mut way: Option<(&Endpoint, Link)> = None;
    let mut shown = Vec::new();
    for next in endpoint.jumps.iter().chain([endpoint]) {
        let (socket, hop) = match way.take() {
            None => {
                let stream = dial(next).map_err(|trouble| placed(endpoint, next, trouble.into()))?;
                (stream.into(), None)
            }
            Some((hop, link)) => {
                let (socket, hop) = through(link, hop, next)?;
                (socket, Some(hop))
            }
        };
        let link = Link::new(hop)?;
        let met = open(&link, socket, next, access)
            .and_then(|key| log_in(&link, next, access).map(|()| (next.clone(), key)));
        shown.push(met.map_err(|unsuited| placed(endpoint, next, unsuited))?);
        way = Some((next, link));
    }
    let (_, link) = way.expect("the endpoint itself is always on the way");
    Ok(Ssh2::new(link, endpoint.clone(), shown))
}

/// What is wrong with a host on the way is said with its name.
fn placed(endpoint: &Endpoint, at: &Endpoint, unsuited: Unsuited) -> Unsuited {
    if std::ptr::eq(endpoint, at) {
        return unsuited;
    }
    let trouble = Trouble::Through { hop: at.alias.clone(), trouble: Box::new(unsuited.trouble) };
    Unsuited { trouble, ..unsuited }
}

fn over_openssh(endpoint: &Endpoint) -> Box<dyn Remote> {
    Box::new(OpenSsh::new(endpoint.clone()))
}
