//! One piece of work on this machine: compile with its own facts, open its door and its state, and go.

use crate::blobs::SiteBlobs;
use crate::exit::Exit;
use crate::format::Format;
use crate::target::Target;
use crate::{clock, stop, view};
use agent::engine::{Choice, Faults, Sink};
use agent::os::host::Host;
use agent::session::{Ended, Job};
use agent::state::{DEFAULT_ROOT, EventLog, StateDir};
use dsl::Compiled;
use model::{Event, EventBody, Report};
use std::path::PathBuf;
use std::sync::Arc;

/// Where this machine's state is.
#[derive(Clone, Debug, clap::Args)]
pub struct State {
    /// Where runs are journalled and what they replaced is kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_ROOT, value_parser = absolute)]
    state_dir: PathBuf,
}

impl State {
    /// The state.
    pub fn dir(&self) -> StateDir {
        StateDir::new(&self.state_dir)
    }
}

/// Journals hold absolute paths only.
fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| error.to_string())
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
        let facts = agent::os::facts::collect()?;
        let site = &self.target.site;
        let compiled = self.target.one_host().and_then(|host| {
            let host = host.as_deref();
            Ok((site.compile(host, &facts)?, site.scope(host)?, site.words(host)))
        });
        let (Compiled { catalog, secrets, blobs, warnings }, scope, words) = match compiled {
            Ok(compiled) => compiled,
            Err(refusal) => return Ok(view::refused(&refusal, format)),
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
            scope: &scope,
            choice: Choice {
                only: self.tags.only.iter().cloned().collect(),
                skip: self.tags.skip.iter().cloned().collect(),
            },
            system: &host,
            state: &state,
            events: &events,
            clock: &clock::now,
            command: format!("{verb} {words}"),
            stop: &stop,
            faults: Faults::default(),
        };
        let nodes = catalog.nodes().len() as u64;
        Ok(ended(work(&job), &events, nodes))
    }
}

/// The exit code of a piece of work. One that came to no report of its own gets one: what nobody looked at is unknown.
pub fn ended(result: Result<Exit, Ended>, events: &EventLog<'_>, nodes: u64) -> Exit {
    let ended = match result {
        Ok(exit) => return exit,
        Err(ended) => ended,
    };
    let unseen = Report { unknown: nodes, ..Report::default() };
    let text = ended.to_string();
    let (exit, body, report) = match ended {
        Ended::Locked(_) => (Exit::Locked, EventBody::Error { text }, unseen),
        Ended::Declined(report) => (Exit::Pending, EventBody::Note { text }, *report),
        Ended::Failed(_) => (Exit::Failed, EventBody::Error { text }, unseen),
        Ended::Broken { report, .. } => (Exit::Failed, EventBody::Error { text }, *report),
    };
    events.emit(body);
    events.emit(EventBody::Report(report));
    exit
}
