//! The command line of the verbs that are called again and again, read without the arguments of all others: putting those together is a
//! third of what `keel` takes before it does anything. It says nothing of what is wrong: then all of [`Cli`] has the word.

use crate::args::{Cli, Printed};
use crate::commands::{Harmless, agent, apply};
use clap::{Args, Command, FromArgMatches, Parser};
use std::ffi::OsString;

/// What the command line asks for.
///
/// # Errors
/// Where it asks for nothing that there is, or for help.
pub fn parse() -> Result<Cli, clap::Error> {
    let words: Vec<OsString> = std::env::args_os().collect();
    short(&words).map_or_else(|| Cli::try_parse_from(&words), Ok)
}

/// The same for these verbs; `None` for all that is not just a call of one of them.
fn short(words: &[OsString]) -> Option<Cli> {
    let verb = words.get(1)?.to_str()?;
    let own = match verb {
        "apply" => Printed::<apply::Args>::augment_args(Command::new("apply")),
        "plan" => Printed::<Harmless>::augment_args(Command::new("plan")),
        "agent" => agent::Args::augment_args(Command::new("agent")),
        _ => return None,
    };
    let matches = Command::new("keel").subcommand(own).try_get_matches_from(words).ok()?;
    Cli::from_arg_matches(&matches).ok()
}

#[cfg(test)]
mod tests {
    use super::short;
    use crate::args::Cli;
    use clap::Parser;
    use std::ffi::OsString;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn it_reads_what_the_whole_command_line_reads() {
        for line in [
            "keel apply --yes --local -f site.toml --state-dir /s --format json",
            "keel apply web1 @db --site . --only a,b --parallel 3 --rollback-on-failure",
            "keel plan",
            "keel plan --local -f x.toml --format=json",
            "keel agent run --settings /etc/evenkeel/agent.toml",
            "keel agent status",
        ] {
            let all = Cli::try_parse_from(words(line)).expect("it is right");
            let short = short(&words(line)).expect(line);
            assert_eq!(format!("{short:?}"), format!("{all:?}"));
        }
    }

    #[test]
    fn it_leaves_all_else_to_the_whole_command_line() {
        let others = [
            "keel",
            "keel --version",
            "keel validate",
            "keel apply --help",
            "keel apply --nothing",
            "keel agent",
        ];
        for line in others {
            assert!(short(&words(line)).is_none(), "{line}");
        }
    }
}
