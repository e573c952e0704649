//! A directory of a site, a file of resources, or bundles, as the agent's source. Each time it is compiled by a child of this same program.

use super::bundles::{depot, watched};
use super::compiled::{read, site_of};
use agent::os::capture::Cap;
use agent::os::child::Child;
use agent::state::StateDir;
use bundle::Bundle;
use daemon::settings::Origin;
use daemon::{NoSite, Settings, Site, Source};
use std::cell::RefCell;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
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
}

impl Compiler {
    /// What `settings`, which stand at `path`, say.
    pub fn new(settings: Settings, path: PathBuf, state: &StateDir) -> Self {
        let program = std::env::current_exe().ok();
        Self { settings, path, state: state.root().to_owned(), program, held: RefCell::default() }
    }

    /// What a change of concerns the catalog, whatever the site is made from.
    fn always(&self) -> Vec<PathBuf> {
        let mut files = watched(&self.settings.source, &self.state);
        files.push(self.path.clone());
        files.extend(self.program.clone());
        files
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
        let none = |why: String| NoSite { why, files: self.always() };
        let mut child = Child::new([
            RUNNING.as_ref(),
            "agent".as_ref(),
            "compile".as_ref(),
            "--settings".as_ref(),
            self.path.as_os_str(),
            "--state-dir".as_ref(),
            self.state.as_os_str(),
        ]);
        let is_meant = |name: &OsString| {
            name.to_str().is_some_and(|name| name.starts_with("AWS_") || REACHING.contains(&name))
        };
        child.env = std::env::vars_os().filter(|(name, _)| is_meant(name)).collect();
        child.cap = Cap { head: MOST, tail: 0 };
        child.timeout = Duration::from_secs(900);
        let output = child.run().map_err(|failure| none(failure.to_string()))?;
        let said = output.stdout.complete().filter(|_| output.status.success());
        let said = said.ok_or_else(|| {
            let (status, words) = (output.status, output.stderr.last_words());
            none(format!("the site could not be compiled: {status}: {words}"))
        })?;
        let mut found = read(&said, |bundle| self.open(bundle));
        match &mut found {
            Ok(site) => site.files.extend(self.always()),
            Err(none) => none.files.extend(self.always()),
        }
        found
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
