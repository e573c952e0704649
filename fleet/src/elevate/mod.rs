//! Becoming root on a host: the password, and what sudo and doas say. The way itself is in `bootstrap`'s script.

mod denial;
mod password;

pub use denial::{Denial, denial};
pub use password::{AskPassword, Password, Trial};
