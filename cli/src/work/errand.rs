//! What a verb wants of each machine, and the order that this makes for one of them, once its facts are known.

use super::crew::Crew;
use super::{here, push};
use crate::blobs::SiteBlobs;
use crate::book::Book;
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::view;
use crate::view::ask::Consent;
use crate::view::checks::Form;
use crate::view::show::{self, Manner, Show};
use dsl::{Compiled, Tests};
use fleet::Prepared;
use model::{Diagnostic, Facts, Secrets};
use std::sync::Arc;
use wire::{NoBlobs, Order, Terms, Work};

/// A verb with its arguments, for all of its machines.
pub struct Errand {
    /// What is wanted.
    pub wanted: Wanted,
    /// Who may say yes.
    pub consent: Consent,
    /// What people are shown.
    pub manner: Manner,
    /// How it is printed.
    pub format: Format,
    /// The files of the site.
    pub files: Files,
}

/// What is wanted of each machine.
pub enum Wanted {
    /// Something with a catalog of its own.
    Catalog {
        /// The verb, for the journal.
        verb: &'static str,
        /// What is to be done with the catalog.
        order: fn(Work) -> Order,
        /// Where it comes from.
        site: Site,
        /// Which part of it is meant.
        tags: Tags,
        /// How it is to be carried out.
        terms: Terms,
    },
    /// What is made for each, of what it is called, its name in the inventory, and its facts.
    #[cfg_attr(
        any(not(target_os = "linux"), feature = "elsewhere"),
        expect(dead_code, reason = "agents are set up from Linux alone")
    )]
    Made(Box<Make>),
    /// The same of all.
    Same(Order),
    /// To look whether they are so.
    Checks {
        /// Where the checks come from.
        site: Site,
        /// What has been seen.
        book: Arc<Book>,
        /// How it is printed.
        form: Form,
    },
    /// To be told of a run.
    Attach {
        /// Its number; the last one where it is `None`.
        run: Option<u64>,
        /// From where on.
        since: Since,
    },
}

/// Makes the order for a machine that may be changed by it.
pub type Make = dyn Fn(&str, Option<&str>, &Facts) -> Result<Ready, Refusal> + Sync;

/// From where on a run is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From what was not told here before.
    Unseen,
    /// From its beginning.
    Begin,
}

impl Wanted {
    /// True where machines may be changed.
    pub fn may_change(&self) -> bool {
        match self {
            Self::Catalog { order, .. } => order(Work::default()).may_change(),
            Self::Made(_) => true,
            Self::Same(order) => order.may_change(),
            Self::Checks { .. } | Self::Attach { .. } => false,
        }
    }

    /// True where the user says for how long the run waits to be confirmed.
    pub fn asks_to_confirm(&self) -> bool {
        let terms = match self {
            Self::Catalog { terms, .. } => Some(terms),
            Self::Same(Order::Rollback(rollback)) => Some(&rollback.terms),
            Self::Made(_) | Self::Same(_) | Self::Checks { .. } | Self::Attach { .. } => None,
        };
        terms.is_some_and(|terms| terms.confirm.is_some())
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

/// An order for one machine.
pub struct Ready {
    /// The order, and what belongs to it.
    pub prepared: Prepared,
    /// How many resources it is about.
    pub nodes: u64,
    /// What is not wrong, but not good either.
    pub warnings: Vec<Diagnostic>,
}

impl Ready {
    /// An order that needs nothing else.
    pub fn plain(order: Order) -> Self {
        let prepared = Prepared { order, secrets: Secrets::default(), blobs: Box::new(NoBlobs) };
        Self { prepared, nodes: 0, warnings: Vec::new() }
    }
}

impl Errand {
    /// Does it, on the machines that were chosen.
    pub fn go(&self, crew: Result<Crew, Refusal>) -> anyhow::Result<Exit> {
        match crew {
            Ok(Crew::Here { host, state }) => here::work(self, host.as_deref(), state),
            Ok(Crew::There(hosts)) => push::work(self, &hosts),
            Err(refusal) => Ok(view::refused(&refusal, self.format)),
        }
    }

    /// The order for a machine, which is `host` in the inventory and was named `words`.
    pub fn ready(&self, host: Option<&str>, words: &[&str], facts: &Facts) -> Result<Ready, Refusal> {
        let (verb, order, site, tags, terms) = match &self.wanted {
            Wanted::Catalog { verb, order, site, tags, terms } => (verb, order, site, tags, terms),
            Wanted::Made(make) => return make(words.first().copied().unwrap_or_default(), host, facts),
            Wanted::Same(order) => return Ok(Ready::plain(order.clone())),
            Wanted::Checks { site, .. } => return self.looking(site, host, facts),
            Wanted::Attach { run, .. } => return Ok(Ready::plain(Order::Attach { run: *run, from: 0 })),
        };
        let Compiled { catalog, secrets, blobs, trees, project, keep, warnings } =
            site.compile(host, facts, &self.files)?;
        let nodes = catalog.nodes().len() as u64;
        let work = Work {
            catalog,
            scope: site.scope(host, project.as_deref())?,
            only: tags.only.iter().cloned().collect(),
            skip: tags.skip.iter().cloned().collect(),
            command: format!("{verb} {}", site.words(words)),
            terms: Terms { keep_runs: keep.runs, keep_days: keep.days, ..terms.clone() },
        };
        let blobs = SiteBlobs::new(blobs, trees).within(self.files.bundle.clone());
        let prepared = Prepared { order: order(work), secrets, blobs: Box::new(blobs) };
        Ok(Ready { prepared, nodes, warnings })
    }

    /// The checks of a machine.
    fn looking(&self, site: &Site, host: Option<&str>, facts: &Facts) -> Result<Ready, Refusal> {
        let Tests { checks, warnings, .. } = site.tests(host, facts, &self.files)?;
        Ok(Ready { warnings, ..Ready::plain(Order::Check(checks)) })
    }

    /// The view of the work on this machine, or on these hosts.
    pub fn show(&self, hosts: Option<&[String]>) -> Box<dyn Show> {
        match (&self.wanted, hosts) {
            (Wanted::Checks { book, form, .. }, _) => Box::new(view::checks::View::new(book, *form)),
            (_, None) => show::here(self.format, self.manner),
            (_, Some(hosts)) => show::there(self.format, self.manner, hosts),
        }
    }

    /// What has been seen by checks, where they are what is wanted.
    pub fn book(&self) -> Option<&Book> {
        match &self.wanted {
            Wanted::Checks { book, .. } => Some(book),
            _ => None,
        }
    }

    /// What is wrong already before a machine has been asked anything.
    pub fn check(&self, host: Option<&str>) -> Result<(), Refusal> {
        match &self.wanted {
            Wanted::Catalog { site, .. } => site.check(host, &self.files),
            Wanted::Made(_) | Wanted::Same(_) | Wanted::Checks { .. } | Wanted::Attach { .. } => Ok(()),
        }
    }
}
