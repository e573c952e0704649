//! Tokens (`%h`), environment variables (`${HOME}`) and `~` in values of ssh_config(5). Each value says which tokens it takes.

use super::asked::Overrides;
use super::said::Said;
use super::surroundings::Surroundings;
use crate::trouble::Trouble;
use std::path::PathBuf;

/// What tokens stand for.
pub(super) struct Tokens<'a> {
    pub(super) alias: &'a str,
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) key_alias: Option<&'a str>,
    pub(super) surroundings: &'a Surroundings,
}

/// Why a value cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is wrong, and so.
    Wrong(String),
    /// Only ssh itself can do it, because of this.
    Beyond(&'static str),
}

/// Those that paths take.
pub(super) const IN_PATHS: &str = "%dhiklLnpruCj";
/// Those that `ProxyJump` takes.
pub(super) const IN_JUMPS: &str = "%hnpr";

/// The name or address to connect to: that of inventory or command line, else `HostName`, else the alias.
pub(super) fn host_name(said: &Overrides, line: Option<&Said>, alias: &str) -> Result<String, Trouble> {
    let name = match (&said.address, line) {
        (Some(address), _) => address.clone(),
        (None, Some(line)) => {
            let word = line.word()?;
            replace(&word, |letter| match letter {
                '%' => Ok("%".to_owned()),
                'h' => Ok(alias.to_owned()),
                _ => Err(unknown(letter)),
            })
            .map_err(|stop| stop.of(line))?
        }
        (None, None) => alias.to_owned(),
    };
    // Behind a `%` is the name of an interface, in which case matters.
    Ok(if name.contains('%') { name } else { name.to_ascii_lowercase() })
}

impl Stop {
    /// As an error of a line whose value nothing can be done without.
    pub(super) fn of(self, line: &Said) -> Trouble {
        line.place.wrong(match self {
            Self::Wrong(why) => why,
            Self::Beyond(what) => format!("{what} is not supported here: write it in full"),
        })
    }
}

/// A path with its tokens, variables and `~`.
pub(super) fn path(text: &str, tokens: &Tokens<'_>) -> Result<PathBuf, Stop> {
    let (home, rest) = match text.strip_prefix('~') {
        None => (None, text),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => (Some(&tokens.surroundings.home), rest),
        Some(_) => return Err(Stop::Beyond("~USER")),
    };
    let rest = tokens.expand(&variables(rest, tokens.surroundings)?, IN_PATHS)?;
    Ok(home.map_or_else(|| PathBuf::from(&rest), |home| home.join(rest.trim_start_matches('/'))))
}

impl Tokens<'_> {
    /// Replaces the tokens among `allowed`.
    pub(super) fn expand(&self, text: &str, allowed: &str) -> Result<String, Stop> {
        replace(
            text,
            |letter| if allowed.contains(letter) { self.value(letter) } else { Err(unknown(letter)) },
        )
    }

    fn value(&self, letter: char) -> Result<String, Stop> {
        let machine = &self.surroundings.machine;
        Ok(match letter {
            '%' => "%".to_owned(),
            'd' => self.surroundings.home.display().to_string(),
            'h' => self.host.to_owned(),
            'i' => self.surroundings.uid.to_string(),
            'k' => self.key_alias.unwrap_or(self.alias).to_owned(),
            'l' => machine.clone(),
            'L' => machine.split('.').next().unwrap_or(machine).to_owned(),
            'n' => self.alias.to_owned(),
            'p' => self.port.to_string(),
            'r' => self.user.to_owned(),
            'u' => self.surroundings.user.clone(),
            'C' => return Err(Stop::Beyond("%C")),
            'j' => return Err(Stop::Beyond("%j")),
            _ => return Err(unknown(letter)),
        })
    }
}

fn unknown(letter: char) -> Stop {
    Stop::Wrong(format!("`%{letter}` means nothing here; a `%` itself is `%%`"))
}

fn replace(text: &str, value: impl Fn(char) -> Result<String, Stop>) -> Result<String, Stop> {
    let (mut result, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some(letter) => result.push_str(&value(letter)?),
                None => return Err(Stop::Wrong("it ends with a `%`; a `%` itself is `%%`".to_owned())),
            },
            _ => result.push(c),
        }
    }
    Ok(result)
}

/// Replaces `${NAME}`. What a variable holds is not looked at again, save that a `%` in it stays one.
fn variables(text: &str, surroundings: &Surroundings) -> Result<String, Stop> {
    let (mut result, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("${") {
        let Some((name, after)) = behind.split_once('}') else {
            return Err(Stop::Wrong("a `${` is never closed".to_owned()));
        };
        let Some(value) = surroundings.variables.get(name) else {
            return Err(Stop::Wrong(format!("the environment has no variable {name}")));
        };
        result.push_str(before);
        result.push_str(&value.replace('%', "%%"));
        rest = after;
    }
    Ok(result + rest)
}

#[cfg(test)]
mod tests {
    use super::{Stop, Surroundings, Tokens, path};
    use std::path::PathBuf;

    fn expanded(text: &str) -> Result<PathBuf, Stop> {
        let variables = [("X", "a%b"), ("Y", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let surroundings = Surroundings {
            home: "/home/me".into(),
            user: "me".into(),
            uid: 7,
            machine: "desk.example.org".into(),
            variables: variables.into(),
        };
        let (alias, host, user) = ("web", "web.example.org", "ops");
        path(text, &Tokens { alias, host, port: 2222, user, key_alias: None, surroundings: &surroundings })
    }

    #[test]
    fn tokens_variables_and_home() {
        for (text, expected) in [
            ("~/.ssh/%r@%h:%p", "/home/me/.ssh/ops@web.example.org:2222"),
            ("~", "/home/me/"),
            ("%d/%n-%k-%i-%u", "/home/me/web-web-7-me"),
            ("%l %L %%h", "desk.example.org desk %h"),
            ("${X}/${Y}$Z", "a%b/$Z"),
            ("a~", "a~"),
        ] {
            assert_eq!(expanded(text).unwrap(), PathBuf::from(expected), "{text}");
        }
    }

    #[test]
    fn what_means_nothing_is_an_error_and_what_only_ssh_knows_is_said() {
        for text in ["%x", "a%", "${NO}", "${X"] {
            assert!(matches!(expanded(text), Err(Stop::Wrong(_))), "{text}");
        }
        assert_eq!(expanded("%C"), Err(Stop::Beyond("%C")));
        assert_eq!(expanded("~other/x"), Err(Stop::Beyond("~USER")));
    }
}
