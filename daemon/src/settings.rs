//! The settings of a host's agent, `/etc/evenkeel/agent.toml`: text to values, each mistake at its place. It reads no file.

use crate::duration::parse as seconds;
use crate::receivers::{PagerDuty, Syslog, Webhook};
use crate::windows::{Window, Windows};
use model::{Diagnostic, OnDrift, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use toml::Spanned;

/// Where they are, unless said otherwise.
pub const PATH: &str = "/etc/evenkeel/agent.toml";

/// Who may sign bundles, unless said otherwise.
pub const ALLOWED: &str = "/etc/evenkeel/allowed_signers";

/// When a fight is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// More corrections than this …
    pub corrections: usize,
    /// … within so many seconds.
    pub within: u64,
    /// For how many seconds the resource is left alone at first; twice as long each time after.
    pub pause: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { corrections: 5, within: 600, pause: 600 }
    }
}

/// What an agent is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is done about drift where the resource does not say.
    pub mode: OnDrift,
    /// How often everything is looked at, in seconds.
    pub every: u64,
    /// Whether hosts are spread over that time.
    pub splay: bool,
    /// Whether what the catalog claims is watched meanwhile.
    pub watch: bool,
    /// When anything may be changed.
    pub windows: Windows,
    /// What becomes of an intended change that could lock people out.
    pub delicate: Delicate,
    /// Where the catalog comes from.
    pub source: Origin,
    /// When a fight is one.
    pub fights: Limits,
    /// What is told to whom.
    pub reports: Reports,
}

/// What becomes of an intended change that could lock people out, with nobody there to confirm it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delicate {
    /// It waits for somebody who applies it over a connection, and confirms it.
    #[default]
    Hold,
    /// It is applied like any other.
    Apply,
}

/// Where the catalog comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere.
    #[default]
    None,
    /// A directory with a site in it.
    Site {
        /// The directory.
        dir: PathBuf,
        /// This host's name in its inventory.
        host: Option<String>,
        /// Roles, where it is in none.
        roles: Vec<String>,
        /// Values of inputs.
        set: BTreeMap<String, String>,
        /// Private keys that open its secrets.
        unseal_with: Vec<PathBuf>,
    },
    /// Bundles of a site, signed by whom this host believes.
    Bundles {
        /// Where they are published: a directory, or an address.
        place: String,
        /// The site.
        name: String,
        /// Who may sign.
        allowed_signers: PathBuf,
        /// This host's name in its inventory.
        host: Option<String>,
        /// Roles, where it is in none.
        roles: Vec<String>,
        /// Values of inputs.
        set: BTreeMap<String, String>,
        /// Private keys that open its secrets, besides this host's own.
        unseal_with: Vec<PathBuf>,
    },
    /// One file of resources.
    File {
        /// The file.
        file: PathBuf,
        /// Values of inputs.
        set: BTreeMap<String, String>,
        /// Private keys that open its secrets.
        unseal_with: Vec<PathBuf>,
    },
}

/// What is told to whom.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reports {
    /// A file of metrics for the textfile collector of Prometheus' node exporter.
    pub prometheus: Option<PathBuf>,
    /// Whether the journal of the host is told.
    pub journal: bool,
    /// So many lines are kept here, at most.
    pub keep: usize,
    /// For so many days, at most.
    pub days: u64,
    /// A web server that takes each report.
    pub webhook: Option<Webhook>,
    /// `PagerDuty`.
    pub pagerduty: Option<PagerDuty>,
    /// Whoever takes syslog.
    pub syslog: Option<Syslog>,
}

impl Default for Reports {
    fn default() -> Self {
        let (webhook, pagerduty, syslog) = Default::default();
        Self { prometheus: None, journal: true, keep: 10_000, days: 30, webhook, pagerduty, syslog }
    }
}

/// As it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    mode: Option<OnDrift>,
    every: Option<Spanned<String>>,
    splay: Option<bool>,
    watch: Option<bool>,
    windows: Vec<Spanned<String>>,
    delicate: Delicate,
    source: Option<Spanned<RawOrigin>>,
    fights: RawFights,
    reports: Reports,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawOrigin {
    site: Option<Spanned<PathBuf>>,
    bundles: Option<Spanned<String>>,
    name: Option<String>,
    allowed_signers: Option<Spanned<PathBuf>>,
    host: Option<String>,
    roles: Vec<String>,
    file: Option<Spanned<PathBuf>>,
    set: BTreeMap<String, String>,
    unseal_with: Vec<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawFights {
    corrections: Option<Spanned<usize>>,
    within: Option<Spanned<String>>,
    pause: Option<Spanned<String>>,
}

/// A text with its name, in which mistakes have places.
struct Place<'a> {
    file: Arc<str>,
    text: Arc<str>,
    found: &'a mut Vec<Diagnostic>,
}

/// All that is wrong, each at its place: `file:line:column: message`. Not the text itself, which may hold what is nobody's business.
pub fn words(found: &[Diagnostic]) -> String {
    let one = |diagnostic: &Diagnostic| match diagnostic.labels.first() {
        Some(label) => {
            let (line, column) = label.span.line_col();
            format!("{}:{line}:{column}: {}", label.span.file, diagnostic.message)
        }
        None => diagnostic.message.clone(),
    };
    found.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Reads the text of `file`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(file: &str, text: &str) -> Result<Settings, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let mut place = Place { file: file.into(), text: text.into(), found: &mut found };
    let raw: Raw = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let at = error.span().unwrap_or(text.len()..text.len());
            let message = error.message().lines().next().unwrap_or("this cannot be read").to_owned();
            place.tell(("bad-settings", &message), at, "`keel agent install` writes a file that can be");
            return Err(found);
        }
    };
    let windows = raw.windows.iter().filter_map(|text| {
        let help = "write it as \"Mon-Fri 02:00-04:00\", in UTC";
        let window = Window::parse(text.get_ref());
        window.map_err(|why| place.tell(("bad-window", &why), text.span(), help)).ok()
    });
    let windows = Windows::new(windows.collect());
    let limits = Limits::default();
    let mut settings = Settings {
        mode: raw.mode.unwrap_or(OnDrift::Correct),
        every: place.duration(raw.every.as_ref(), 30 * 60),
        splay: raw.splay.unwrap_or(true),
        watch: raw.watch.unwrap_or(true),
        windows,
        delicate: raw.delicate,
        source: Origin::None,
        fights: Limits {
            corrections: raw.fights.corrections.as_ref().map_or(limits.corrections, |it| *it.get_ref()),
            within: place.duration(raw.fights.within.as_ref(), limits.within),
            pause: place.duration(raw.fights.pause.as_ref(), limits.pause),
        },
        reports: raw.reports,
    };
    if let Some(none) = raw.fights.corrections.filter(|it| *it.get_ref() == 0) {
        place.tell(("bad-value", "no correction would ever be one too many"), none.span(), "write 1 or more");
    }
    settings.source = place.origin(raw.source);
    if found.is_empty() { Ok(settings) } else { Err(found) }
}

impl Place<'_> {
    fn tell(&mut self, (code, message): (&'static str, &str), range: std::ops::Range<usize>, help: &str) {
        let span = Span { file: Arc::clone(&self.file), text: Arc::clone(&self.text), range };
        self.found.push(Diagnostic::error(code, message, span).help(help));
    }

    fn duration(&mut self, text: Option<&Spanned<String>>, otherwise: u64) -> u64 {
        let Some(text) = text else { return otherwise };
        seconds(text.get_ref()).unwrap_or_else(|| {
            let help = "write a whole number with s, m, h or d, such as \"30m\"";
            self.tell(("bad-duration", "this is no duration"), text.span(), help);
            otherwise
        })
    }

    fn origin(&mut self, raw: Option<Spanned<RawOrigin>>) -> Origin {
        let help = "write [source] with site = \"/srv/site\" or bundles = \"https://…\" and name = \"shop\", and roles = [\"web\"]; or file = \"/srv/site.toml\"";
        let end = self.text.len();
        let Some(raw) = raw else {
            self.tell(("no-source", "nothing says where the catalog comes from"), end..end, help);
            return Origin::None;
        };
        let span = raw.span();
        let RawOrigin { site, bundles, name, allowed_signers, host, roles, file, set, unseal_with } =
            raw.into_inner();
        let paths = [&site, &file, &allowed_signers];
        for path in paths.into_iter().flatten().filter(|path| !path.get_ref().is_absolute()) {
            self.tell(("bad-value", "this is no whole path"), path.span(), "write it from the root, `/`");
        }
        let is_site = file.is_none() && (site.is_some() || bundles.is_some());
        if is_site && host.is_some() != roles.is_empty() {
            let message = "a site needs to know which host this is: its name in the inventory, or its roles";
            let help = "write one of host = \"web1\" and roles = [\"web\"]";
            self.tell(("no-host", message), span.clone(), help);
        }
        if bundles.is_some() != name.is_some() {
            let help = "write both bundles = \"https://…\", where they are published, and name = \"shop\"";
            self.tell(("no-source", "bundles are of a site, which has a name"), span.clone(), help);
        }
        let allowed_signers = allowed_signers.map_or_else(|| PathBuf::from(ALLOWED), Spanned::into_inner);
        match (site.map(Spanned::into_inner), bundles.map(Spanned::into_inner), file.map(Spanned::into_inner))
        {
            (Some(dir), None, None) => Origin::Site { dir, host, roles, set, unseal_with },
            (None, Some(place), None) => {
                let name = name.unwrap_or_default();
                Origin::Bundles { place, name, allowed_signers, host, roles, set, unseal_with }
            }
            (None, None, Some(file)) => Origin::File { file, set, unseal_with },
            _ => {
                self.tell(("no-source", "the catalog comes from one place"), span, help);
                Origin::None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Delicate, Origin, read};
    use model::OnDrift;

    const SOURCE: &str = "[source]\nfile = \"/srv/site.toml\"\n";

    #[test]
    fn what_is_left_out_has_a_default() {
        let found = read("agent.toml", SOURCE).unwrap();
        assert_eq!((found.mode, found.every, found.delicate), (OnDrift::Correct, 1800, Delicate::Hold));
        assert!(found.splay && found.watch && found.reports.journal && found.windows.is_open(0));
        assert!(matches!(found.source, Origin::File { file, .. } if file.as_os_str() == "/srv/site.toml"));
    }

    #[test]
    fn what_is_said_counts() {
        let text = "mode = \"observe\"\nevery = \"1h\"\nsplay = false\nwindows = [\"Mon 02:00-03:00\"]\n\
                    delicate = \"apply\"\n[source]\nsite = \"/srv\"\nroles = [\"web\"]\n\
                    [fights]\ncorrections = 2\nwithin = \"1m\"\n[reports]\njournal = false\n";
        let found = read("agent.toml", text).unwrap();
        assert_eq!((found.mode, found.every, found.delicate), (OnDrift::Observe, 3600, Delicate::Apply));
        assert_eq!((found.fights.corrections, found.fights.within, found.fights.pause), (2, 60, 600));
        assert!(!found.splay && !found.reports.journal && !found.windows.is_open(0));
    }

    #[test]
    fn each_mistake_is_told_at_its_place() {
        for (text, code, at) in [
            ("every = \"soon\"\n", "bad-duration", (1, 9)),
            ("\nwindows = [\"Mo 1-2\"]\n", "bad-window", (2, 12)),
            ("speed = 1\n", "bad-settings", (1, 1)),
            ("mode = \"fix\"\n", "bad-settings", (1, 8)),
            ("[fights]\ncorrections = 0\n", "bad-value", (2, 15)),
        ] {
            let found = read("agent.toml", &format!("{text}{SOURCE}")).unwrap_err();
            assert_eq!((found[0].code, found[0].labels[0].span.line_col()), (code, at), "{text}");
        }
        for (text, code) in [
            ("", "no-source"),
            ("[source]\n", "no-source"),
            ("[source]\nsite = \"/srv\"\n", "no-host"),
            ("[source]\nfile = \"site.toml\"\n", "bad-value"),
            ("[source]\nfile = \"/a\"\nsite = \"/b\"\n", "no-source"),
            ("[source]\nbundles = \"/a\"\nroles = [\"web\"]\n", "no-source"),
            ("[source]\nbundles = \"/a\"\nname = \"shop\"\n", "no-host"),
            (
                "[source]\nbundles = \"/a\"\nname = \"shop\"\nhost = \"a\"\nallowed_signers = \"b\"\n",
                "bad-value",
            ),
        ] {
            assert_eq!(read("agent.toml", text).unwrap_err()[0].code, code, "{text}");
        }
    }
}
