//! A job on the pipe between the processes of a rehearsal, in the words of the crate `wire`. Nobody is asked anything: the contents that the
//! catalog names follow the order. It must not hold more than the catalog, the secrets and these contents.

use super::job::{Job, Setting};
use model::{Digest, Failure, Secrets};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Write};
use std::sync::Arc;
use wire::{
    Blobs, Broken, Down, Heard, HostSide, Inbox, Malformed, Message, Order, Told, VERSION, send, send_order,
};

/// Sends job and secrets, up to `Go`.
pub(super) fn send_job(to: &mut impl Write, job: Job, secrets: &Secrets) -> std::io::Result<()> {
    send(to, &job.setting)?;
    send_order(to, VERSION, Order::Rehearse(job.work), secrets)
}

/// Receives what `send_job` sends, and nothing that comes after it.
pub(super) fn receive_job(from: &mut impl Read) -> Result<(Job, Secrets, HostSide), Broken> {
    let Heard::Message(setting) = hear::<Setting>(&mut Inbox::default(), from)? else {
        return Err(misplaced());
    };
    let (mut inbox, mut side) = (Inbox::default(), HostSide::default());
    loop {
        match side.take(hear(&mut inbox, from)?)? {
            None => {}
            Some(Told::Order(order, secrets)) => {
                let Order::Rehearse(work) = *order else { return Err(misplaced()) };
                return Ok((Job { setting, work }, secrets, side));
            }
            Some(_) => return Err(misplaced()),
        }
    }
}

fn misplaced() -> Broken {
    Malformed::Misplaced("no part of a rehearsal").into()
}

/// What is said next; nobody may end before everything is said.
fn hear<M: Message>(inbox: &mut Inbox<M>, from: &mut impl Read) -> Result<Heard<M>, Broken> {
    inbox.hear(from)?.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof).into())
}

/// The contents that a catalog needs, held in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents(BTreeMap<Digest, Arc<[u8]>>);

impl Contents {
    /// Receives all that is `named`, after `side` has received the order.
    pub(super) fn receive(
        from: &mut impl Read,
        mut side: HostSide,
        named: &BTreeMap<Digest, u64>,
    ) -> Result<Self, Broken> {
        side.wants(&named.keys().copied().collect::<Vec<_>>());
        let mut inbox = Inbox::<Down>::default();
        let (mut whole, mut coming) = (BTreeMap::new(), None);
        while whole.len() < named.len() {
            match (side.take(hear(&mut inbox, from)?)?, coming.take()) {
                (Some(Told::Content { digest, size: 0 }), _) => drop(whole.insert(digest, Arc::from([]))),
                (Some(Told::Content { digest, .. }), _) => coming = Some((digest, Vec::new())),
                (Some(Told::Piece { mut bytes, left }), Some((digest, mut content))) => {
                    content.append(&mut bytes);
                    if left == 0 {
                        whole.insert(digest, content.into());
                    } else {
                        coming = Some((digest, content));
                    }
                }
                // Who sends it has said why; there is nobody else to say so to.
                _ => return Err(misplaced()),
            }
        }
        Ok(Self(whole))
    }
}

impl Blobs for Contents {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        let found = self.0.get(digest).cloned();
        let found = found.ok_or_else(|| Failure::Missing { what: format!("content {digest}") })?;
        Ok(Box::new(std::io::Cursor::new(found)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Contents, receive_job, send_job};
    use crate::rehearse::job::Job;
    use crate::undo::{Keep, MemoryKeep, Secrecy};
    use model::{Catalog, Common, Content, Digest, Id, Node, Secrets};
    use std::io::{Cursor, Read};
    use wire::{Blobs, Work, send_content};

    /// A job whose catalog names these contents.
    fn job(contents: &[&[u8]]) -> Job {
        let named = contents.iter().map(|bytes| Content::reference(Digest::of(bytes), bytes.len() as u64));
        let (id, params) = (Id::new("file", "/a"), named.collect());
        let node = Node { id, origins: Vec::new(), params, common: Common::default() };
        let catalog = Catalog::new(vec![node], Vec::new()).unwrap();
        Job { work: Work { catalog, ..Work::default() }, ..Job::default() }
    }

    #[test]
    fn a_job_arrives_with_its_secrets_and_contents() {
        let (mut secrets, keep, large) = (Secrets::default(), MemoryKeep::default(), vec![7; 3 << 20]);
        secrets.keep("s".into(), b"hidden".to_vec());
        let (sent, mut pipe) = (job(&[&large, b""]), Vec::new());
        send_job(&mut pipe, sent.clone(), &secrets).unwrap();
        for (digest, size) in sent.work.contents() {
            keep.keep(if size == 0 { &[] } else { &large }, Secrecy::Open).unwrap();
            send_content(&mut pipe, (digest, size), &keep).unwrap();
        }
        let mut cut = Cursor::new(pipe[..pipe.len() - 9].to_vec());
        let mut pipe = Cursor::new(pipe);
        let (got, values, side) = receive_job(&mut pipe).unwrap();
        assert_eq!(got.work, sent.work);
        assert_eq!(values.values().next().map(|value| value.expose().as_slice()), Some(&b"hidden"[..]));
        let contents = Contents::receive(&mut pipe, side, &sent.work.contents()).unwrap();
        let mut read = Vec::new();
        contents.open(&Digest::of(&large)).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, large);
        let (.., side) = receive_job(&mut cut).unwrap();
        assert!(Contents::receive(&mut cut, side, &sent.work.contents()).is_err(), "cut off is no end");
    }
}
