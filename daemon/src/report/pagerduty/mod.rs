//! `PagerDuty`, by its Events API v2: `letters` says what is told, `event` how it is put, `said` what was told before, and `pager` posts it.

mod event;
mod letters;
mod pager;
mod said;
#[cfg(test)]
mod schema;

pub use letters::{NAME, PagerDuty, forget};
pub use pager::Pager;
