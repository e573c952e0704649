//! Work on this machine, without a connection. The one place that needs this machine to be Linux: elsewhere it says so.

use super::desk::{Desk, Host};
use super::errand::Errand;
use crate::exit::Exit;
use crate::view::{self, show};
use fleet::{Controller, End};
use std::path::PathBuf;

/// Does it here; `host` is this machine's name in the inventory.
pub fn work(errand: &Errand, host: Option<&str>, state: Option<PathBuf>) -> anyhow::Result<Exit> {
    let name = host.unwrap_or_default().to_owned();
    let words = std::iter::once("--local".to_owned()).chain(host.map(str::to_owned)).collect();
    let show = show::here(errand.format, errand.manner);
    let me = Host { name: name.clone(), inventory: host.map(str::to_owned), words };
    let desk = Desk::new(errand, &*show, vec![me]);
    let facts = machine::facts()?;
    let prepared = match desk.prepare(&name, &facts) {
        Ok(prepared) => prepared,
        Err(refusal) => return Ok(view::refused(&refusal, errand.format)),
    };
    let end = End::Ended(machine::perform(prepared, state, (&desk, &name))?);
    desk.ended(&name, &end);
    Ok(desk.finish())
}

pub use machine::facts_for_compiling;

#[cfg(target_os = "linux")]
mod machine {
    use super::super::desk::Desk;
    use crate::view::Stopped;
    use crate::{clock, stop};
    use agent::session::Answer;
    use agent::state::{DEFAULT_ROOT, StateDir};
    use agent::work::{Controller, Means};
    use fleet::Controller as _;
    use fleet::Prepared;
    use model::{Digest, Facts, Failure, Plan};
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;
    use wire::{Ending, Reply};

    pub fn facts() -> anyhow::Result<Facts> {
        Ok(agent::os::facts::collect()?)
    }

    /// Facts to compile with where no host is asked: this machine's.
    pub fn facts_for_compiling() -> anyhow::Result<Facts> {
        facts()
    }

    pub fn perform(
        prepared: Prepared,
        state: Option<PathBuf>,
        (desk, name): (&Desk<'_>, &str),
    ) -> anyhow::Result<Ending> {
        let state = StateDir::new(state.as_deref().unwrap_or(Path::new(DEFAULT_ROOT)));
        let means = Means {
            secrets: &prepared.secrets,
            blobs: Arc::from(prepared.blobs),
            state: &state,
            watch: &|event| desk.event(name, event),
            controller: &AtTerminal { desk, name },
            clock: &clock::now,
            stop: &*stop::flag(Stopped::Here)?,
        };
        Ok(agent::work::perform(&prepared.order, &means))
    }

    /// The user of this machine.
    struct AtTerminal<'a> {
        desk: &'a Desk<'a>,
        name: &'a str,
    }

    impl Controller for AtTerminal<'_> {
        fn bring(&self, _: &BTreeMap<Digest, u64>) -> Result<(), Failure> {
            // The site's files are here.
            Ok(())
        }

        fn ask(&self, _: &Plan) -> Result<Answer, Failure> {
            loop {
                match self.desk.answer(self.name) {
                    Some(true) => return Ok(Answer::Yes),
                    Some(false) => return Ok(Answer::No),
                    None => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        }

        fn reply(&self, reply: Reply) {
            self.desk.reply(self.name, reply);
        }
    }
}
