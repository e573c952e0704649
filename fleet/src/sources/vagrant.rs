//! Asks `vagrant` how the machines of a Vagrantfile are reached. It starts that program, by argv, and nothing else; what it says is read as a
//! configuration of ssh. Next: `found`.

use crate::trouble::Trouble;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// The program, as `PATH` has it.
const VAGRANT: &str = "vagrant";
/// How many lines of what it complains about are shown.
const LINES: usize = 6;

/// What `vagrant ssh-config` says of the machines that run, and what else is printed. It refuses to speak of any where one does not run, as of Vagrant 2.4: then it is
/// asked which do.
///
/// # Errors
/// `Trouble::Here`: there is no vagrant, no Vagrantfile, or no machine that runs.
pub(super) fn ssh_config(directory: &Path) -> Result<String, Trouble> {
    said_by(VAGRANT, directory)
}

fn said_by(program: &str, directory: &Path) -> Result<String, Trouble> {
    let ask = |words: &[&str]| run(program, directory, words);
    let all = ask(&["ssh-config"])?;
    if all.is_fine {
        return Ok(all.output);
    }
    let status = ask(&["status", "--machine-readable"])?;
    if !status.is_fine {
        return Err(failed(directory, &all.errors));
    }
    let machines = states(&status.output);
    let running: Vec<&str> =
        machines.iter().filter(|(_, state)| state == "running").map(|(name, _)| name.as_str()).collect();
    if running.is_empty() {
        return Err(none_runs(directory, &machines));
    }
    let some = ask(&[&["ssh-config"], &running[..]].concat())?;
    if some.is_fine { Ok(some.output) } else { Err(failed(directory, &some.errors)) }
}

struct Said {
    is_fine: bool,
    output: String,
    errors: String,
}

fn run(program: &str, directory: &Path, words: &[&str]) -> Result<Said, Trouble> {
    let directory_there = if directory == Path::new("") { Path::new(".") } else { directory };
    if !directory_there.is_dir() {
        return Err(Trouble::Here(format!(
            "there is no directory {} to ask vagrant in",
            directory.display()
        )));
    }
    let output = command(program)
        .args(words)
        .current_dir(directory_there)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => Trouble::Here(
                "the inventory is asked of the program vagrant, which is not there: install Vagrant, or leave out --inventory"
                    .to_owned(),
            ),
            _ => Trouble::Here(format!("vagrant cannot be started: {error}")),
        })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { is_fine: output.status.success(), output: text(&output.stdout), errors: text(&output.stderr) })
}

#[expect(clippy::disallowed_methods, reason = "the one place of this crate where vagrant is started")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// From the first `Host` on: a Vagrantfile may print what it likes before.
pub(super) fn blocks(text: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.starts_with("Host "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Machines and their states: lines `TIME,MACHINE,state,STATE` (Vagrant's documentation, "Machine Readable Output").
fn states(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        if let [_, machine, "state", state] = fields[..] {
            found.push((machine.to_owned(), state.to_owned()));
        }
    }
    found
}

fn none_runs(directory: &Path, machines: &[(String, String)]) -> Trouble {
    let machines: Vec<String> =
        machines.iter().map(|(name, state)| format!("{name} ({})", state.replace('_', " "))).collect();
    let machines = if machines.is_empty() { "there is none".to_owned() } else { machines.join(", ") };
    Trouble::Here(format!(
        "no machine of the Vagrantfile in {} runs: {machines}; start one with `vagrant up`",
        directory.display()
    ))
}

fn failed(directory: &Path, because: &str) -> Trouble {
    let lines: Vec<&str> = because.lines().filter(|line| !line.trim().is_empty()).take(LINES).collect();
    Trouble::Here(format!("`vagrant ssh-config` in {} failed:\n{}", directory.display(), lines.join("\n")))
}

#[expect(clippy::disallowed_methods, reason = "files of a test's own")]
#[cfg(test)]
mod tests {
    use super::{blocks, said_by};
    use std::os::unix::fs::PermissionsExt as _;

    /// What becomes of it where `vagrant` is this shell script.
    fn asked(script: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("vagrant");
        std::fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let place = directory.path().display().to_string();
        said_by(&program.display().to_string(), directory.path())
            .map_err(|trouble| trouble.to_string().replace(&place, "DIR"))
    }

    #[test]
    fn what_stands_before_the_first_host_is_left_out() {
        let said = asked("echo hello; echo 'Host web'; echo '  HostName 192.0.2.1'").unwrap();
        assert_eq!(blocks(&said), "Host web\n  HostName 192.0.2.1\n");
    }

    #[test]
    fn where_one_does_not_run_the_others_are_asked_for() {
        let script = "case \"$*\" in\n\
             status*) echo 1,web,metadata,provider,lxc; echo 1,web,state,running; echo 1,db,state,not_created;;\n\
             'ssh-config web') echo Host web;;\n\
             *) echo not yet ready >&2; exit 1;;\nesac";
        assert_eq!(asked(script).as_deref(), Ok("Host web\n"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let stopped =
            "case $1 in status) echo 1,web,state,poweroff; echo 1,db,state,not_created;; *) exit 1;; esac";
        for (script, expected) in [
            (
                stopped,
                "no machine of the Vagrantfile in DIR runs: web (poweroff), db (not created); start one with `vagrant up`",
            ),
            (
                "[ $1 = status ]",
                "no machine of the Vagrantfile in DIR runs: there is none; start one with `vagrant up`",
            ),
            (
                "echo; echo A Vagrant environment is required >&2; exit 1",
                "`vagrant ssh-config` in DIR failed:\nA Vagrant environment is required",
            ),
        ] {
            assert_eq!(asked(script).unwrap_err(), expected);
        }
    }

    #[test]
    fn no_vagrant_and_no_directory_are_told_apart() {
        let here = std::env::temp_dir();
        let said = said_by("/nonexistent/vagrant", &here).unwrap_err().to_string();
        assert_eq!(
            said,
            "the inventory is asked of the program vagrant, which is not there: install Vagrant, or leave out --inventory"
        );
        let said = said_by("vagrant", std::path::Path::new("/nonexistent")).unwrap_err().to_string();
        assert_eq!(said, "there is no directory /nonexistent to ask vagrant in");
    }
}
