//! Publishing: the bundle first, under a name that only it can have, then the pointer to it. Who reads meanwhile finds the old pointer, or
//! the new one with its bundle there.

use crate::archive::{LARGEST, Piece};
use crate::manifest::Manifest;
use crate::pointer::{self, Pointer};
use crate::refusal::Refusal;
use crate::seal;
use crate::source::Source;
use crate::verify;
use model::Digest;
use std::io::Read as _;
use std::sync::Arc;

/// Whether the counter may become smaller, or name another bundle than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may not: hosts would not take that.
    Forward,
    /// It may: for hosts that have never seen the newer one.
    Back,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What the bundle says of itself.
    pub manifest: Manifest,
    /// Its digest.
    pub digest: Digest,
    /// The counter of the bundle that was the last one before, where there was one.
    pub before: Option<u64>,
}

/// Publishes a bundle and its signature.
///
/// # Errors
/// Where it is none, the signature is not of it, the place has a newer one, or nothing can be put there.
pub fn publish(
    piece: Arc<dyn Piece>,
    signature: &[u8],
    (to, turn): (&dyn Source, Turn),
) -> Result<Published, Refusal> {
    let digests = verify::digests(&*piece)?;
    // Who may sign is for each host to say; that somebody did can be told here.
    seal::signer(signature, &digests)?;
    let bundle = crate::Bundle::open(piece.clone(), &digests)?;
    let manifest = bundle.manifest().clone();
    let digest = bundle.digest();
    let before = latest(to, &manifest.site)?;
    match &before {
        _ if turn == Turn::Back => {}
        Some(before) if before.counter > manifest.counter => {
            return Err(Refusal::Older { found: manifest.counter, seen: before.counter });
        }
        Some(before) if before.counter == manifest.counter && before.sha256 != digest => {
            return Err(Refusal::SameCounter { counter: manifest.counter });
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    let mut whole = crate::archive::From { piece: &*piece, at: 0 }.take(LARGEST);
    whole.read_to_end(&mut bytes).map_err(|error| Refusal::io("read", "the bundle", error))?;
    if Digest::of(&bytes) != digest {
        return Err(Refusal::Moved);
    }
    to.put(&pointer::object(&digest), &bytes)?;
    let signature = String::from_utf8_lossy(signature).into_owned();
    let pointer = Pointer::to(&manifest, (digest, digests.size), signature);
    to.put(&pointer::name(&manifest.site), pointer.text().as_bytes())?;
    Ok(Published { manifest, digest, before: before.map(|before| before.counter) })
}

/// The pointer of a site; `None` where nothing was published yet.
///
/// # Errors
/// Where that cannot be told.
pub fn latest(at: &dyn Source, site: &str) -> Result<Option<Pointer>, Refusal> {
    let name = pointer::name(site);
    let mut text = Vec::new();
    if at.get(&name, pointer::MOST, &mut text)?.is_none() {
        return Ok(None);
    }
    let place = format!("{}/{name}", at.place());
    let found = Pointer::parse(&place, &text)?;
    match found.site == site {
        true => Ok(Some(found)),
        false => Err(Refusal::OtherSite { found: found.site, wanted: site.to_owned() }),
    }
}
