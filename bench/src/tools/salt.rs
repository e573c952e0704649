//! Salt without a master: `salt-call --local` on the host, `salt-ssh` over SSH; a state file with Jinja loops.

use super::{Files, Source, Tool, contents, name_of, python};
use crate::lab::{Fleet, lay};
use crate::state::{self, State};
use serde_json::json;
use std::fmt::{Error, Write as _};
use std::path::Path;

/// As PyPI has it.
pub struct SaltCall;

/// The same, over SSH.
pub struct SaltSsh;

impl Tool for SaltCall {
    fn name(&self) -> &'static str {
        "salt-call"
    }

    fn source(&self) -> Source {
        Source::PyPi(&["salt"], &["python3", "python3-apt"])
    }

    fn version(&self) -> Vec<String> {
        let mut argv = python(self.name(), "salt-call");
        argv.push("--version".to_owned());
        argv
    }

    fn write(&self, state: &State) -> Files {
        site(state)
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        let at = at.display().to_string();
        let mut argv = python(self.name(), "salt-call");
        let words = [
            "--local",
            "--config-dir",
            &at,
            "--file-root",
            &at,
            "--retcode-passthrough",
            "--log-level",
            "error",
        ];
        argv.extend(words.map(str::to_owned));
        argv.extend(["--state-output=mixed", "state.apply", "site"].map(str::to_owned));
        Some(argv)
    }

    fn push(&self, _: &Path, _: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        Ok(None)
    }
}

impl Tool for SaltSsh {
    fn name(&self) -> &'static str {
        "salt-ssh"
    }

    fn source(&self) -> Source {
        Source::PyPi(&["salt"], &["python3", "python3-apt"])
    }

    fn version(&self) -> Vec<String> {
        let mut argv = python(self.name(), "salt-ssh");
        argv.push("--version".to_owned());
        argv
    }

    fn write(&self, state: &State) -> Files {
        site(state)
    }

    fn on_host(&self, _: &Path) -> Option<Vec<String>> {
        None
    }

    fn push(&self, at: &Path, fleet: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        let known = format!("UserKnownHostsFile={}", fleet.home().join(".ssh/known_hosts").display());
        let entry = |host: &crate::lab::Host| {
            let entry = json!({"host": host.address, "port": host.port, "user": "admin", "sudo": true, "priv": fleet.key()});
            (host.name.clone(), entry)
        };
        let roster: serde_json::Map<_, _> = fleet.hosts().iter().map(entry).collect();
        let master = json!({
            "root_dir": at, "cachedir": at.join("cache"), "pki_dir": at.join("pki"), "log_file": at.join("log"),
            "file_roots": {"base": [at]}, "roster_file": at.join("roster"), "ssh_max_procs": fleet.hosts().len(),
        });
        // JSON is YAML, too.
        let files =
            [("roster".to_owned(), json!(roster).to_string()), ("master".to_owned(), master.to_string())];
        lay(at, &files)?;
        let mut argv = python(self.name(), "salt-ssh");
        argv.insert(1, format!("HOME={}", fleet.home().display()));
        argv.extend(["--config-dir".to_owned(), at.display().to_string(), format!("--ssh-option={known}")]);
        argv.extend(["*", "state.apply", "site", "--state-output=mixed"].map(str::to_owned));
        Ok(Some(argv))
    }
}

fn site(state: &State) -> Files {
    let mut files = contents(state, "files");
    files.push(("vhost.j2".to_owned(), state::template(|variable| format!("{{{{ {variable} }}}}"))));
    files.push(("site.sls".to_owned(), states(state).expect("a String takes all")));
    files
}

/// YAML of one line each, where Jinja would only repeat it.
fn states(state: &State) -> Result<String, Error> {
    let mut text = String::new();
    for it in &state.groups {
        writeln!(text, "{}-group:\n  group.present: [{{name: {}}}, {{gid: {}}}]", it.name, it.name, it.gid)?;
    }
    for it in &state.users {
        let (name, uid, group, home, shell) = (&it.name, it.uid, &it.group, &it.home, &it.shell);
        writeln!(
            text,
            "{name}-user:\n  user.present: [{{name: {name}}}, {{uid: {uid}}}, {{gid: {group}}}, {{home: {home}}}, {{createhome: False}}, {{shell: {shell}}}]"
        )?;
    }
    directories(&mut text, state)?;
    if !state.packages.is_empty() {
        writeln!(text, "packages:\n  pkg.installed:\n    - pkgs: [{}]", state.packages.join(", "))?;
    }
    for it in state.singles() {
        let (source, owner, mode) = (name_of(&it.path), &it.owner, &it.mode);
        writeln!(
            text,
            "{}:\n  file.managed: [{{source: 'salt://files/{source}'}}, {{user: {owner}}}, {{group: {owner}}}, {{mode: '{mode}'}}]",
            it.path
        )?;
    }
    writeln!(text, "{{% for path, name, port, root in [")?;
    for it in &state.templated {
        writeln!(text, "  ('{}', '{}', {}, '{}'),", it.path, it.name, it.port, it.root)?;
    }
    writeln!(
        text,
        "] %}}\n{{{{ path }}}}:\n  file.managed:\n    - source: salt://vhost.j2\n    - template: jinja\n    - user: root"
    )?;
    writeln!(
        text,
        "    - group: root\n    - mode: '0644'\n    - defaults: {{name: '{{{{ name }}}}', port: {{{{ port }}}}, root: '{{{{ root }}}}'}}"
    )?;
    writeln!(text, "{{% endfor %}}")?;
    for it in &state.symlinks {
        writeln!(text, "{}:\n  file.symlink: [{{target: {}}}]", it.path, it.target)?;
    }
    for (number, it) in state.lines.iter().enumerate() {
        writeln!(text, "line {number}:\n  file.append: [{{name: {}}}, {{text: '{}'}}]", it.path, it.line)?;
    }
    for it in &state.units {
        let causes: Vec<String> = it.restarted_for.iter().map(|path| format!("{{file: {path}}}")).collect();
        let watch =
            if causes.is_empty() { String::new() } else { format!(", {{watch: [{}]}}", causes.join(", ")) };
        let name = it.name.trim_end_matches(".service");
        writeln!(text, "{}:\n  service.running: [{{name: {name}}}, {{enable: True}}{watch}]", it.name)?;
    }
    Ok(text)
}

fn directories(text: &mut String, state: &State) -> Result<(), Error> {
    for it in &state.directories {
        let (owner, mode) = (&it.owner, &it.mode);
        let what = match state.copied_into(it) {
            Some(files) => format!(
                "recurse: [{{source: salt://files}}, {{file_mode: '{files}'}}, {{dir_mode: '{mode}'}}"
            ),
            None => format!("directory: [{{mode: '{mode}'}}"),
        };
        writeln!(text, "{}:\n  file.{what}, {{user: {owner}}}, {{group: {owner}}}]", it.path)?;
    }
    Ok(())
}
