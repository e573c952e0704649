//! Ansible, a playbook of loops over variables, with pipelining and without gathering facts; and the same with mitogen's strategy.

use super::{CACHE, Files, Source, Tool, contents, name_of, python};
use crate::lab::Fleet;
use crate::state::{self, State};
use serde_json::{Value, json};
use std::path::Path;

/// ansible-core 2.19, as PyPI has it.
pub struct Ansible;

/// The same with mitogen.
pub struct Mitogen;

impl Tool for Ansible {
    fn name(&self) -> &'static str {
        "ansible"
    }

    fn source(&self) -> Source {
        Source::PyPi(&["ansible-core==2.19.*"], &["python3", "python3-apt"])
    }

    fn version(&self) -> Vec<String> {
        command(self.name(), "", &["--version"])
    }

    fn write(&self, state: &State) -> Files {
        site(state, "")
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        Some(local(self.name(), at))
    }

    fn push(&self, at: &Path, fleet: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        Ok(Some(pushed(self.name(), at, fleet)))
    }
}

impl Tool for Mitogen {
    fn name(&self) -> &'static str {
        "mitogen"
    }

    fn source(&self) -> Source {
        Source::PyPi(&["ansible-core==2.19.*", "mitogen"], &["python3", "python3-apt"])
    }

    fn version(&self) -> Vec<String> {
        let script = "import mitogen, ansible.release; print('.'.join(map(str, mitogen.__version__)), 'with ansible-core', ansible.release.__version__)";
        ["env", &format!("PYTHONPATH={CACHE}/mitogen"), "python3", "-c", script].map(str::to_owned).into()
    }

    fn write(&self, state: &State) -> Files {
        let plugins = format!("{CACHE}/mitogen/ansible_mitogen/plugins/strategy");
        site(state, &format!("strategy_plugins = {plugins}\nstrategy = mitogen_linear\n"))
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        Some(local(self.name(), at))
    }

    fn push(&self, at: &Path, fleet: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        Ok(Some(pushed(self.name(), at, fleet)))
    }
}

fn command(peer: &str, more: &str, args: &[&str]) -> Vec<String> {
    let mut argv = python(peer, "ansible-playbook");
    // Ansible refuses any other kind of locale.
    let environment = std::iter::once("LC_ALL=C.UTF-8").chain(more.split_terminator('\n'));
    argv.splice(1..1, environment.map(str::to_owned));
    argv.extend(args.iter().map(|arg| (*arg).to_owned()));
    argv
}

fn local(peer: &str, at: &Path) -> Vec<String> {
    let at = at.display();
    let environment = format!("ANSIBLE_CONFIG={at}/ansible.cfg");
    command(peer, &environment, &["-i", "localhost,", "-c", "local", &format!("{at}/site.yml")])
}

fn pushed(peer: &str, at: &Path, fleet: &Fleet) -> Vec<String> {
    let (at, home, config) = (at.display(), fleet.home().display(), fleet.config());
    let environment = format!(
        "HOME={home}\nANSIBLE_CONFIG={at}/ansible.cfg\nANSIBLE_SSH_ARGS=-F {} -o ControlMaster=auto -o ControlPersist=60s\nANSIBLE_FORKS={}",
        config.display(),
        fleet.hosts().len().max(5)
    );
    let inventory: String = fleet.hosts().iter().map(|host| format!("{},", host.name)).collect();
    command(peer, &environment, &["-i", &inventory, &format!("{at}/site.yml")])
}

/// JSON is YAML, too.
fn site(state: &State, strategy: &str) -> Files {
    let mut files = contents(state, "files");
    let config = format!(
        "[defaults]\ninterpreter_python = /usr/bin/python3\nnocows = True\n{strategy}[ssh_connection]\npipelining = True\n"
    );
    files.push(("ansible.cfg".to_owned(), config));
    files.push((
        "templates/vhost.j2".to_owned(),
        state::template(|variable| format!("{{{{ item.{variable} }}}}")),
    ));
    let mut tasks = accounts(state);
    tasks.extend(trees(state));
    tasks.extend(units(state));
    let handlers: Vec<Value> = state
        .units
        .iter()
        .map(|it| json!({"name": it.name, "systemd_service": {"name": it.name, "state": "restarted"}}))
        .collect();
    let play = json!([{"hosts": "all", "gather_facts": false, "become": true, "tasks": tasks, "handlers": handlers}]);
    files.push(("site.yml".to_owned(), play.to_string()));
    files
}

/// A task for each of the items, if there are any.
fn each(module: &str, arguments: Value, items: Vec<Value>) -> Option<Value> {
    let task = json!({"name": module, module: arguments, "loop": items, "loop_control": {"label": ""}});
    (!items.is_empty()).then_some(task)
}

fn accounts(state: &State) -> Vec<Value> {
    let groups = state.groups.iter().map(|it| json!({"name": it.name, "gid": it.gid})).collect();
    let user = |it: &state::User| json!({"name": it.name, "uid": it.uid, "group": it.group, "home": it.home, "shell": it.shell});
    let users = state.users.iter().map(user).collect();
    let arguments = json!({"name": "{{ item.name }}", "uid": "{{ item.uid }}", "group": "{{ item.group }}",
        "home": "{{ item.home }}", "shell": "{{ item.shell }}", "create_home": false});
    let groups = each("group", json!({"name": "{{ item.name }}", "gid": "{{ item.gid }}"}), groups);
    groups.into_iter().chain(each("user", arguments, users)).collect()
}

fn trees(state: &State) -> Vec<Value> {
    let mut tasks = Vec::new();
    let attributes = json!({"path": "{{ item.path }}", "state": "directory", "owner": "{{ item.owner }}", "group": "{{ item.owner }}", "mode": "{{ item.mode }}"});
    let directory = |it: &state::Directory| json!({"path": it.path, "owner": it.owner, "mode": it.mode});
    tasks.extend(each("file", attributes, state.directories.iter().map(directory).collect()));
    if !state.packages.is_empty() {
        let arguments = json!({"name": state.packages, "state": "present", "update_cache": true, "cache_valid_time": 86400});
        tasks.push(json!({"name": "packages", "apt": arguments}));
    }
    tasks.extend(files(state));
    let vhost =
        |it: &state::Templated| json!({"path": it.path, "name": it.name, "port": it.port, "root": it.root});
    let arguments = json!({"src": "vhost.j2", "dest": "{{ item.path }}", "owner": "root", "group": "root", "mode": "0644"});
    tasks.extend(each("template", arguments, state.templated.iter().map(vhost).collect()));
    for it in &state.symlinks {
        let arguments = json!({"path": it.path, "src": it.target, "state": "link", "force": true});
        let link = json!({"name": it.path, "file": arguments, "notify": notified(state, &it.path)});
        tasks.push(link);
    }
    let arguments = json!({"path": "{{ item.path }}", "line": "{{ item.line }}"});
    let line = |it: &state::Line| json!({"path": it.path, "line": it.line});
    tasks.extend(each("lineinfile", arguments, state.lines.iter().map(line).collect()));
    tasks
}

/// A whole tree at once; a few files with a task each.
fn files(state: &State) -> Vec<Value> {
    if let Some(tree) = state.tree() {
        let (to, owner) = (format!("{}/", tree.directory.path), &tree.directory.owner);
        let arguments =
            json!({"src": "files/", "dest": to, "owner": owner, "group": owner, "mode": tree.mode});
        return vec![json!({"name": "files", "copy": arguments})];
    }
    let one = |it: &state::File| {
        let source = format!("files/{}", name_of(&it.path));
        let arguments =
            json!({"src": source, "dest": it.path, "owner": it.owner, "group": it.owner, "mode": it.mode});
        json!({"name": it.path, "copy": arguments, "notify": notified(state, &it.path)})
    };
    state.files.iter().map(one).collect()
}

/// The units that are restarted for a path.
fn notified(state: &State, path: &str) -> Vec<String> {
    let for_it = state.units.iter().filter(|unit| unit.restarted_for.iter().any(|cause| cause == path));
    for_it.map(|unit| unit.name.clone()).collect()
}

fn units(state: &State) -> Option<Value> {
    let names = state.units.iter().map(|it| json!(it.name)).collect();
    let arguments =
        json!({"name": "{{ item }}", "state": "started", "enabled": true, "daemon_reload": false});
    each("systemd_service", arguments, names)
}
