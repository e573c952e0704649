//! Keel itself: one file of resources, a template beside it, and directories of files that are copied as they are.

use super::{Files, Source, Tool, contents, words};
use crate::lab::Fleet;
use crate::state::{self, State};
use crate::workloads::OPT;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The program on the laptop; on a host it is in `OPT`.
pub struct Keel {
    /// Agents lie beside it.
    pub program: PathBuf,
}

impl Tool for Keel {
    fn name(&self) -> &'static str {
        "keel"
    }

    fn source(&self) -> Source {
        Source::Ours
    }

    fn version(&self) -> Vec<String> {
        vec![format!("{OPT}/keel"), "--version".to_owned()]
    }

    fn write(&self, state: &State) -> Files {
        let template = state::template(|variable| format!("{{{{each.value.{variable}}}}}"));
        let mut files =
            vec![("site.toml".to_owned(), resources(state)), ("templates/vhost.hbs".to_owned(), template)];
        if state.tree().is_some() {
            files.extend(contents(state, "files/tree"));
        }
        files
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        let [site, state] = ["site.toml", "state"].map(|name| at.join(name).display().to_string());
        let keel = format!("{OPT}/keel");
        Some(words([&keel, "apply", "--yes", "--local", "-f", &site, "--state-dir", &state]))
    }

    fn push(&self, at: &Path, fleet: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        let home = fleet.home().display();
        let environment = [format!("HOME={home}"), format!("XDG_RUNTIME_DIR={home}")];
        let keel = self.program.display().to_string();
        let mut argv = words(["env", &environment[0], &environment[1], &keel, "apply", "--yes", "-f"]);
        argv.push(at.join("site.toml").display().to_string());
        argv.extend(["--parallel".to_owned(), fleet.hosts().len().to_string()]);
        argv.extend(fleet.hosts().iter().map(|host| host.name.clone()));
        Ok(Some(argv))
    }
}

impl Keel {
    /// A site of hosts `h1` to `hN` that all have the same role, `site.toml`; how it is looked at.
    pub fn compile(&self, at: &Path, state: &State, hosts: usize) -> anyhow::Result<Vec<String>> {
        let mut files = self.write(state);
        let keel = self.program.display().to_string();
        if hosts > 1 {
            for (path, text) in &mut files {
                match path.as_str() {
                    "site.toml" => *path = "roles/bench.toml".to_owned(),
                    // Every host has files of its own.
                    _ => text.insert_str(0, "# of {{host.name}}\n"),
                }
            }
            let host =
                |number: usize| format!("[host.h{number}]\naddress = \"192.0.2.1\"\nroles = [\"bench\"]\n");
            files.push(("hosts.toml".to_owned(), (1..=hosts).map(host).collect()));
            files.push(("keel.toml".to_owned(), "[project]\nname = \"bench\"\n".to_owned()));
        }
        crate::lab::lay(at, &files)?;
        let at = at.display().to_string();
        Ok(match hosts {
            1 => words([&keel, "validate", "-f", &format!("{at}/site.toml")]),
            _ => words([&keel, "validate", "--site", &at]),
        })
    }
}

fn resources(state: &State) -> String {
    let mut text = String::new();
    let mut add = |part: String| text.push_str(&part);
    if !state.templated.is_empty() {
        add(vhosts(state));
    }
    for it in &state.groups {
        add(format!("[group.{}]\ngid = {}\n", it.name, it.gid));
    }
    for it in &state.users {
        let (uid, group, home, shell) = (it.uid, &it.group, &it.home, &it.shell);
        add(format!(
            "[user.{}]\nuid = {uid}\ngroup = {group:?}\nhome = {home:?}\nmanage_home = false\nshell = {shell:?}\n",
            it.name
        ));
    }
    for it in &state.directories {
        add(format!("[directory.{:?}]\n{}", it.path, attributes(&it.owner, &it.mode)));
        if let Some(mode) = state.copied_into(it) {
            add(format!("source = \"tree\"\nfile_mode = {mode:?}\n"));
        }
    }
    for name in &state.packages {
        add(format!("[package.{name}]\n"));
    }
    for it in state.singles() {
        add(file(it) + &behind(state, &it.path));
    }
    for it in &state.symlinks {
        add(format!("[symlink.{:?}]\ntarget = {:?}\n{}", it.path, it.target, behind(state, &it.path)));
    }
    for (number, it) in state.lines.iter().enumerate() {
        add(format!("[line.line{number}]\npath = {:?}\nline = {:?}\n", it.path, it.line));
    }
    for it in &state.units {
        let is_file = |path: &str| state.files.iter().any(|file| file.path == path);
        let cause = |path: &String| format!("{}.{path}", if is_file(path) { "file" } else { "symlink" });
        let causes: Vec<String> = it.restarted_for.iter().map(cause).collect();
        add(format!("[service.{:?}]\nrunning = true\nenabled = true\nsubscribe = {causes:?}\n", it.name));
        add(it.package.iter().map(|package| format!("require = [\"package.{package}\"]\n")).collect());
    }
    for it in &state.commands {
        let (name, argv, creates, needs) = (&it.name, &it.argv, &it.creates, &it.needs);
        add(format!("[exec.{name}]\ncommand = {argv:?}\ncreates = {creates:?}\n"));
        add(format!("require = [\"directory.{needs}\"]\nparallel = true\n"));
    }
    text
}

/// One resource for all files of the template.
fn vhosts(state: &State) -> String {
    let mut text = "[inputs.vhosts]\ntype = \"map(table)\"\ndoc = \"What is served.\"\n".to_owned();
    for (field, kind) in [("name", "string"), ("port", "int"), ("root", "path")] {
        write!(text, "[inputs.vhosts.fields.{field}]\ntype = {kind:?}\ndoc = \"A variable.\"\n")
            .expect("a String takes all");
    }
    text.push_str("[inputs.vhosts.default]\n");
    for it in &state.templated {
        let (name, port, root) = (&it.name, it.port, &it.root);
        writeln!(text, "{:?} = {{ name = {name:?}, port = {port}, root = {root:?} }}", it.path)
            .expect("a String takes all");
    }
    text.push_str("[file.\"{{ each.key }}\"]\nfor_each = \"inputs.vhosts\"\ntemplate = \"vhost.hbs\"\n");
    text + &attributes("root", "0644")
}

fn file(it: &state::File) -> String {
    match it.path.strip_prefix("/etc/systemd/system/") {
        Some(unit) => format!("[systemd_unit.{unit:?}]\ncontent = {:?}\n", it.content),
        None => {
            format!("[file.{:?}]\ncontent = {:?}\n{}", it.path, it.content, attributes(&it.owner, &it.mode))
        }
    }
}

/// The package that brings the directory of what a unit is restarted for.
fn behind(state: &State, path: &str) -> String {
    let unit = state.units.iter().find(|unit| unit.restarted_for.iter().any(|cause| cause == path));
    let package = unit.and_then(|unit| unit.package.as_ref());
    package.iter().map(|package| format!("require = [\"package.{package}\"]\n")).collect()
}

fn attributes(owner: &str, mode: &str) -> String {
    format!("owner = {owner:?}\ngroup = {owner:?}\nmode = {mode:?}\n")
}
