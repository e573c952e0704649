//! Which checks are meant: all, or those that were named.

use model::CheckSpec;

/// Names of checks; a `*` at the end of one stands for anything, as in `nginx/*`.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    names: Vec<String>,
}

impl Chosen {
    /// These; all where there is none.
    pub fn new(names: &[String]) -> Self {
        Self { names: names.to_vec() }
    }

    /// Whether it is meant.
    pub fn holds(&self, check: &CheckSpec) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| is(name, &check.name))
    }

    /// The names that none of `known` has.
    pub fn strangers<'a>(&'a self, known: &'a [String]) -> impl Iterator<Item = &'a str> {
        self.names.iter().filter(|name| !known.iter().any(|one| is(name, one))).map(String::as_str)
    }
}

fn is(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => name.starts_with(head),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::Chosen;
    use model::CheckSpec;

    #[test]
    fn names_choose_and_those_that_choose_nothing_are_known() {
        let chosen = Chosen::new(&["nginx/*".to_owned(), "ssh".to_owned(), "shh".to_owned()]);
        let meant = |name: &str| chosen.holds(&CheckSpec { name: name.into(), ..CheckSpec::default() });
        assert!(meant("nginx/answers") && meant("ssh") && !meant("ssh2") && !meant("web"));
        let known = ["nginx/answers".to_owned(), "ssh".to_owned()];
        assert_eq!(chosen.strangers(&known).collect::<Vec<_>>(), ["shh"]);
        assert!(Chosen::default().holds(&CheckSpec::default()));
    }
}
