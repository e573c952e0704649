//! One piece of work on this machine: compile with its own facts, open its door and its state, and go.

use crate::args::Format;
use crate::blobs::SiteBlobs;
use crate::exit::Exit;
use crate::target::{Refusal, Target};
use crate::{clock, stop, view};
use agent::engine::{Choice, Faults};
use agent::os::host::Host;
use agent::session::{Ended, Job};
use agent::state::{DEFAULT_ROOT, EventLog, StateDir};
use dsl::Compiled;
use model::Event;
use std::path::PathBuf;
use std::sync::Arc;

/// Where this machine's state is.
#[derive(Clone, Debug, clap::Args)]
pub struct State {
    /// Where runs are journalled and what they replaced is kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_ROOT)]
    state_dir: PathBuf,
}

impl State {
    /// The state.
    pub fn dir(&self) -> StateDir {
        StateDir::new(&self.state_dir)
    }
}

/// Which resources to work on.
#[derive(Clone, Debug, clap::Args)]
pub struct Tags {
    /// Only resources with one of these tags.
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    only: Vec<String>,
    /// Not the resources with one of these tags.
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    skip: Vec<String>,
}

/// What the verbs that work on this machine share.
#[derive(Clone, Debug, clap::Args)]
pub struct Local {
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    tags: Tags,
}

impl Local {
    /// Compiles and calls `work`. `verb` is for the journal.
    pub fn work(
        &self,
        (verb, format): (&str, Format),
        watch: &(dyn Fn(&Event) + Sync),
        work: impl FnOnce(&Job<'_>) -> Result<Exit, Ended>,
    ) -> anyhow::Result<Exit> {
        if let Err(error) = self.target.require_local() {
            return Ok(view::misuse(&error));
        }
        let facts = agent::os::facts::collect()?;
        let Compiled { catalog, secrets, blobs, warnings } = match self.target.compile(&facts) {
            Ok(compiled) => compiled,
            Err(Refusal::Diagnostics(diagnostics)) => {
                view::wrong::show(&diagnostics, format);
                return Ok(Exit::Usage);
            }
            Err(Refusal::Other(error)) => return Ok(view::misuse(&error)),
        };
        view::wrong::show(&warnings, format);
        let blobs = Arc::new(SiteBlobs(blobs));
        let host = Host::new(blobs.clone());
        host.mask(&secrets);
        let state = self.state.dir();
        let events = EventLog::new(watch, &clock::now);
        let stop = stop::flag()?;
        let job = Job {
            catalog: &catalog,
            secrets: &secrets,
            blobs: &*blobs,
            kinds: agent::kinds::ALL,
            scope: &self.target.scope()?,
            choice: Choice {
                only: self.tags.only.iter().cloned().collect(),
                skip: self.tags.skip.iter().cloned().collect(),
            },
            system: &host,
            state: &state,
            events: &events,
            clock: &clock::now,
            command: format!("{verb} {}", self.target.words()),
            stop: &stop,
            faults: Faults::default(),
        };
        ended(work(&job))
    }
}

/// The exit code of a piece of work that may have ended early.
pub fn ended(result: Result<Exit, Ended>) -> anyhow::Result<Exit> {
    Ok(match result {
        Ok(exit) => exit,
        Err(ended) => {
            let exit = match &ended {
                Ended::Locked(_) => Exit::Locked,
                Ended::Declined => Exit::Pending,
                Ended::Failed(_) | Ended::Broken { .. } => Exit::Failed,
            };
            view::ended(&ended);
            exit
        }
    })
}
