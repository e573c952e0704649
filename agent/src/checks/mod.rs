//! Checks: looking at a host and saying whether it is as wanted. They never change one. A subject is one file beside this one, and one
//! word in the list. `run` looks at many at once; who wants them and who hears of it is known to `work` and to `keel`.

mod channel;
mod dns_wire;
mod ground;
mod http_wire;
mod look;
mod names;
mod run;
mod subject;
mod url;
mod wanted;

pub use channel::{Certified, Channel, Closed, Tls, Unsecured, connect, hurry};
pub use ground::{Ground, Inside, Programs, Ran, Wrote};
pub use http_wire::{Answer, Asked, ask};
pub use names::Names;
pub use run::{Machine, Scene, run};
pub use subject::Subject;
pub use url::Url;

/// Declares the modules and the list from the same words: `port::Port` is the struct `Port` in `port.rs`.
macro_rules! subjects {
    ($($module:ident::$subject:ident),* $(,)?) => {
        $(mod $module;)*

        /// All subjects, in the order in which the documentation shows them.
        pub static SUBJECTS: &[&dyn model::SubjectInfo] = &[$({
            static SUBJECT: crate::kind::Listing<$module::$subject> = crate::kind::listed();
            &SUBJECT
        }),*];

        /// Decodes a check of the subject `name`; `None` where there is none. Apart from the list: an agent has no use for documentation.
        fn decode(
            name: &str,
            params: &serde_json::Value,
        ) -> Option<Result<Box<dyn look::Look>, model::Failure>> {
            $(if name == <$module::$subject as crate::kind::Listed>::NAME {
                return Some(look::look_of::<$module::$subject>(params));
            })*
            None
        }
    };
}

subjects! {
    port::Port,
    http::Http,
    dns::Dns,
    command::Command,
    file::File,
    service::Service,
    process::Process,
    user::User,
    package::Package,
    mount::Mount,
    kernel::Kernel,
}
