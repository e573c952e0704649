//! The agent of a host: it watches what the catalog claims, looks at what something happened to, and keeps it even, by the same sessions
//! of the engine that everybody uses. It knows catalogs, not the language: a [`Source`] gives it the site compiled for this host.
//!
//! `control_loop` is the loop, `agenda` says when, `interest` what wakes what, `watched` that it was woken; `reconcile` has `look` done, by what
//! `policy` says about a difference, `bookkeeping` is what is made of it, `notebook` where that is kept, and `report` who is told.

mod duration;
mod event_name;
pub mod receivers;
pub mod settings;
mod windows;

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod agenda;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod bookkeeping;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod breaker;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod control_loop;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod host;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod in_force;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod interest;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod locked;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod look;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod memory;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod notebook;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod pause;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod policy;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod report;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod reporters;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod schedule;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod source;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod status;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod watch;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod watched;

pub use duration::parse as duration;
pub use event_name::EventName;
pub use settings::Settings;

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use control_loop::{ControlLoop, NoLook};
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use host::Host;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use memory::Drift;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use report::Cause;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use report::way::{Opens, Outside};
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use source::{Bundle, NoSite, Refused, Site, Source};
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use watch::wait::Bell;
