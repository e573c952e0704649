//! Pyinfra 3: a deploy in Python, loops over data beside it.

use super::{Files, Source, Tool, contents, name_of, python};
use crate::lab::{Fleet, lay};
use crate::state::{self, State};
use serde_json::json;
use std::path::Path;

/// As PyPI has it.
pub struct Pyinfra;

const DEPLOY: &str = r#"
import json, os
from pyinfra.operations import apt, files, server, systemd

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "data.json")) as file:
    data = json.load(file)
for it in data["groups"]:
    server.group(group=it["name"], gid=it["gid"])
for it in data["users"]:
    server.user(user=it["name"], uid=it["uid"], group=it["group"], home=it["home"], shell=it["shell"], create_home=False, ensure_home=False)
for it in data["directories"]:
    if it["copied"]:
        files.sync(
            src=os.path.join(here, "files"), dest=it["path"], user=it["owner"], group=it["owner"], mode=it["copied"], dir_mode=it["mode"]
        )
    else:
        files.directory(path=it["path"], user=it["owner"], group=it["owner"], mode=it["mode"])
if data["packages"]:
    apt.packages(packages=data["packages"], update=True, cache_time=86400)
changes = {}
for it in data["files"]:
    changes[it["path"]] = files.put(
        src=os.path.join(here, it["source"]), dest=it["path"], user=it["owner"], group=it["owner"], mode=it["mode"]
    )
for it in data["templated"]:
    files.template(
        src=os.path.join(here, "vhost.j2"), dest=it["path"], user="root", group="root", mode="0644",
        vhost=it["name"], port=it["port"], root=it["root"],
    )
for it in data["symlinks"]:
    changes[it["path"]] = files.link(path=it["path"], target=it["target"])
for it in data["lines"]:
    files.line(path=it["path"], line=it["line"])
for it in data["units"]:
    systemd.service(service=it["name"], running=True, enabled=True)
    for path in it["restarted_for"]:
        systemd.service(service=it["name"], restarted=True, _if=changes[path].did_change)
"#;

impl Tool for Pyinfra {
    fn name(&self) -> &'static str {
        "pyinfra"
    }

    fn source(&self) -> Source {
        Source::PyPi(&["pyinfra==3.*"], &["python3"])
    }

    fn version(&self) -> Vec<String> {
        let mut argv = python(self.name(), "pyinfra");
        argv.push("--version".to_owned());
        argv
    }

    fn write(&self, state: &State) -> Files {
        let mut files = contents(state, "files");
        // `name` is what pyinfra calls an operation.
        let variable =
            |variable: &str| if variable == "name" { "vhost".to_owned() } else { variable.to_owned() };
        files.push(("vhost.j2".to_owned(), state::template(|name| format!("{{{{ {} }}}}", variable(name)))));
        files.push(("deploy.py".to_owned(), DEPLOY.to_owned()));
        files.push(("data.json".to_owned(), data(state).to_string()));
        files
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        let mut argv = python(self.name(), "pyinfra");
        argv.extend(["-y", "@local", &at.join("deploy.py").display().to_string()].map(str::to_owned));
        Some(argv)
    }

    fn push(&self, at: &Path, fleet: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        let key = fleet.key().display().to_string();
        let known = fleet.home().join(".ssh/known_hosts").display().to_string();
        let host = |host: &crate::lab::Host| {
            let (name, address, port) = (&host.name, &host.address, host.port);
            format!(
                "    ({name:?}, {{\"ssh_hostname\": {address:?}, \"ssh_port\": {port}, \"ssh_user\": \"admin\", \"ssh_key\": {key:?}, \
                 \"ssh_known_hosts_file\": {known:?}}}),\n"
            )
        };
        let hosts: String = fleet.hosts().iter().map(host).collect();
        lay(at, &[("inventory.py".to_owned(), format!("hosts = [\n{hosts}]\n"))])?;
        let mut argv = python(self.name(), "pyinfra");
        argv.insert(1, format!("HOME={}", fleet.home().display()));
        let [inventory, deploy] =
            ["inventory.py", "deploy.py"].map(|name| at.join(name).display().to_string());
        argv.extend(["-y", "--sudo", &inventory, &deploy].map(str::to_owned));
        Ok(Some(argv))
    }
}

fn data(state: &State) -> serde_json::Value {
    let directory = |it: &state::Directory| {
        let copied = state.copied_into(it).map(|mode| mode.trim_start_matches('0'));
        json!({"path": it.path, "owner": it.owner, "mode": it.mode.trim_start_matches('0'), "copied": copied})
    };
    let file = |it: &state::File| {
        let source = format!("files/{}", name_of(&it.path));
        json!({"path": it.path, "source": source, "owner": it.owner, "mode": it.mode.trim_start_matches('0')})
    };
    let user = |it: &state::User| json!({"name": it.name, "uid": it.uid, "group": it.group, "home": it.home, "shell": it.shell});
    let vhost =
        |it: &state::Templated| json!({"path": it.path, "name": it.name, "port": it.port, "root": it.root});
    json!({
        "groups": state.groups.iter().map(|it| json!({"name": it.name, "gid": it.gid})).collect::<Vec<_>>(),
        "users": state.users.iter().map(user).collect::<Vec<_>>(),
        "directories": state.directories.iter().map(directory).collect::<Vec<_>>(),
        "packages": state.packages,
        "files": state.singles().iter().map(file).collect::<Vec<_>>(),
        "templated": state.templated.iter().map(vhost).collect::<Vec<_>>(),
        "symlinks": state.symlinks.iter().map(|it| json!({"path": it.path, "target": it.target})).collect::<Vec<_>>(),
        "lines": state.lines.iter().map(|it| json!({"path": it.path, "line": it.line})).collect::<Vec<_>>(),
        "units": state.units.iter().map(|it| json!({"name": it.name, "restarted_for": it.restarted_for})).collect::<Vec<_>>(),
    })
}
