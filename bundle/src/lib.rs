//! A *bundle*: a site as one archive, with all that compiling it needs and nothing else, signed with a key of SSH. Made on a laptop or in
//! CI, published to a place, taken from there by hosts that pull. Compiles nothing itself: `dsl` reads a bundle through its `Loader`.

mod allowed;
mod archive;
mod build;
mod collect;
mod depot;
mod digests;
mod manifest;
mod name;
mod options;
mod pattern;
mod pointer;
mod publish;
mod refusal;
mod seal;
mod source;
mod stamp;
mod store;
mod tar;
mod verify;

pub use allowed::{Allowed, Signer};
pub use archive::{Bundle, LARGEST, Piece};
pub use build::build;
pub use collect::{Contents, Wanted, collect};
pub use depot::{Depot, Record, Taken};
pub use digests::Digests;
pub use manifest::{Entry, FORMAT, Manifest};
pub use name::{Name, is_site_name};
pub use pointer::Pointer;
pub use publish::{Published, Turn, latest, publish};
pub use refusal::Refusal;
pub use seal::{NAMESPACE, sign};
pub use source::{Directory, Limit, Source, open as source};
pub use verify::{Policy, Verified, digests, verify};
