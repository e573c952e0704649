//! `cargo xtask corpus`: writes `tests/cases/bad`, the malformed files that must end in exit 3 with a place. Their texts are
//! `toml`, `template` and `inventory`; `write` makes files of them.

pub mod inventory;
pub mod secret;
pub mod template;
pub mod toml;
pub mod write;
