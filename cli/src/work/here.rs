//! Work on this machine, without a connection. The one place that needs this machine to be Linux: elsewhere it says so.

use super::desk::{Desk, Host};
use super::errand::{Errand, Ready};
use super::stay;
use crate::exit::Exit;
use crate::stop::Wishes;
use crate::view::{self, Stopped};
use fleet::{Controller, End};
use std::io::IsTerminal;
use std::path::PathBuf;

/// Does it here; `host` is this machine's name in the inventory.
pub fn work(errand: &Errand, host: Option<&str>, state: Option<PathBuf>) -> anyhow::Result<Exit> {
    if let Some(why) = machine::UNFIT {
        return Ok(view::misuse(&anyhow::anyhow!(why)));
    }
    if errand.wanted.asks_to_confirm() && !std::io::stdin().is_terminal() {
        return Ok(view::misuse(&anyhow::anyhow!(
            "there is no terminal at which the run could be confirmed"
        )));
    }
    let name = host.unwrap_or_default().to_owned();
    let words = std::iter::once("--local".to_owned()).chain(host.map(str::to_owned)).collect();
    let show = errand.show(None);
    let me = Host { name: name.clone(), inventory: host.map(str::to_owned), words };
    let desk = Desk::new(errand, &*show, vec![me]);
    let facts = machine::facts()?;
    let prepared = match desk.prepare(&name, &facts) {
        Ok(prepared) => prepared,
        Err(refusal) => return Ok(view::refused(&refusal, errand.format)),
    };
    let stop = Wishes::heard(Stopped::Here)?.stop;
    errand.book().iter().for_each(|book| book.stops_with(&stop));
    let perform = |prepared| machine::perform(prepared, state.clone(), (&desk, &name, &stop));
    let ending = perform(prepared)?;
    let ending = stay::confirm((&desk, &name), ending, &|order| perform(Ready::plain(order).prepared))?;
    let end = End::Ended(ending);
    desk.ended(&name, &end);
    Ok(desk.finish())
}

pub use machine::{facts_for_compiling, keep_memory, play_stage};

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod machine {
    use super::super::desk::Desk;
    use crate::clock;
    use crate::view;
    use agent::session::Answer;
    use agent::state::{DEFAULT_ROOT, StateDir};
    use agent::work::{Controller, Means};
    use fleet::Controller as _;
    use fleet::Prepared;
    use model::{Digest, Facts, Failure, Plan};
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};
    use std::process::ExitCode;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    use wire::{Ending, Reply};

    /// Why there is no work here.
    pub const UNFIT: Option<&str> = None;

    /// Keeps the secrets in memory there.
    pub fn keep_memory() -> anyhow::Result<()> {
        Ok(agent::os::memory::keep_to_itself()?)
    }

    /// Plays a part of a rehearsal, or of a run that goes on by itself, where this process was started for that.
    pub fn play_stage() -> Option<ExitCode> {
        if let Some(stage) = agent::rehearse::Stage::of(std::env::args_os()) {
            return Some(stage.play().into());
        }
        if let Some(stage) = agent::rehearse::CopyStage::of(std::env::args_os()) {
            return Some(stage.play().into());
        }
        let role = agent::detached::Role::of(std::env::args_os())?;
        Some(
            role.play()
                .map_or_else(|failure| view::failure(&failure.to_string()).into(), |()| ExitCode::SUCCESS),
        )
    }

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
        (desk, name, stop): (&Desk<'_>, &str, &AtomicBool),
    ) -> anyhow::Result<Ending> {
        let state = StateDir::new(state.as_deref().unwrap_or(Path::new(DEFAULT_ROOT)));
        let means = Means {
            secrets: &prepared.secrets,
            blobs: Arc::from(prepared.blobs),
            state: &state,
            watch: &|event| desk.event(name, event),
            controller: &AtTerminal { desk, name, stop },
            clock: &clock::now,
            stop,
        };
        Ok(agent::work::perform(&prepared.order, &means))
    }

    /// The user of this machine.
    struct AtTerminal<'a> {
        desk: &'a Desk<'a>,
        name: &'a str,
        stop: &'a AtomicBool,
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
                    None if self.stop.load(Ordering::Relaxed) => return Ok(Answer::No),
                    None => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        }

        fn reply(&self, reply: Reply) -> Result<(), Failure> {
            self.desk.reply(self.name, reply);
            Ok(())
        }

        fn wants_stop(&self) -> bool {
            self.stop.load(Ordering::Relaxed)
        }
    }
}

#[cfg(not(all(target_os = "linux", not(feature = "elsewhere"))))]
mod machine {
    use super::super::desk::Desk;
    use anyhow::bail;
    use fleet::Prepared;
    use model::{Facts, OsFacts};
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::sync::atomic::AtomicBool;
    use wire::Ending;

    /// Why there is no work here.
    pub const UNFIT: Option<&str> =
        Some("this machine is no Linux, and only Linux is brought to a state: name a host to push to");

    /// There is nothing that every such system has.
    pub fn keep_memory() -> anyhow::Result<()> {
        Ok(())
    }

    pub fn play_stage() -> Option<ExitCode> {
        None
    }

    pub fn facts() -> anyhow::Result<Facts> {
        bail!("this machine is no Linux")
    }

    /// Facts to compile with where no host is asked: those of some Debian.
    pub fn facts_for_compiling() -> anyhow::Result<Facts> {
        let text = |text: &str| text.to_owned();
        let os = OsFacts {
            id: text("debian"),
            id_like: Vec::new(),
            version: text("12"),
            codename: text("bookworm"),
            name: text("Debian GNU/Linux 12 (bookworm)"),
        };
        Ok(Facts {
            os,
            hostname: text("host"),
            arch: text("x86_64"),
            deb_arch: text("amd64"),
            init: text("systemd"),
            virtualization: text("vm"),
            ..Facts::default()
        })
    }

    pub fn perform(
        _: Prepared,
        _: Option<PathBuf>,
        _: (&Desk<'_>, &str, &AtomicBool),
    ) -> anyhow::Result<Ending> {
        facts().map(|_| Ending::Unchanged)
    }
}
