//! Short messages: what is wrong with the command line, why nothing could be done, what is fine.

use super::out::{inert, line, note};
use super::wrong;
use crate::exit::Exit;
use crate::format::Format;
use crate::site::Refusal;

/// A wrong command line, or the help that was asked for.
pub fn usage(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    if error.use_stderr() {
        note(text.trim_end());
        return Exit::Usage;
    }
    line(text.trim_end());
    Exit::Fine
}

/// Arguments that do not go together.
pub fn misuse(error: &anyhow::Error) -> Exit {
    note(&format!("error: {}", inert(&format!("{error:#}"))));
    Exit::Usage
}

/// Something that failed.
pub fn failure(why: &str) -> Exit {
    note(&format!("error: {}", inert(why)));
    Exit::Failed
}

/// Something that is no trouble, and of no host of this call.
pub fn remark(text: &str) {
    note(&format!("note: {}", inert(text)));
}

/// Where the work is that was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// On this machine.
    Here,
    /// In boxes, which are there for it alone.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    Boxes,
    /// On hosts.
    There,
}

/// The work was told to stop, and is about to.
pub fn stopping(place: Stopped) {
    note(match place {
        Stopped::Here => {
            "stopping after what is under way; once more ends it at once, and the next run takes up what it left"
        }
        #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
        Stopped::Boxes => {
            "stopping after what is under way; once more ends it at once, and the boxes with it"
        }
        Stopped::There => {
            "stopping each host after what is under way there, and beginning no other; once more ends this at once, \
             and what has begun goes on there"
        }
    });
}

/// Why there is no catalog.
pub fn refused(refusal: &Refusal, format: Format) -> Exit {
    match refusal {
        Refusal::Diagnostics(diagnostics) => {
            wrong::show(diagnostics, format);
            Exit::Usage
        }
        Refusal::Other(error) => misuse(error),
    }
}

/// Text that was asked for as it is.
pub fn text(text: &str) {
    line(text.trim_end_matches('\n'));
}
