//! What the lab takes from the machine it runs on: release, mirror, proxy. It only reads. No host name of a
//! registry stands in this project; the machine's own apt configuration is asked. Next: `base`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};

use crate::cmd;

/// The release and the sources of this machine's distribution.
#[derive(Debug, PartialEq, Eq)]
pub struct Machine {
    /// The release's code name, so that a `keel` built here finds the same libc in a host.
    pub codename: String,
    /// One-line apt sources of the distribution itself; third parties' are left out, hosts are raw.
    pub sources: Vec<String>,
    /// The host names in `sources`: all that apt's proxy lets through.
    pub mirrors: BTreeSet<String>,
    /// `user:password@host:port` of the proxy that this machine's apt goes through, if any.
    pub upstream: Option<String>,
    /// apt options of this machine that a mirror may need (snapshot mirrors switch date checks off).
    pub options: Vec<String>,
}

impl Machine {
    /// Asks os-release and apt.
    ///
    /// # Errors
    /// Not a Debian family, or apt has no list of the distribution's own packages.
    pub fn read() -> Result<Self> {
        let release = fs::read_to_string("/etc/os-release").context("no /etc/os-release")?;
        let release = os_release(&release);
        let codename = release.get("VERSION_CODENAME").context("/etc/os-release has no VERSION_CODENAME")?;
        let vendor = release.get("ID").context("/etc/os-release has no ID")?;
        let targets = cmd::quiet(&mut cmd::command(&[
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)",
            "Created-By: Packages",
        ]))?;
        let (sources, mirrors) = sources(&targets, codename, vendor);
        if sources.is_empty() {
            bail!(
                "apt knows no source of {vendor} {codename}: the lab builds its hosts from this machine's mirror"
            );
        }
        let dump = cmd::quiet(&mut cmd::command(&["apt-config", "dump"]))?;
        let upstream =
            upstream(&dump).or_else(|| std::env::var("http_proxy").ok().as_deref().and_then(authority));
        Ok(Self { codename: codename.clone(), sources, mirrors, upstream, options: options(&dump) })
    }
}

/// os-release(5): `KEY=value` lines, the value perhaps in quotes.
fn os_release(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.trim_matches(['"', '\'']).to_owned())).collect()
}

/// From lines of `uri release component origin` to sources and the hosts they are on.
fn sources(targets: &str, codename: &str, vendor: &str) -> (Vec<String>, BTreeSet<String>) {
    let mut suites: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for line in targets.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [uri, release, component, origin] = words[..] else { continue };
        let ours = origin.eq_ignore_ascii_case(vendor) && release.starts_with(codename);
        if ours && authority(uri).is_some() {
            suites.entry((uri, release)).or_default().insert(component);
        }
    }
    let hosts = suites.keys().filter_map(|(uri, _)| authority(uri)).map(|host| bare_host(&host)).collect();
    let line = |((uri, suite), parts): (&(&str, &str), &BTreeSet<&str>)| {
        format!("deb {uri} {suite} {}", parts.iter().copied().collect::<Vec<_>>().join(" "))
    };
    (suites.iter().map(line).collect(), hosts)
}

/// The proxy in `apt-config dump`; `DIRECT` means none (apt.conf(5)).
fn upstream(dump: &str) -> Option<String> {
    let line = dump.lines().find_map(|line| line.strip_prefix("Acquire::http::Proxy "))?;
    authority(line.trim_end_matches(';').trim_matches('"'))
}

/// The options about dates, which a mirror of old packages needs.
fn options(dump: &str) -> Vec<String> {
    dump.lines().filter(|line| line.starts_with("Acquire::Check-")).map(str::to_owned).collect()
}

/// What stands between `http://` or `https://` and the next slash.
fn authority(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split('/').next()?;
    (!authority.is_empty()).then(|| authority.to_owned())
}

/// An authority without user and port.
fn bare_host(authority: &str) -> String {
    let host = authority.rsplit('@').next().unwrap_or(authority);
    host.split(':').next().unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{options, sources, upstream};

    #[test]
    fn third_party_sources_and_other_releases_are_left_out() {
        let targets = "http://m.test/debian/ bookworm main Debian\n\
                       http://m.test/debian/ bookworm contrib Debian\n\
                       http://m.test/debian/ trixie main Debian\n\
                       https://u:p@other.test:8080/x/ bookworm main Other\n\
                       https://u:p@s.test:8080/sec/ bookworm-security main Debian\n";
        let (lines, hosts) = sources(targets, "bookworm", "debian");
        let want = [
            "deb http://m.test/debian/ bookworm contrib main",
            "deb https://u:p@s.test:8080/sec/ bookworm-security main",
        ];
        assert_eq!(lines, want);
        assert_eq!(hosts.into_iter().collect::<Vec<_>>(), ["m.test", "s.test"]);
    }

    #[test]
    fn the_proxy_of_apt_is_found_and_direct_is_none() {
        assert_eq!(upstream("Acquire::http::Proxy \"http://p:3128/\";\n").as_deref(), Some("p:3128"));
        assert_eq!(upstream("Acquire::http::Proxy \"DIRECT\";\n"), None);
        assert_eq!(upstream("APT::X \"y\";\n"), None);
    }

    #[test]
    fn date_checks_are_carried_over() {
        let dump = "Acquire::Check-Date \"false\";\nAcquire::Languages \"none\";\n";
        assert_eq!(options(dump), ["Acquire::Check-Date \"false\";"]);
    }
}
