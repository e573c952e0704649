//! A directory of a site, or a file of resources, as the agent's source. Each time it is compiled by a child of this same program.

use super::compiled::{read, site_of};
use agent::os::capture::Cap;
use agent::os::child::Child;
use daemon::{NoSite, Settings, Site, Source};
use std::path::PathBuf;
use std::time::Duration;

/// The running program, whatever became of its name.
const RUNNING: &str = "/proc/self/exe";

/// A catalog is smaller, in bytes.
const MOST: usize = 512 << 20;

/// What is compiled here.
pub struct Compiler {
    /// The settings, which say what.
    pub settings: Settings,
    /// Where they stand.
    pub path: PathBuf,
}

impl Source for Compiler {
    fn name(&self) -> String {
        let (site, host) = site_of(&self.settings);
        let what = match &site.file {
            Some(file) => format!("file {}", file.display()),
            None => format!("site {}", site.site.display()),
        };
        match host {
            Some(host) => format!("{what}, host {host}"),
            None if site.roles.is_empty() => what,
            None => format!("{what}, roles {}", site.roles.join(", ")),
        }
    }

    fn site(&self) -> Result<Site, NoSite> {
        let none = |why: String| NoSite { why, files: vec![self.path.clone()] };
        let mut child = Child::new([
            RUNNING.as_ref(),
            "agent".as_ref(),
            "compile".as_ref(),
            "--settings".as_ref(),
            self.path.as_os_str(),
        ]);
        child.cap = Cap { head: MOST, tail: 0 };
        child.timeout = Duration::from_secs(300);
        let output = child.run().map_err(|failure| none(failure.to_string()))?;
        let said = output.stdout.complete().filter(|_| output.status.success());
        let said = said
            .ok_or_else(|| none(format!("the site could not be compiled: {}", output.stderr.last_words())))?;
        read(&said)
    }
}
