//! The command that a host is given: `login.sh` and, as an argument of it, `root.sh`. Nothing of the text varies; what does is an
//! argument made of letters, digits, `/` and `:`.

use crate::agents::Agent;
use model::Digest;
use std::time::Duration;

const LOGIN: &str = include_str!("login.sh");
const ROOT: &str = include_str!("root.sh");

/// Where things are on a host.
#[derive(Clone, Debug)]
pub struct Places {
    /// The state directory of Evenkeel; `bin` in it holds the agents.
    pub state: String,
    /// A path that exists everywhere and that root alone owns. A shell can tell without a process who owns a path.
    pub mark: String,
    /// Where programs are looked for as root. Nothing of the login user's `PATH` counts there.
    pub path: String,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            state: "/var/lib/evenkeel".to_owned(),
            mark: "/".to_owned(),
            path: "/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        }
    }
}

/// How the script becomes root where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By sudo, or by doas where there is no sudo; without a password.
    Quiet,
    /// By sudo, which may ask for a password.
    Password,
    /// By doas.
    Doas,
}

/// Whether the script goes on at once when it has said that it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It does.
    Go,
    /// It waits for a line.
    Pause,
}

/// When the agent begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At once.
    Now,
    /// When its first word comes, within this time; it is not brought for that.
    Wanted(Duration),
}

/// What tells a command from others, whichever its nonce is.
pub fn label(how: (Way, Pace, Start), places: &Places, agents: &[Agent]) -> String {
    Digest::of(command(how, "", places, agents).as_bytes()).to_string()
}

/// The command for the login shell, whichever it is. `nonce` is fresh for each command, in hex.
pub fn command(
    (way, pace, start): (Way, Pace, Start),
    nonce: &str,
    places: &Places,
    agents: &[Agent],
) -> String {
    let way = match way {
        Way::Quiet => "quiet",
        Way::Password => "password",
        Way::Doas => "doas",
    };
    let pace = match pace {
        Pace::Go => "go",
        Pace::Pause => "pause",
    };
    let spare = match start {
        Start::Now => 0,
        Start::Wanted(patience) => patience.as_secs(),
    };
    let (login, root) = (one_line(LOGIN), one_line(ROOT));
    let mut words =
        vec![quoted(&login), "sh".to_owned(), quoted(&root), way.to_owned(), pace.to_owned(), quoted(nonce)];
    words.extend([&places.mark, &places.state, &places.path].map(|place| quoted(place)));
    words.push(spare.to_string());
    words.extend(agents.iter().flat_map(|agent| [agent.arch.clone(), agent.digest.to_string()]));
    format!("exec /bin/sh -c {}", words.join(" "))
}

/// What a marker line begins with.
pub fn marker(nonce: &str) -> String {
    format!("KEEL-{nonce} ")
}

/// What sudo asks for the password with.
pub fn prompt(nonce: &str) -> String {
    format!("KEEL-{nonce} password ")
}

/// Between single quotes, which no text here holds.
fn quoted(text: &str) -> String {
    assert!(
        !text.contains(['\'', '!', '\n']),
        "scripts and places hold nothing that a login shell could read otherwise"
    );
    format!("'{text}'")
}

/// A script without its comments and without line ends, which csh does not take between quotes.
fn one_line(script: &str) -> String {
    let mut joined = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if !joined.is_empty() {
            joined.push_str(if is_open(&joined) { " " } else { "; " });
        }
        joined.push_str(line);
    }
    joined
}

/// True where a command has begun that the next line goes on with.
fn is_open(script: &str) -> bool {
    [" then", " do", " else", " {", ";;"].iter().any(|end| script.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::{LOGIN, Pace, Places, ROOT, Start, Way, command, label, one_line, quoted};
    use std::time::Duration;

    #[test]
    fn the_command_is_one_line_of_harmless_arguments() {
        let command = command((Way::Quiet, Pace::Go, Start::Now), "00ff", &Places::default(), &[]);
        assert!(command.starts_with("exec /bin/sh -c 'set -u; umask 077; "), "{command}");
        assert!(
            command.ends_with("' quiet go '00ff' '/' '/var/lib/evenkeel' '/usr/sbin:/usr/bin:/sbin:/bin' 0"),
            "{command}"
        );
        assert!(command.lines().count() == 1 && command.len() < 6 << 10, "{}", command.len());
        assert_eq!(command.matches('\'').count(), 12);
    }

    #[test]
    fn a_label_tells_commands_apart_and_not_their_nonces() {
        let start = |seconds| Start::Wanted(Duration::from_secs(seconds));
        let of = |how| label(how, &Places::default(), &[]);
        let usual = of((Way::Quiet, Pace::Go, start(60)));
        assert_eq!(usual, of((Way::Quiet, Pace::Go, start(60))));
        for (way, start) in [(Way::Doas, start(60)), (Way::Quiet, start(61)), (Way::Quiet, Start::Now)] {
            assert_ne!(usual, of((way, Pace::Go, start)));
        }
    }

    #[test]
    fn joining_lines_keeps_what_they_mean() {
        let script = "# says\nif true; then\n  a\nelse\nb\nfi\nf() {\nc; }\ncase x in\n";
        assert_eq!(one_line(script), "if true; then a; else b; fi; f() { c; }; case x in");
        for script in [LOGIN, ROOT] {
            quoted(&one_line(script));
        }
    }
}
