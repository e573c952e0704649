//! A connection by libssh2, and how commands are started over it.

use super::pipe::{Pipe, Remote};
use super::ssh2_flow::{CHUNK, Flow, Stream, WINDOW};
use super::ssh2_link::{Link, Stop};
use super::ssh2_pipe::Ssh2Pipe;
use crate::endpoint::Endpoint;
use crate::known_hosts::HostKey;
use crate::trouble::{Stage, Trouble};
use rustix::net::{RecvFlags, recv};
use ssh2::{Channel, ErrorCode};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long a host may take to start a command: a login may have to wait for the last one's session to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// `LIBSSH2_ERROR_CHANNEL_FAILURE`, `LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED`.
const REFUSED: [ErrorCode; 2] = [ErrorCode::Session(-21), ErrorCode::Session(-22)];
/// How long a host that says something may take to open a channel.
const TENDING: Duration = Duration::from_secs(5);

/// A connection by libssh2.
pub(super) struct Ssh2 {
    // Dropped before their session.
    next: Option<Channel>,
    /// A channel without a command, to hear the host by.
    ear: Option<Flow>,
    link: Arc<Link>,
    endpoint: Endpoint,
    shown: Vec<(Endpoint, HostKey)>,
}

impl Ssh2 {
    /// `shown` is who is on the way, the host itself last, each with the key that it has shown.
    pub(super) fn new(link: Link, endpoint: Endpoint, shown: Vec<(Endpoint, HostKey)>) -> Self {
        Self { next: None, ear: None, link: Arc::new(link), endpoint, shown }
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Whoever is on the way, the host itself last, each with the key that it has shown.
    pub(super) fn shown(&self) -> &[(Endpoint, HostKey)] {
        &self.shown
    }

    /// Sees to what the host says while no command runs: it may ask whether somebody is there, and is answered.
    ///
    /// # Errors
    /// The connection has ended.
    pub(super) fn tend(&mut self) -> io::Result<()> {
        self.has_ended()?;
        // libssh2 hears the host only where it does something, such as to read from a channel.
        let ear = match self.ear.take() {
            Some(ear) => self.ear.insert(ear),
            None => {
                let opened = self.open(TENDING).map_err(|_| io::ErrorKind::ConnectionAborted)?;
                self.ear.insert(Flow::new(opened, self.link.clone()))
            }
        };
        while ear.read(Stream::Out, &mut vec![0; CHUNK])?.is_some() {}
        if ear.is_over() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    /// Looks whether the connection has ended.
    ///
    /// # Errors
    /// It has.
    pub(super) fn has_ended(&self) -> io::Result<()> {
        let ended = self.link.with_socket(|socket| {
            matches!(recv(socket, &mut [0], RecvFlags::PEEK | RecvFlags::DONTWAIT), Ok((0, _)))
        });
        if ended { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Opens the channel of the next command, within `limit`: a host that does so is there.
    pub(super) fn open_next(&mut self, limit: Duration) -> Result<(), Trouble> {
        // sshd hears of the ends of these before it is asked for another.
        (self.ear, self.next) = (None, None);
        let opened = self.open(limit);
        self.next = Some(opened.map_err(|stop| self.link.trouble(Stage::Elevate, limit, &stop))?);
        Ok(())
    }

    fn open(&self, limit: Duration) -> Result<Channel, Stop> {
        let session = self.link.session();
        self.link.until(limit, || session.channel_open("session", WINDOW, CHUNK as u32, None))
    }

    /// Starts a command.
    pub(super) fn start(&mut self, command: &str) -> Result<Ssh2Pipe, Trouble> {
        self.start_within(command, PATIENCE)
    }

    /// Starts a command, for which the host may take so long.
    pub(super) fn start_within(&mut self, command: &str, limit: Duration) -> Result<Ssh2Pipe, Trouble> {
        let trouble = |stop| match stop {
            Stop::Failed(error) if REFUSED.contains(&error.code()) => {
                let (name, why) = (&self.endpoint.alias, error.message());
                Trouble::Elevation(format!(
                    "{name} lets {} in but runs no command: {why}",
                    self.endpoint.user
                ))
            }
            stop => self.link.trouble(Stage::Elevate, limit, &stop),
        };
        let mut channel = match self.next.take() {
            Some(channel) => channel,
            None => self.open(limit).map_err(trouble)?,
        };
        self.link.until(limit, || channel.exec(command)).map_err(trouble)?;
        Ok(Ssh2Pipe::new(channel, self.link.clone(), &self.endpoint))
    }
}

impl Remote for Ssh2 {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        Ok(Box::new(self.start(command)?))
    }
}
