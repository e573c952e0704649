//! `keel secret`: what is sealed in a site. Talks to no host.

use crate::exit::Exit;
use crate::format::Format;
use crate::site::Refusal;
use crate::vault::{self, Folder, Instead, Opening, Readers, Vault};
use crate::view;
use anyhow::anyhow;
use clap::Subcommand;
use model::Secret;
use std::path::PathBuf;

/// Arguments of `secret`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    /// The directory that holds `secrets/`.
    #[arg(long, value_name = "DIR", default_value = ".", global = true)]
    site: PathBuf,
    /// A private key that opens secrets, besides ~/.ssh/id_ed25519 and ~/.ssh/id_rsa; may be repeated.
    #[arg(long = "unseal-with", value_name = "FILE", global = true)]
    identities: Vec<PathBuf>,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum What {
    /// Seals a new secret: typed twice, or from standard input.
    Create {
        /// Its name: letters, digits, `-` and `_`.
        name: String,
    },
    /// Opens your editor on a secret, and seals what you leave there.
    Edit {
        /// Its name.
        name: String,
    },
    /// Prints a secret.
    Show {
        /// Its name.
        name: String,
    },
    /// Seals secrets anew, to the recipients of now.
    Rotate {
        /// Their names; all of them unless said.
        names: Vec<String>,
        /// With a new value, instead of the one that is there.
        #[arg(long, requires = "names")]
        new: bool,
    },
    /// Says who can read which secret.
    Recipients {
        /// The secret; all of them unless said.
        name: Option<String>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Lists the secrets.
    List {
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

/// Does it.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let work = Work { folder: Folder::of(&args.site), vault: Vault::new(Opening::Asked), args };
    let done = match &args.what {
        What::Create { name } => work.create(name),
        What::Edit { name } => work.edit(name),
        What::Show { name } => work.show(name),
        What::Rotate { names, new: true } => work.renew(names),
        What::Rotate { names, new: false } => work.rotate(names),
        What::Recipients { name, format } => work.recipients(name.as_deref(), *format),
        What::List { format } => work.list(*format),
    };
    match done {
        Ok(exit) => Ok(exit),
        Err(refusal) => Ok(view::refused(&refusal, Format::Human)),
    }
}

struct Work<'a> {
    folder: Folder,
    vault: Vault,
    args: &'a Args,
}

impl Work<'_> {
    fn create(&self, name: &str) -> Result<Exit, Refusal> {
        self.folder.is_free(name)?;
        // Nobody types a value that cannot be sealed.
        self.folder.recipients()?;
        self.folder.put(name, &vault::new_value(name)?, Instead::Nothing)?;
        view::secret::sealed(name, "made");
        Ok(Exit::Fine)
    }

    fn edit(&self, name: &str) -> Result<Exit, Refusal> {
        let sealed = self.folder.sealed(name)?;
        self.folder.recipients()?;
        let value = self.open(name, &sealed)?;
        let edited = match vault::edited(&value) {
            Ok(edited) => vault::fit(edited)?,
            Err(error) => return Ok(view::failure(&format!("{error:#}"))),
        };
        if edited == value {
            view::secret::sealed(name, "as it was");
            return Ok(Exit::Fine);
        }
        self.folder.put(name, &edited, Instead::Of(&sealed))?;
        view::secret::sealed(name, "changed");
        Ok(Exit::Fine)
    }

    fn show(&self, name: &str) -> Result<Exit, Refusal> {
        let sealed = self.folder.sealed(name)?;
        view::secret::value(&self.open(name, &sealed)?)?;
        Ok(Exit::Fine)
    }

    /// All are opened before the first is written: one that cannot be leaves all as they are.
    fn rotate(&self, names: &[String]) -> Result<Exit, Refusal> {
        let mut opened = Vec::new();
        for name in self.meant(names)? {
            let sealed = self.folder.sealed(&name)?;
            let value = self.open(&name, &sealed)?;
            opened.push((name, sealed, value));
        }
        for (name, sealed, value) in &opened {
            self.folder.put(name, value, Instead::Of(sealed))?;
            view::secret::sealed(name, "sealed anew");
        }
        Ok(Exit::Fine)
    }

    fn renew(&self, names: &[String]) -> Result<Exit, Refusal> {
        self.folder.recipients()?;
        let mut found = Vec::new();
        for name in names {
            found.push((name, self.folder.sealed(name)?));
        }
        for (name, sealed) in found {
            self.folder.put(name, &vault::new_value(name)?, Instead::Of(&sealed))?;
            view::secret::sealed(name, "changed");
        }
        Ok(Exit::Fine)
    }

    fn recipients(&self, name: Option<&str>, format: Format) -> Result<Exit, Refusal> {
        let recipients = self.folder.recipients()?;
        let names: Vec<String> = name.map(str::to_owned).into_iter().collect();
        let mut readers = Vec::new();
        for name in self.meant(&names)? {
            let sealed = self.folder.sealed(&name)?;
            let wrong = |why| anyhow!("the secret `{name}` {why}");
            readers.push(Readers::of(&name, &sealed, &recipients).map_err(wrong)?);
        }
        view::secret::readers(&recipients, &readers, format);
        Ok(if readers.iter().all(Readers::is_current) { Exit::Fine } else { Exit::Pending })
    }

    fn list(&self, format: Format) -> Result<Exit, Refusal> {
        view::secret::list(&self.folder.names()?, format);
        Ok(Exit::Fine)
    }

    fn meant(&self, names: &[String]) -> anyhow::Result<Vec<String>> {
        if names.is_empty() { self.folder.names() } else { Ok(names.to_vec()) }
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Refusal> {
        let opener = self.vault.opener(self.folder.path(), &self.args.identities);
        let opened = opener.open(name, sealed);
        Ok(opened.map_err(|closed| anyhow!("{}: {}", closed.message, closed.help))?)
    }
}
