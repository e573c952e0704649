//! Failure drills, as a host has them: faults that are put on it for a while, and taken back by whoever comes first. A sort of fault is one
//! file beside this one, and one word in the list. `standing` is the fault that is there, with what taking it back needs, on the disk before
//! anything happens; `detached` has a process wait for its end. Who sees a fault, and what is expected, is known to `trial`.

mod disk;
mod fault;
mod file;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod here;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod keeper;
mod kill;
mod net;
mod port;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod standing;
mod stop;
mod tools;

pub use fault::Cannot;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use here::{Here, has_services};
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use keeper::idle;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use standing::{Begun, NAME, Standing, Whose, begin, end, is_over, standing, turn};
pub use tools::{Cut, Process, Room, Said, Signal, Tools};

/// Declares the list from the modules and structs of the sorts.
macro_rules! faults {
    ($($module:ident::$fault:ident),* $(,)?) => {
        /// All sorts of faults, in the order in which the documentation shows them.
        pub static FAULTS: &[&dyn model::SubjectInfo] = &[$({
            static FAULT: crate::kind::Listing<$module::$fault> = crate::kind::listed();
            &FAULT
        }),*];

        /// Decodes a fault of the sort `name`; `None` where there is none. Apart from the list: an agent has no use for documentation.
        pub fn decode(
            name: &str,
            params: &serde_json::Value,
        ) -> Option<Result<Box<dyn fault::Put>, model::Failure>> {
            $(if name == <$module::$fault as crate::kind::Listed>::NAME {
                return Some(fault::put_of::<$module::$fault>(params));
            })*
            None
        }

        /// Takes back a fault of the sort `name`, as its note says; `None` where there is no such sort.
        pub fn undo(
            name: &str,
            note: &serde_json::Value,
            tools: &dyn tools::Tools,
        ) -> Option<Result<String, model::Failure>> {
            $(if name == <$module::$fault as crate::kind::Listed>::NAME {
                return Some(fault::undo_of::<$module::$fault>(note, tools));
            })*
            None
        }

        /// Who usually makes a host even again after a fault of the sort `name`.
        pub fn usual_repair(name: &str) -> model::Repair {
            $(if name == <$module::$fault as crate::kind::Listed>::NAME {
                return <$module::$fault as fault::Fault>::REPAIR;
            })*
            model::Repair::Undo
        }
    };
}

faults! {
    kill::Kill,
    stop::Stop,
    port::Port,
    net::Net,
    disk::Disk,
    file::File,
}
