//! Arguments that verbs on targets share: which machines, what site each of them gets its catalog from, and which part of that is meant.
//! What is done with the catalogs is the verb's business.

use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::packed::Packed;
use crate::site::Site;
use crate::view;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Machines, Tags, Wanted};
use wire::{Order, Terms, Work};

/// Which machines, and the site that says what they are to be.
#[derive(Debug, clap::Args)]
pub struct Targets {
    /// Hosts of the inventory: names, globs such as 'db*', or @group. With -f or --role as ssh has it: [user@]host[:port].
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
    #[command(flatten)]
    pub site: Site,
}

/// The same, where the site may come as a bundle and a part of the catalog may be meant.
#[derive(Debug, clap::Args)]
pub struct Catalogs {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    packed: Packed,
    #[command(flatten)]
    tags: Tags,
}

/// All arguments of a verb that changes no host.
#[derive(Debug, clap::Args)]
pub struct Harmless {
    #[command(flatten)]
    catalogs: Catalogs,
    #[command(flatten)]
    machines: Machines,
}

/// What a verb does with the catalog of each machine.
pub struct Use {
    /// The verb, for the journal.
    pub verb: &'static str,
    /// What is to be done with a catalog.
    pub order: fn(Work) -> Order,
    /// How it is to be carried out.
    pub terms: Terms,
    /// Who may say yes, and what people are shown.
    pub shown: (Consent, Manner),
}

impl Catalogs {
    /// Does it with the catalog of each machine.
    pub fn each(self, machines: &Machines, wanted: Use, format: Format) -> anyhow::Result<Exit> {
        let Self { targets: Targets { hosts, site }, packed, tags } = self;
        let (site, files) = packed.files(site);
        let files: Files = match files {
            Ok(files) => files,
            Err(refusal) => return Ok(view::refused(&refusal, format)),
        };
        let crew = machines.for_catalogs(&hosts, &site, &files);
        let Use { verb, order, terms, shown: (consent, manner) } = wanted;
        let wanted = Wanted::Catalog { verb, order, site, tags, terms };
        Errand { wanted, consent, manner, format, files }.go(crew)
    }
}

impl Harmless {
    /// Does it with the catalog of each machine: there is nothing to ask about.
    pub fn each(
        self,
        (verb, order): (&'static str, fn(Work) -> Order),
        manner: Manner,
        format: Format,
    ) -> anyhow::Result<Exit> {
        let wanted = Use { verb, order, terms: Terms::default(), shown: (Consent::Given, manner) };
        self.catalogs.each(&self.machines, wanted, format)
    }
}
