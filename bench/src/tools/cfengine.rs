//! CFEngine 3, `cf-agent` on one policy with the standard library; data in JSON beside it.

use super::{Files, Source, Tool, contents, name_of, words};
use crate::lab::Fleet;
use crate::state::{self, State};
use serde_json::{Map, Value, json};
use std::path::Path;

/// As Debian has it.
pub struct CfEngine;

/// What CFEngine has no promise for, groups, is a command for those that are not there, as its users write it.
const POLICY: &str = r#"body common control
{
  inputs => { "/usr/share/cfengine3/masterfiles/lib/stdlib.cf" };
  bundlesequence => { "main" };
}

bundle agent main
{
  vars:
      "here" string => "$(this.promise_dirname)";
      "data" data => readjson("$(here)/data.json", "100M");
      "group" slist => getindices("data[groups]");
      "user" slist => getindices("data[users]");
      "directory" slist => getindices("data[directories]");
      "package" slist => getvalues("data[packages]");
      "tree" slist => getindices("data[trees]");
      "file" slist => getindices("data[files]");
      "vhost" slist => getindices("data[templated]");
      "link" slist => getindices("data[symlinks]");
      "edited" slist => getindices("data[lines]");
      "unit" slist => getvalues("data[units]");

  commands:
      "/usr/sbin/groupadd --gid $(data[groups][$(group)]) $(group)"
        if => not(groupexists("$(group)"));

  users:
      "$(user)"
        policy => "present",
        uid => "$(data[users][$(user)][uid])",
        group_primary => "$(data[users][$(user)][group])",
        home_dir => "$(data[users][$(user)][home])",
        shell => "$(data[users][$(user)][shell])";

  packages:
      "$(package)"
        package_policy => "add",
        package_method => apt_get;

  files:
      "$(directory)/."
        create => "true",
        perms => mog("$(data[directories][$(directory)][mode])", "$(data[directories][$(directory)][owner])",
          "$(data[directories][$(directory)][owner])");

      "$(tree)/."
        copy_from => local_dcp("$(here)/files"),
        depth_search => recurse("inf"),
        perms => mog("$(data[trees][$(tree)][mode])", "$(data[trees][$(tree)][owner])", "$(data[trees][$(tree)][owner])");

      "$(file)"
        copy_from => local_dcp("$(here)/$(data[files][$(file)][source])"),
        perms => mog("$(data[files][$(file)][mode])", "$(data[files][$(file)][owner])", "$(data[files][$(file)][owner])");

      "$(vhost)"
        create => "true",
        edit_template => "$(here)/vhost.mustache",
        template_method => "mustache",
        template_data => mergedata("data[templated][$(vhost)]"),
        perms => mog("0644", "root", "root");

      "$(link)"
        link_from => ln_s("$(data[symlinks][$(link)])");

      "$(edited)"
        edit_line => insert_lines("$(data[lines][$(edited)])");

  services:
      "$(unit)"
        service_policy => "start";
}
"#;

impl Tool for CfEngine {
    fn name(&self) -> &'static str {
        "cfengine"
    }

    fn source(&self) -> Source {
        Source::Debian(&["cfengine3", "python3"])
    }

    fn version(&self) -> Vec<String> {
        words(["cf-agent", "--version"])
    }

    fn write(&self, state: &State) -> Files {
        let mut files = contents(state, "files");
        files.push((
            "vhost.mustache".to_owned(),
            state::template(|variable| format!("{{{{{{{variable}}}}}}}")),
        ));
        files.push(("site.cf".to_owned(), POLICY.to_owned()));
        files.push(("data.json".to_owned(), data(state).to_string()));
        files
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        let policy = at.join("site.cf").display().to_string();
        Some(words(["cf-agent", "--no-lock", "--file", &policy]))
    }

    fn push(&self, _: &Path, _: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        Ok(None)
    }
}

fn data(state: &State) -> Value {
    // By its number: for a name usermod would be called each time.
    let gid = |name: &str| state.groups.iter().find(|it| it.name == name).map(|it| it.gid.to_string());
    let users = state.users.iter().map(|it| {
        let user =
            json!({"uid": it.uid.to_string(), "group": gid(&it.group), "home": it.home, "shell": it.shell});
        (it.name.clone(), user)
    });
    let directories =
        state.directories.iter().map(|it| (it.path.clone(), json!({"mode": it.mode, "owner": it.owner})));
    let trees = state
        .tree()
        .map(|it| (it.directory.path.clone(), json!({"mode": it.mode, "owner": it.directory.owner})));
    let files = state.singles().iter().map(|it| {
        let source = format!("files/{}", name_of(&it.path));
        (it.path.clone(), json!({"source": source, "mode": it.mode, "owner": it.owner}))
    });
    let templated = state
        .templated
        .iter()
        .map(|it| (it.path.clone(), json!({"name": it.name, "port": it.port.to_string(), "root": it.root})));
    let mut lines: Map<String, Value> = Map::new();
    for it in &state.lines {
        let all = lines.entry(&it.path).or_insert_with(|| json!(""));
        let before = all.as_str().unwrap_or_default();
        *all = json!(if before.is_empty() { it.line.clone() } else { format!("{before}\n{}", it.line) });
    }
    json!({
        "groups": state.groups.iter().map(|it| (it.name.clone(), json!(it.gid.to_string()))).collect::<Map<_, _>>(),
        "users": users.collect::<Map<_, _>>(),
        "directories": directories.collect::<Map<_, _>>(),
        "packages": state.packages,
        "trees": trees.into_iter().collect::<Map<_, _>>(),
        "files": files.collect::<Map<_, _>>(),
        "templated": templated.collect::<Map<_, _>>(),
        "symlinks": state.symlinks.iter().map(|it| (it.path.clone(), json!(it.target))).collect::<Map<_, _>>(),
        "lines": lines,
        "units": state.units.iter().map(|it| it.name.trim_end_matches(".service")).collect::<Vec<_>>(),
    })
}
