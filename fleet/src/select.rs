//! From what the user types to hosts of the inventory: names, globs and `@group`. Connects to nothing.

use globset::GlobBuilder;

/// A host as far as choosing it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its groups.
    pub groups: Vec<String>,
}

/// A pattern that means no host: a slip of the pen must not become a smaller run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmatched {
    /// A name or glob.
    #[error("no host of the inventory is called `{pattern}`")]
    Host {
        /// As it was typed.
        pattern: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// `@group`.
    #[error("no host of the inventory is in a group `{pattern}`")]
    Group {
        /// The group, without its `@`.
        pattern: String,
        /// The groups there are.
        known: Vec<String>,
    },
    /// No pattern at all.
    #[error("`{pattern}` is no pattern: {why}")]
    Malformed {
        /// As it was typed.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The names of the hosts that any of `patterns` means, in the order of the inventory, each once.
///
/// A pattern is a name, a glob (`db*`, `web[12]`, `{a,b}.example.org`) or `@group`. Errors with the first pattern that
/// means no host.
pub fn select(hosts: &[Entry], patterns: &[String]) -> Result<Vec<String>, Unmatched> {
    let mut chosen = vec![false; hosts.len()];
    for pattern in patterns {
        let meant = meant(hosts, pattern)?;
        if !meant.contains(&true) {
            return Err(unmatched(hosts, pattern));
        }
        chosen.iter_mut().zip(meant).for_each(|(chosen, meant)| *chosen |= meant);
    }
    let names = hosts.iter().zip(chosen).filter(|(_, chosen)| *chosen);
    Ok(names.map(|(host, _)| host.name.clone()).collect())
}

/// For each host whether the pattern means it.
fn meant(hosts: &[Entry], pattern: &str) -> Result<Vec<bool>, Unmatched> {
    if let Some(group) = pattern.strip_prefix('@') {
        return Ok(hosts.iter().map(|host| host.groups.iter().any(|one| one == group)).collect());
    }
    let glob = GlobBuilder::new(pattern).build().map_err(|error| Unmatched::Malformed {
        pattern: pattern.to_owned(),
        why: error.kind().to_string(),
    })?;
    let matcher = glob.compile_matcher();
    Ok(hosts.iter().map(|host| host.name == pattern || matcher.is_match(&host.name)).collect())
}

fn unmatched(hosts: &[Entry], pattern: &str) -> Unmatched {
    match pattern.strip_prefix('@') {
        Some(group) => Unmatched::Group {
            pattern: group.to_owned(),
            known: hosts.iter().flat_map(|host| host.groups.iter().cloned()).collect(),
        },
        None => Unmatched::Host {
            pattern: pattern.to_owned(),
            known: hosts.iter().map(|host| host.name.clone()).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Unmatched, select};

    fn fleet() -> Vec<Entry> {
        let host = |name: &str, groups: &[&str]| Entry {
            name: name.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        vec![host("web2", &["prod"]), host("web1", &["prod", "canary"]), host("db1.example.org", &[])]
    }

    fn chosen(patterns: &[&str]) -> Result<Vec<String>, Unmatched> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        select(&fleet(), &patterns)
    }

    #[test]
    fn names_globs_and_groups_mean_hosts_in_the_order_of_the_inventory() {
        for (patterns, expected) in [
            (&["web1"][..], &["web1"][..]),
            (&["web1", "web*"], &["web2", "web1"]),
            (&["@prod", "@canary"], &["web2", "web1"]),
            (&["db*", "@canary"], &["web1", "db1.example.org"]),
            (&["{web1,db*}"], &["web1", "db1.example.org"]),
            (&["web[13]"], &["web1"]),
            (&[], &[]),
        ] {
            assert_eq!(chosen(patterns).unwrap(), expected, "{patterns:?}");
        }
    }

    #[test]
    fn a_pattern_that_means_no_host_is_an_error() {
        for (pattern, message) in [
            ("wbe1", "no host of the inventory is called `wbe1`"),
            ("@prd", "no host of the inventory is in a group `prd`"),
            ("@", "no host of the inventory is in a group ``"),
            ("db[", "`db[` is no pattern: unclosed character class; missing ']'"),
        ] {
            assert_eq!(chosen(&["web1", pattern]).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn the_error_knows_what_there_is() {
        let known = vec!["prod".to_owned(), "prod".to_owned(), "canary".to_owned()];
        assert_eq!(chosen(&["@x"]).unwrap_err(), Unmatched::Group { pattern: "x".into(), known });
    }
}
