//! The kind `exec`: decides whether a command runs. Its guards run while it looks, and promise to change nothing.

use crate::kind::{Class, Kind};
use crate::parts::duration::Seconds;
use crate::system::{Look, System};
use model::{
    Because, Claim, Command, Failure, HostPath, Op, Principal, Problem, Scope, Step, Text, Thing, Val,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Deadline of a guard, in seconds: a plan must not hang.
const GUARD_DEADLINE: u64 = 60;

/// A command that is run. Its name is a label of its module. Without `creates`, `unless`, `onlyif` or `refresh_only` it runs
/// each time; with several of them it runs only if all agree, also when it is notified. The environment is empty but for
/// `PATH`, `LC_ALL=C`, and for another user `HOME`, `USER` and `LOGNAME`. One attempt may take 300 s, or as long as the common
/// key `timeout` says. What it changes is not foreseen in a plan, and undone only by `undo`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    #[serde(rename = "name")]
    #[schemars(skip)]
    label: String,
    /// Program and arguments, passed on as they are; no shell sees them. Either this or `shell`. Example:
    /// `["tar", "-xf", "/tmp/app.tar", "-C", "/opt/app"]`. Every user of the host may read the arguments of what runs:
    /// hand a secret over in `env` or `stdin`.
    command: Option<Vec<Text>>,
    /// A script for `/bin/sh -c`. Either this or `command`. Example: `"zcat dump.gz | psql app"`.
    shell: Option<Text>,
    /// A path that the command makes: where something stands there, it does not run. Example: `"/opt/app/bin"`.
    creates: Option<HostPath>,
    /// A command that changes nothing; where it ends with 0, the command does not run. It runs as the same user, in the same
    /// directory and environment, also for a plan, and has 60 s. Example: `["test", "-s", "/opt/app/version"]`.
    unless: Option<Vec<Text>>,
    /// As `unless`, the other way round: only where it ends with 0 the command runs.
    onlyif: Option<Vec<Text>>,
    /// True: it runs only when it is notified.
    #[serde(default)]
    refresh_only: bool,
    /// Working directory; `/` where it is left out.
    cwd: Option<HostPath>,
    /// Variables added to the environment. Example: `{ PGHOST = "/run/postgresql" }`.
    #[serde(default)]
    env: BTreeMap<String, Text>,
    /// The user it runs as, by name or number, with that user's groups. Left out, the one who applies: root.
    user: Option<Principal>,
    /// The group it runs as, by name or number. Left out, the primary group of `user`.
    group: Option<Principal>,
    /// Mask for the modes of new files, octal digits in a string. `"0022"` where it is left out. Example: `"0027"`.
    #[schemars(with = "Option<String>")]
    umask: Option<Umask>,
    /// Exit codes that mean success.
    #[serde(default = "zero")]
    returns: BTreeSet<i32>,
    /// Further attempts after one that failed.
    #[serde(default)]
    retries: u32,
    /// Pause before each further attempt, such as `"30s"` or `"5m"`; none where it is left out.
    #[serde(default)]
    #[schemars(with = "Option<Seconds>")]
    retry_delay: Seconds,
    /// What the command reads on standard input; nothing where it is left out.
    stdin: Option<Text>,
    /// True: it may run while other commands run, up to 16 such at once. Left out, it runs while no other does that leaves it out.
    /// What it needs has to be said then: nothing but `require`, `before`, `notify` and `subscribe` puts it in order.
    #[serde(default)]
    parallel: bool,
    /// True: neither arguments nor output are shown, not even where it fails. Secrets in them are never shown.
    #[serde(default)]
    sensitive: bool,
    /// A command, program and arguments, that undoes it: run by a rollback. Neither it nor `env` may hold a secret then: none is kept
    /// for a rollback. Example: `["rm", "-rf", "/opt/app"]`.
    undo: Option<Vec<Text>>,
}

fn zero() -> BTreeSet<i32> {
    BTreeSet::from([0])
}

/// A file mode creation mask, at most 0o777.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Umask(u32);

impl TryFrom<String> for Umask {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let bits = digits.then(|| u32::from_str_radix(&text, 8).ok()).flatten().filter(|bits| *bits <= 0o777);
        bits.map(Self).ok_or_else(|| {
            format!("`{text}` is no umask: write three or four octal digits, such as \"0027\"")
        })
    }
}

/// What was found, as far as it was asked: each guard is asked only where those before it let the command run.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// Whether something stands at `creates`.
    created: Option<bool>,
    /// Exit code of `unless`.
    unless: Option<i32>,
    /// Exit code of `onlyif`.
    onlyif: Option<i32>,
}

impl Seen {
    fn lets_run(&self) -> bool {
        self.created != Some(true) && self.unless != Some(0) && self.onlyif.is_none_or(|code| code == 0)
    }
}

impl Kind for Exec {
    const NAME: &'static str = "exec";
    const CLASS: Class = Class::Commands;
    const SCOPE: Scope = Scope::Module;
    const EXAMPLE: &'static str = r#"[exec.unpack-app]
command = ["tar", "-xf", "/var/cache/app.tar", "-C", "/opt/app"]
creates = "/opt/app/bin"
umask   = "0027"

[exec.rehash]
shell        = "c_rehash /etc/ssl/certs > /dev/null"
refresh_only = true
retries      = 2
retry_delay  = "5s"
"#;
    type Seen = Seen;

    fn class(&self) -> Class {
        if self.parallel { Class::Independent } else { Self::CLASS }
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.label.contains(char::is_control) {
            problems.push(Problem::whole("a label holds no control characters").help("choose another name"));
        }
        match (&self.command, &self.shell) {
            (Some(_), Some(_)) => problems.push(
                Problem::at("shell", "`command` says already what to run").help("leave out one of the two"),
            ),
            (None, None) => problems.push(
                Problem::whole("nothing says what to run")
                    .help("write command = [\"program\", \"argument\"]"),
            ),
            _ => {}
        }
        let argvs = [
            ("command", &self.command),
            ("unless", &self.unless),
            ("onlyif", &self.onlyif),
            ("undo", &self.undo),
        ];
        for (key, argv) in argvs {
            if argv
                .as_ref()
                .is_some_and(|argv| argv.first().is_none_or(|program| program.expose().is_empty()))
            {
                problems
                    .push(Problem::at(key, "there is no program").help("write [\"program\", \"argument\"]"));
            }
        }
        problems.extend(self.undone_with_secrets());
        let words = argvs.into_iter().flat_map(|(_, argv)| argv.iter().flatten()).chain(self.env.values());
        if words.chain(&self.shell).any(|text| text.expose().contains('\0')) {
            problems.push(Problem::whole("an argument cannot hold a NUL character").help("leave it out"));
        }
        let is_name = |name: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            name.chars().all(fits) && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        for name in self.env.keys().filter(|name| !is_name(name)) {
            let problem = Problem::at("env", format!("`{name}` is no name of a variable"));
            problems.push(problem.help("a name has letters, digits and `_`, and no digit first"));
        }
        if self.retries == 0 && self.retry_delay.0 > 0 {
            let problem = Problem::at("retry_delay", "there is no further attempt that it could delay");
            problems.push(problem.help("say how many with `retries`, or leave it out"));
        }
        if self.returns.is_empty() || self.returns.iter().any(|code| !(0..=255).contains(code)) {
            let problem = Problem::at("returns", "exit codes are numbers from 0 to 255");
            problems.push(problem.help("leave it out for [0]"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    fn wants(&self) -> Vec<Thing> {
        let mut things = Vec::new();
        things.extend(self.user.as_ref().and_then(Principal::name).map(|name| Thing::User(name.to_owned())));
        things
            .extend(self.group.as_ref().and_then(Principal::name).map(|name| Thing::Group(name.to_owned())));
        things.extend(self.cwd.clone().map(Thing::Path));
        things.extend(self.creates.as_ref().and_then(HostPath::parent).map(Thing::Path));
        for argv in [&self.command, &self.unless, &self.onlyif].into_iter().flatten() {
            things.extend(argv.first().into_iter().flat_map(program));
        }
        things
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let mut seen = Seen::default();
        if let Some(path) = &self.creates {
            seen.created = Some(system.look(path, Look::Bare)?.is_some());
        }
        if let (Some(argv), true) = (&self.unless, seen.lets_run()) {
            seen.unless = Some(system.guard(&self.guard(argv))?);
        }
        if let (Some(argv), true) = (&self.onlyif, seen.lets_run()) {
            seen.onlyif = Some(system.guard(&self.guard(argv))?);
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        if self.refresh_only { Ok(Vec::new()) } else { Ok(self.run(seen)) }
    }

    fn refresh(&self, seen: &Seen) -> Vec<Step> {
        self.run(seen)
    }
}

impl Exec {
    fn run(&self, seen: &Seen) -> Vec<Step> {
        if !seen.lets_run() {
            return Vec::new();
        }
        let mut step = Step::new(Op::Run(self.effect()));
        if let Some(path) = &self.creates {
            step = step.because("creates", Val::Absent, path.to_string());
        }
        if let Some(code) = seen.unless {
            step = step.because("unless", format!("exit {code}"), "exit 0");
        }
        if seen.onlyif.is_some() {
            step = step.because("onlyif", "exit 0", "done");
        }
        // What it makes was there, and is gone; what a guard asks about may be anything; without either it runs each time.
        vec![match (&self.creates, seen.unless.is_some() || seen.onlyif.is_some()) {
            (Some(_), _) => step,
            (None, true) => step.moved(Because::Unknown),
            (None, false) => step.moved(Because::Intended),
        }]
    }

    /// No secret outlives its run, so that a rollback could not give it to `undo`.
    fn undone_with_secrets(&self) -> Vec<Problem> {
        let Some(undo) = &self.undo else { return Vec::new() };
        let holders =
            [("undo", undo.iter().any(Text::is_secret)), ("env", self.env.values().any(Text::is_secret))];
        let problem = |(key, _)| {
            Problem::at(key, "it holds a secret, and a rollback has none to undo with")
                .help("let the command read it from a file on the host, or leave out `undo`")
        };
        holders.into_iter().filter(|(_, holds)| *holds).map(problem).collect()
    }

    /// The command as it is run for its effect. Its deadline is that of the node.
    fn effect(&self) -> Command {
        let script = |shell: &Text| vec![plain("/bin/sh"), plain("-c"), shell.clone()];
        let argv = self.command.clone().or_else(|| self.shell.as_ref().map(script)).unwrap_or_default();
        Command {
            argv,
            stdin: self.stdin.clone(),
            returns: self.returns.clone(),
            retries: self.retries,
            retry_delay: self.retry_delay.0,
            undo: self.undo.clone().unwrap_or_default(),
            ..self.surroundings()
        }
    }

    fn guard(&self, argv: &[Text]) -> Command {
        Command { argv: argv.to_vec(), timeout: Some(GUARD_DEADLINE), ..self.surroundings() }
    }

    fn surroundings(&self) -> Command {
        Command {
            cwd: self.cwd.clone(),
            env: self.env.clone(),
            user: self.user.clone(),
            group: self.group.clone(),
            umask: self.umask.map(|umask| umask.0),
            sensitive: self.sensitive,
            ..Command::default()
        }
    }
}

fn plain(text: &str) -> Text {
    Text::Plain(text.to_owned())
}

/// The file of a program and the package of its name, for the edges.
fn program(word: &Text) -> Vec<Thing> {
    let Text::Plain(word) = word else { return Vec::new() };
    let base = word.rsplit('/').next().unwrap_or(word);
    let path = HostPath::new(word).ok().map(Thing::Path);
    [Thing::Package(base.to_owned())].into_iter().chain(path).collect()
}
