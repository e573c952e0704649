//! A directory of a site, a file of resources, or bundles, as the agent's source. Each time it is compiled by a child of this same program.

use super::asking::{Answer, Asker};
use super::bundles::{Ask, depot, watched};
use super::compiled::{read, site_of};
use agent::os::capture::Cap;
use agent::os::child::Child;
use agent::state::StateDir;
use bundle::Bundle;
use daemon::settings::Origin;
use daemon::{Bell, NoSite, Settings, Site, Source};
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The running program, whatever became of its name.
const RUNNING: &str = "/proc/self/exe";

/// A catalog is smaller, in bytes.
const MOST: usize = 512 << 20;

/// A program that can be run says its version in less.
const TRY: Duration = Duration::from_secs(10);

/// What of our environment a place is reached with: keys of a bucket, a proxy, whom to trust, how git calls ssh.
const REACHING: [&str; 10] = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "GIT_SSH_COMMAND",
];

/// What is compiled here.
pub struct Compiler {
    /// The settings, which say what.
    settings: Settings,
    /// Where they stand.
    path: PathBuf,
    /// The host's state.
    state: PathBuf,
    /// This program, by the name it was started by.
    program: Option<PathBuf>,
    /// The bundle in force, open: whoever takes a newer one removes it.
    held: RefCell<Option<(String, Bundle)>>,
    /// Who asks the place while the host is kept even; `None` where it is waited for.
    asker: Option<Asker>,
    /// Whether there was a site to keep meanwhile.
    has_site: Cell<bool>,
    /// Why the place had nothing newer to give, when it was asked last.
    refused: RefCell<Option<String>>,
}

impl Compiler {
    /// What `settings`, which stand at `path`, say.
    pub fn new(settings: Settings, path: PathBuf, state: &StateDir) -> Self {
        let program = std::env::current_exe().ok();
        let (held, asker, has_site, refused) = Default::default();
        Self { settings, path, state: state.root().to_owned(), program, held, asker, has_site, refused }
    }

    /// From now on nobody waits for a place of bundles that has given something before.
    pub fn with_bell(&mut self, bell: Arc<Bell>) {
        self.asker = has_place(&self.settings).then(|| Asker::new(bell));
    }

    /// What a change of concerns the catalog, whatever the site is made from.
    fn always(&self) -> Vec<PathBuf> {
        let mut files = watched(&self.settings.source, &self.state);
        files.push(self.path.clone());
        files.extend(self.program.clone());
        files
    }

    /// This program, to compile.
    fn child(&self, ask: Ask) -> Child {
        let mut child = Child::new([
            RUNNING.as_ref(),
            "agent".as_ref(),
            "compile".as_ref(),
            "--settings".as_ref(),
            self.path.as_os_str(),
            "--state-dir".as_ref(),
            self.state.as_os_str(),
        ]);
        if ask == Ask::Nobody {
            child.argv.push("--in-force".into());
        }
        let is_meant = |name: &OsString| {
            name.to_str().is_some_and(|name| name.starts_with("AWS_") || REACHING.contains(&name))
        };
        child.env = std::env::vars_os().filter(|(name, _)| is_meant(name)).collect();
        child.cap = Cap { head: MOST, tail: 0 };
        child.timeout = Duration::from_secs(900);
        child
    }

    /// The site by the last answer of the place; while there is none, by what is in force.
    fn newest(&self) -> Result<Site, NoSite> {
        let Some(asker) = &self.asker else { return self.by(self.child(Ask::Place).run_tied()) };
        if let Some((answer, again)) = asker.take() {
            let found = self.by(answer);
            if again {
                asker.ask(self.child(Ask::Place));
            }
            return found;
        }
        match self.in_force() {
            Ok(site) => {
                asker.ask(self.child(Ask::Place));
                Ok(site)
            }
            // There is nothing to keep even meanwhile.
            Err(_) => self.by(self.child(Ask::Place).run_tied()),
        }
    }

    /// The site by this answer. Where nothing came of it, what is in force stays so.
    fn by(&self, answer: Answer) -> Result<Site, NoSite> {
        let none = |why: String| NoSite { why, files: Vec::new() };
        let read = said(answer).map_err(none).and_then(|said| read(&said, |bundle| self.open(bundle)));
        let none = match read {
            Ok(site) => {
                self.refused.replace(site.refused.clone());
                return Ok(site);
            }
            Err(none) if !has_place(&self.settings) => return Err(none),
            Err(none) => none,
        };
        self.refused.replace(Some(none.why.clone()));
        self.in_force().map_err(|_| none)
    }

    /// What is in force, whatever the place may have.
    fn in_force(&self) -> Result<Site, NoSite> {
        let none = |why: String| NoSite { why, files: Vec::new() };
        let said = said(self.child(Ask::Nobody).run_tied()).map_err(none)?;
        let mut site = read(&said, |bundle| self.open(bundle))?;
        site.refused.clone_from(&self.refused.borrow());
        Ok(site)
    }

    fn open(&self, told: &daemon::Bundle) -> Result<Bundle, String> {
        let mut held = self.held.borrow_mut();
        if let Some((sha256, bundle)) = &*held
            && *sha256 == told.sha256
        {
            return Ok(bundle.clone());
        }
        match depot(&self.state, &told.site).in_force() {
            Ok(Some((record, bundle))) if record.sha256.to_string() == told.sha256 => {
                *held = Some((told.sha256.clone(), bundle.clone()));
                Ok(bundle)
            }
            Ok(_) => Err("another bundle was put in force meanwhile".to_owned()),
            Err(refusal) => Err(refusal.to_string()),
        }
    }
}

/// Whether somebody has to be asked for the site.
fn has_place(settings: &Settings) -> bool {
    matches!(settings.source, Origin::Bundles { .. })
}

/// What a child said that ended well; else why not.
fn said(answer: Answer) -> Result<Vec<u8>, String> {
    let output = answer.map_err(|failure| failure.to_string())?;
    output.stdout.complete().filter(|_| output.status.success()).ok_or_else(|| {
        let (status, words) = (output.status, output.stderr.last_words());
        format!("the site could not be compiled: {status}: {words}")
    })
}

impl Source for Compiler {
    fn name(&self) -> String {
        let (site, host) = site_of(&self.settings);
        let what = match (&self.settings.source, &site.file) {
            (Origin::Bundles { place, name, .. }, _) => format!("bundles of {name} at {place}"),
            (_, Some(file)) => format!("file {}", file.display()),
            _ => format!("site {}", site.site.display()),
        };
        match host {
            Some(host) => format!("{what}, host {host}"),
            None if site.roles.is_empty() => what,
            None => format!("{what}, roles {}", site.roles.join(", ")),
        }
    }

    fn site(&self) -> Result<Site, NoSite> {
        let mut found = self.newest();
        match &mut found {
            Ok(site) => site.files.extend(self.always()),
            Err(none) => none.files.extend(self.always()),
        }
        self.has_site.set(found.is_ok());
        found
    }

    fn asks(&self) -> bool {
        let is_kept = self.has_site.get();
        self.asker.as_ref().is_some_and(|asker| is_kept && asker.ask(self.child(Ask::Place)))
    }

    fn has_news(&self) -> bool {
        self.asker.as_ref().is_some_and(Asker::has_answer)
    }

    fn is_outdated(&self) -> bool {
        let Some(program) = &self.program else { return false };
        let which = |path: &Path| path.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
        let (Some(running), Some(there)) = (which(RUNNING.as_ref()), which(program)) else { return false };
        if running == there {
            return false;
        }
        // One that is there by half, or for another machine, is not what to start anew with.
        let mut child = Child::new([program.as_os_str(), "--version".as_ref()]);
        child.timeout = TRY;
        child.run().is_ok_and(|output| output.status.success())
    }
}
