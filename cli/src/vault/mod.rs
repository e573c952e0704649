//! Secrets at rest in a site: files of `age` (age-encryption.org/v1) in `secrets/`, sealed to the keys in `secrets/recipients`. Nothing
//! here reaches a host: the compiler is given values, and hosts get them as any other secret.

mod armour;
mod editor;
mod folder;
mod opener;
mod readers;
mod recipients;
mod stanza;
mod value;

pub use editor::edited;
pub use folder::{Folder, Instead};
pub use opener::{Opening, Vault};
pub use readers::{Readers, is_for};
pub use recipients::{Recipient, own_key};
pub use value::{fit, held, new as new_value};
