//! Whether a bundle may be used: signed by somebody who may, whole, of the right site. In this order: of what nobody vouches for no byte is
//! interpreted. Whether it is newer than the one before is for `depot` to say.

use crate::allowed::{Allowed, Signer};
use crate::archive::{Bundle, From, LARGEST, Piece};
use crate::digests::Digests;
use crate::refusal::Refusal;
use crate::seal::{self, NAMESPACE};
use std::sync::Arc;

/// What is asked of a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Who may sign.
    pub allowed: &'a Allowed,
    /// The site that it has to be of; any unless said.
    pub site: Option<&'a str>,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// A bundle that may be used.
pub struct Verified {
    /// It.
    pub bundle: Bundle,
    /// Who has signed it.
    pub signer: Signer,
}

/// Looks at it.
///
/// # Errors
/// Why it may not be used.
pub fn verify(piece: Arc<dyn Piece>, signature: &[u8], policy: &Policy<'_>) -> Result<Verified, Refusal> {
    let digests = digests(&*piece)?;
    let key = seal::signer(signature, &digests)?;
    let signer = policy.allowed.signer(&key, NAMESPACE, policy.now)?;
    let bundle = Bundle::open(piece, &digests)?;
    let found = &bundle.manifest().site;
    match policy.site {
        Some(wanted) if wanted != found => {
            Err(Refusal::OtherSite { found: found.clone(), wanted: wanted.to_owned() })
        }
        _ => Ok(Verified { bundle, signer }),
    }
}

/// The digests of all bytes of a bundle.
///
/// # Errors
/// Where it cannot be read, or is too large.
pub fn digests(piece: &dyn Piece) -> Result<Digests, Refusal> {
    let read = |error| Refusal::io("read", "the bundle", error);
    let size = piece.length().map_err(read)?;
    if size > LARGEST {
        return Err(Refusal::TooLarge { size, most: LARGEST });
    }
    Digests::of(From { piece, at: 0 }, LARGEST).map_err(read)
}
