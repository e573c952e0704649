//! The subject `command`: what a program says and how it ends.

use super::ground::Ground;
use super::subject::Subject;
use super::wanted::{Wanted, shown};
use crate::kind::Listed;
use model::{Failure, Principal, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;

/// A program that is run on the host, as root unless said, and must change nothing. `command = ["nginx", "-t"]` is short for
/// `command = { argv = ["nginx", "-t"] }`. There is no shell, no terminal and no input; `PATH` is
/// `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`. Of what it writes 128 KiB are looked at. One that does not end in time,
/// or is not there, tells nothing: the check is unknown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program and its arguments.
    argv: Vec<String>,
    /// Its exit code.
    #[serde(default)]
    exit: i32,
    /// What it writes to standard output: a string that it contains, or a table with `contains`, `lacks`, `equals` or `matches`.
    stdout: Option<Wanted>,
    /// What it writes to standard error, as of `stdout`.
    stderr: Option<Wanted>,
    /// Who runs it, by name or number, with the groups that he has; root unless said.
    user: Option<Principal>,
}

impl Listed for Command {
    const NAME: &'static str = "command";
    const SHORT: &'static str = "argv";
    const EXAMPLE: &'static str = "[check.nginx-config]\ncommand = [\"nginx\", \"-t\"]\n\n[check.database]\ncommand = { argv = [\"psql\", \"-Atc\", \"select 1\"], user = \"postgres\", stdout = { equals = \"1\" } }\nwithin = \"1m\"\ntimeout = \"5s\"\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.argv.first().is_none_or(String::is_empty) {
            problems
                .push(Problem::at("argv", "there is no program").help("write [\"PROGRAM\", \"ARGUMENT\"]"));
        }
        if !(0..=255).contains(&self.exit) {
            problems.push(Problem::at("exit", "no program ends so").help("exit codes go from 0 to 255"));
        }
        problems.extend(self.stdout.as_ref().and_then(|wanted| wanted.problem("stdout")));
        problems.extend(self.stderr.as_ref().and_then(|wanted| wanted.problem("stderr")));
        problems
    }
}

impl Subject for Command {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let ran = ground.inside()?.programs.run(&self.argv, self.user.as_ref(), ground.timeout)?;
        let mut short = Vec::new();
        if ran.code != Some(self.exit) {
            let said = if ran.stderr.bytes.trim_ascii().is_empty() { &ran.stdout } else { &ran.stderr };
            let code = ran.code.map_or("the end by a signal".to_owned(), |code| code.to_string());
            short.push(Shortfall::new("exit", self.exit, format!("{code}; it said {}", shown(&said.bytes))));
        }
        for (what, wanted, wrote) in
            [("stdout", &self.stdout, &ran.stdout), ("stderr", &self.stderr, &ran.stderr)]
        {
            match wanted.as_ref().map(|wanted| wanted.short(what, wrote)).transpose() {
                Ok(found) => short.extend(found.flatten()),
                // It is known to have failed, whatever else it wrote.
                Err(_) if !short.is_empty() => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(short)
    }
}
