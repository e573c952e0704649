//! `keel agent`: the agent of this machine. Elsewhere than on Linux there is none.

use crate::exit::Exit;
use crate::format::Format;
use crate::work::Connection;
use clap::Subcommand;
use std::path::PathBuf;

/// Arguments of `agent`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub what: What,
    /// Where its settings stand.
    #[arg(long, value_name = "FILE", default_value = daemon::settings::PATH, global = true)]
    pub settings: PathBuf,
    /// Where this machine's runs are journalled; /var/lib/evenkeel unless said.
    #[arg(long, value_name = "DIR", global = true)]
    pub state_dir: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human, global = true)]
    pub format: Format,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Sets up an agent: its settings, its unit, and starts it; to hosts `keel` itself is brought. A second time changes nothing.
    Install(Box<Install>),
    /// Takes it away again. What it did to the machine stays.
    Uninstall {
        #[command(flatten)]
        whose: Whose,
        /// Does not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Runs it, in the foreground: what its unit starts.
    Run {
        /// Looks at everything once, puts right what may be, and ends.
        #[arg(long)]
        once: bool,
    },
    /// Says how it is: whether it runs, when it looked last, what drifted, what it cannot watch. Of this machine, where no HOST is said.
    Status {
        #[command(flatten)]
        whose: Whose,
    },
    /// Has it change nothing for a while; that ends by itself. Of this machine, where no HOST is said.
    Pause {
        #[command(flatten)]
        whose: Whose,
        /// Why, for those who meet it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// How long, such as 2h.
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        length: u64,
        /// Who pauses it, where that is not this user.
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
    },
    /// Ends the pause. Of this machine, where no HOST is said.
    Resume {
        #[command(flatten)]
        whose: Whose,
    },
    /// Compiles for the agent, and says it to the pipe it was started with.
    #[command(hide = true)]
    Compile {
        /// Asks no place: the bundle in force is compiled.
        #[arg(long)]
        in_force: bool,
    },
}

/// Whose agent is meant.
#[derive(Clone, Debug, clap::Args)]
pub struct Whose {
    /// Hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "HOST", conflicts_with = "local")]
    pub hosts: Vec<String>,
    /// This machine.
    #[arg(long)]
    pub local: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// What the agent is to do, wherever it is.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Upkeep {
    /// A place where bundles are published, with --name: a directory, https://, http://, s3:// or git+https://.
    #[arg(long, value_name = "PLACE", group = "from", requires = "name")]
    pub source: Option<String>,
    /// The site whose bundles are taken from the place.
    #[arg(long, value_name = "SITE", requires = "source")]
    pub name: Option<String>,
    /// Who may sign bundles, as `ssh-keygen -Y verify -f` takes it: put at /etc/evenkeel/allowed_signers.
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
    /// This machine's name in the site's inventory.
    #[arg(long, value_name = "NAME", requires = "from")]
    pub host: Option<String>,
    /// A role, where it is in no inventory; may be repeated.
    #[arg(long = "role", value_name = "ROLE", requires = "from", conflicts_with = "host")]
    pub roles: Vec<String>,
    /// Gives an input its value; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    pub sets: Vec<(String, String)>,
    /// How often everything is looked at, such as 30m.
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub every: Option<u64>,
    /// What is done about drift: `correct`, or only `observe`.
    #[arg(long, value_parser = ["correct", "observe"])]
    pub mode: Option<String>,
    /// When anything may be changed, such as 'Mon-Fri 02:00-04:00', in UTC; may be repeated.
    #[arg(long = "window", value_name = "WINDOW")]
    pub windows: Vec<String>,
    /// A file of metrics for Prometheus' textfile collector.
    #[arg(long, value_name = "FILE")]
    pub prometheus: Option<PathBuf>,
}

/// The same of a host that is there: it may have a site of its own, and settings.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Said {
    /// The directory of a site.
    #[arg(long, value_name = "DIR", group = "from")]
    pub site: Option<PathBuf>,
    /// Resources straight from one TOML file, without a site.
    #[arg(short, long, value_name = "FILE", group = "from", conflicts_with_all = ["host", "roles"])]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub upkeep: Upkeep,
    /// Takes away what an earlier --set gave; may be repeated.
    #[arg(long = "unset", value_name = "KEY")]
    pub unsets: Vec<String>,
    /// Takes away the windows: anything may be changed at any time.
    #[arg(long, conflicts_with = "windows")]
    pub no_window: bool,
    /// Takes away the file of metrics.
    #[arg(long, conflicts_with = "prometheus")]
    pub no_prometheus: bool,
}

impl Said {
    /// True where anything is said that stands in settings.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    pub fn says_something(&self) -> bool {
        let Upkeep { sets, every, mode, windows, prometheus, .. } = &self.upkeep;
        let is_more = !sets.is_empty() || !windows.is_empty() || prometheus.is_some();
        let is_less = !self.unsets.is_empty() || self.no_window || self.no_prometheus;
        self.says_where() || every.is_some() || mode.is_some() || is_more || is_less
    }

    /// True where it is said where the catalog comes from.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    pub fn says_where(&self) -> bool {
        self.site.is_some() || self.upkeep.source.is_some() || self.file.is_some()
    }
}

/// How it is set up. What is not said here is as the settings say that are there already, or their defaults.
#[derive(Debug, clap::Args)]
pub struct Install {
    #[command(flatten)]
    pub whose: Whose,
    #[command(flatten)]
    pub said: Said,
    /// By a timer of systemd, each time once, instead of a service that watches.
    #[arg(long)]
    pub timer: bool,
    /// Does not ask.
    #[arg(long, short)]
    pub yes: bool,
}

fn length(text: &str) -> Result<u64, String> {
    daemon::duration(text).ok_or_else(|| "write a whole number with s, m, h or d, such as 2h".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Does it.
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub fn run(args: Args) -> anyhow::Result<Exit> {
    crate::keeping::verbs::run(args)
}

/// There is no agent here.
#[cfg(not(all(target_os = "linux", not(feature = "elsewhere"))))]
pub fn run(_: Args) -> anyhow::Result<Exit> {
    Ok(crate::view::misuse(&anyhow::anyhow!(
        "this machine is no Linux: an agent runs on the host that it keeps"
    )))
}
