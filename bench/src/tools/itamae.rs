//! Itamae, a recipe in Ruby: loops over data beside it.

use super::{Files, Source, Tool, contents, name_of, words};
use crate::lab::Fleet;
use crate::state::{self, State};
use serde_json::json;
use std::path::Path;

/// As Debian has it.
pub struct Itamae;

const RECIPE: &str = r#"require "json"

data = JSON.parse(File.read(File.expand_path("data.json", __dir__)))

data["groups"].each { |it| group(it["name"]) { gid it["gid"] } }

data["users"].each do |it|
  user it["name"] do
    uid it["uid"]
    gid it["group"]
    home it["home"]
    shell it["shell"]
  end
end

data["directories"].each do |it|
  directory it["path"] do
    owner it["owner"]
    group it["owner"]
    mode it["mode"]
  end
end

data["packages"].each { |name| package name }

data["files"].each do |it|
  remote_file it["path"] do
    source it["source"]
    owner it["owner"]
    group it["owner"]
    mode it["mode"]
  end
end

data["templated"].each do |it|
  template it["path"] do
    source "vhost.erb"
    owner "root"
    group "root"
    mode "0644"
    variables(name: it["name"], port: it["port"], root: it["root"])
  end
end

data["symlinks"].each { |it| link(it["path"]) { to it["target"] } }

data["lines"].group_by { |it| it["path"] }.each do |path, lines|
  file path do
    action :edit
    block do |content|
      lines.each { |it| content << it["line"] << "\n" unless content.lines(chomp: true).include?(it["line"]) }
    end
  end
end

data["units"].each do |it|
  service it["name"] do
    action [:enable, :start]
    it["restarted_for"].each { |path| subscribes :restart, path }
  end
end
"#;

impl Tool for Itamae {
    fn name(&self) -> &'static str {
        "itamae"
    }

    fn source(&self) -> Source {
        Source::Debian(&["itamae"])
    }

    fn version(&self) -> Vec<String> {
        words(["itamae", "version"])
    }

    fn write(&self, state: &State) -> Files {
        let mut files = contents(state, "files");
        files.push(("vhost.erb".to_owned(), state::template(|variable| format!("<%= @{variable} %>"))));
        files.push(("recipe.rb".to_owned(), RECIPE.to_owned()));
        files.push(("data.json".to_owned(), data(state).to_string()));
        files
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        let recipe = at.join("recipe.rb").display().to_string();
        Some(words(["itamae", "local", "--log-level", "warn", &recipe]))
    }

    fn push(&self, _: &Path, _: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        Ok(None)
    }
}

fn data(state: &State) -> serde_json::Value {
    let file = |it: &state::File| json!({"path": it.path, "source": format!("files/{}", name_of(&it.path)), "owner": it.owner, "mode": it.mode});
    let user = |it: &state::User| json!({"name": it.name, "uid": it.uid, "group": it.group, "home": it.home, "shell": it.shell});
    let directory = |it: &state::Directory| json!({"path": it.path, "owner": it.owner, "mode": it.mode});
    let vhost =
        |it: &state::Templated| json!({"path": it.path, "name": it.name, "port": it.port, "root": it.root});
    let unit = |it: &state::Unit| {
        let causes: Vec<String> =
            it.restarted_for.iter().map(|path| format!("remote_file[{path}]")).collect();
        json!({"name": it.name, "restarted_for": causes})
    };
    json!({
        "groups": state.groups.iter().map(|it| json!({"name": it.name, "gid": it.gid})).collect::<Vec<_>>(),
        "users": state.users.iter().map(user).collect::<Vec<_>>(),
        "directories": state.directories.iter().map(directory).collect::<Vec<_>>(),
        "packages": state.packages,
        "files": state.files.iter().map(file).collect::<Vec<_>>(),
        "templated": state.templated.iter().map(vhost).collect::<Vec<_>>(),
        "symlinks": state.symlinks.iter().map(|it| json!({"path": it.path, "target": it.target})).collect::<Vec<_>>(),
        "lines": state.lines.iter().map(|it| json!({"path": it.path, "line": it.line})).collect::<Vec<_>>(),
        "units": state.units.iter().map(unit).collect::<Vec<_>>(),
    })
}
