//! Tests in boxes, carried out on this machine. The one place of `keel test` that needs it to be Linux: elsewhere it says so.

mod dealing;
#[cfg(not(all(target_os = "linux", not(feature = "elsewhere"))))]
mod elsewhere;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod kept;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod machine;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod reach;
mod sort;

pub use dealing::Dealing;
#[cfg(not(all(target_os = "linux", not(feature = "elsewhere"))))]
pub use elsewhere::{destroy, run};
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use kept::destroy;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use machine::run;
pub use sort::Sort;
