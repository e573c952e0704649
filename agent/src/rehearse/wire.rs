//! Sending and receiving the messages of `job` over frames.
//! It must not hold more than the catalog, the secrets and the contents that the catalog names.

use super::frame::{self, Tag};
use super::job::{Down, Job};
use model::{Digest, Failure, Secrets};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::Arc;
use wire::Blobs;

/// Contents are sent in pieces of this size.
const PIECE: usize = 1 << 20;

/// Sends one message.
pub(super) fn tell(to: &mut impl Write, message: &impl Serialize) -> Result<()> {
    frame::write(to, Tag::Message, &serde_json::to_vec(message)?)
}

/// Receives one message; `None` where the other side has ended.
pub(super) fn hear<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>> {
    match frame::read(from)? {
        None => Ok(None),
        Some((Tag::Message, payload)) => Ok(Some(serde_json::from_slice(&payload)?)),
        Some((Tag::Bytes, _)) => Err(unexpected()),
    }
}

fn bytes(from: &mut impl Read) -> Result<Vec<u8>> {
    match frame::read(from)? {
        Some((Tag::Bytes, payload)) => Ok(payload),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> Error {
    Error::new(ErrorKind::InvalidData, "a message of a rehearsal is out of order")
}

/// Sends job and secrets, up to `Go`.
pub(super) fn send_job(to: &mut impl Write, job: Job, secrets: &Secrets) -> Result<()> {
    tell(to, &Down::Job(Box::new(job)))?;
    for (name, value) in secrets.entries() {
        tell(to, &Down::Secret { name: name.to_owned() })?;
        frame::write(to, Tag::Bytes, value.expose())?;
    }
    tell(to, &Down::Go)
}

/// Receives what `send_job` sends.
pub(super) fn receive_job(from: &mut impl Read) -> Result<(Job, Secrets)> {
    let Some(Down::Job(job)) = hear(from)? else { return Err(unexpected()) };
    let mut secrets = Secrets::default();
    loop {
        match hear(from)? {
            Some(Down::Secret { name }) => {
                secrets.keep(name, bytes(from)?);
            }
            Some(Down::Go) => return Ok((*job, secrets)),
            _ => return Err(unexpected()),
        }
    }
}

/// Why contents could not be sent.
pub(super) enum Unsent {
    /// The pipe; whoever reads it has more to say about it.
    Pipe(Error),
    /// The store.
    Store(Failure),
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        Self::Pipe(error)
    }
}

/// Sends each content that the catalog names, and the end.
pub(super) fn send_contents(
    to: &mut impl Write,
    wanted: &BTreeMap<Digest, u64>,
    blobs: &dyn Blobs,
) -> std::result::Result<(), Unsent> {
    let mut piece = vec![0; PIECE];
    for (digest, size) in wanted {
        let mut reader = blobs.open(digest).map_err(Unsent::Store)?;
        tell(to, &Down::Content { digest: *digest, size: *size })?;
        let mut left = *size;
        while left > 0 {
            let most = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
            let count = reader.read(&mut piece[..most]);
            let count = count.map_err(|error| Unsent::Store(Failure::io("read", digest, error)))?;
            if count == 0 {
                let short = format!("content {digest}: it is shorter than it was");
                return Err(Unsent::Store(Failure::refused(short, "run it again")));
            }
            frame::write(to, Tag::Bytes, &piece[..count])?;
            left -= count as u64;
        }
    }
    Ok(tell(to, &Down::End)?)
}

/// The contents that a catalog needs, held in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents(BTreeMap<Digest, Arc<[u8]>>);

impl Contents {
    /// Receives what `send_contents` sends.
    pub(super) fn receive(from: &mut impl Read) -> Result<Self> {
        let mut contents = BTreeMap::new();
        loop {
            match hear(from)? {
                Some(Down::Content { digest, size }) => {
                    let mut content = Vec::new();
                    while (content.len() as u64) < size {
                        content.append(&mut bytes(from)?);
                    }
                    contents.insert(digest, content.into());
                }
                Some(Down::End) => return Ok(Self(contents)),
                _ => return Err(unexpected()),
            }
        }
    }
}

impl Blobs for Contents {
    fn open(&self, digest: &Digest) -> std::result::Result<Box<dyn Read>, Failure> {
        let found = self.0.get(digest).cloned();
        let found = found.ok_or_else(|| Failure::Missing { what: format!("content {digest}") })?;
        Ok(Box::new(std::io::Cursor::new(found)))
    }
}

/// Digests and sizes of the stored contents that `job` names.
pub(super) fn wanted(job: &Job) -> BTreeMap<Digest, u64> {
    let mut found = BTreeMap::new();
    job.catalog.nodes().iter().for_each(|node| collect(&node.params, &mut found));
    found
}

fn collect(value: &Value, found: &mut BTreeMap<Digest, u64>) {
    if let Some((digest, size)) = model::Content::referred(value) {
        found.insert(digest, size);
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => map.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Contents, receive_job, send_contents, send_job};
    use crate::rehearse::job::Job;
    use crate::undo::{Keep, MemoryKeep, Secrecy};
    use model::{Digest, Secrets};
    use std::collections::BTreeMap;
    use std::io::{Cursor, Read};
    use wire::Blobs;

    #[test]
    fn a_job_arrives_with_its_secrets_and_contents() {
        let (mut secrets, keep, large) = (Secrets::default(), MemoryKeep::default(), vec![7; 3 << 20]);
        secrets.keep("s".into(), b"hidden".to_vec());
        keep.keep(&large, Secrecy::Open).unwrap();
        let mut pipe = Vec::new();
        send_job(&mut pipe, Job::default(), &secrets).unwrap();
        let wanted = BTreeMap::from([(Digest::of(&large), large.len() as u64)]);
        assert!(send_contents(&mut pipe, &wanted, &keep).is_ok());
        let mut cut = Cursor::new(pipe[..pipe.len() - 9].to_vec());
        let mut pipe = Cursor::new(pipe);
        let (_, got) = receive_job(&mut pipe).unwrap();
        assert_eq!(
            got.entries().next().map(|(name, value)| (name, value.expose().as_slice())),
            Some(("s", &b"hidden"[..]))
        );
        let contents = Contents::receive(&mut pipe).unwrap();
        let mut read = Vec::new();
        contents.open(&Digest::of(&large)).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, large);
        receive_job(&mut cut).unwrap();
        assert!(Contents::receive(&mut cut).is_err(), "a pipe that was cut off is no end");
    }
}
