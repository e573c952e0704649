//! Puppet, `puppet apply` with a module: data in hashes, a resource for each entry, contents and template as files of the module.

use super::{Files, Source, Tool, contents, name_of, words};
use crate::lab::Fleet;
use crate::state::{self, State};
use std::fmt::{Result, Write as _};
use std::path::Path;

/// As Debian has it.
pub struct Puppet;

impl Tool for Puppet {
    fn name(&self) -> &'static str {
        "puppet"
    }

    fn source(&self) -> Source {
        Source::Debian(&["puppet-agent"])
    }

    fn version(&self) -> Vec<String> {
        words(["puppet", "--version"])
    }

    fn write(&self, state: &State) -> Files {
        let parameters = "<%- | String $name, Integer $port, String $root | -%>\n".to_owned();
        let template = parameters + &state::template(|variable| format!("<%= ${variable} %>"));
        let mut files = contents(state, "modules/bench/files");
        files.push(("modules/bench/templates/vhost.epp".to_owned(), template));
        let mut text = String::new();
        for part in [accounts, trees, vhosts, rest] {
            part(&mut text, state).expect("a String takes all");
        }
        files.push(("site.pp".to_owned(), text));
        files
    }

    fn on_host(&self, at: &Path) -> Option<Vec<String>> {
        let at = at.display();
        let [modules, site] = [format!("{at}/modules"), format!("{at}/site.pp")];
        Some(words(["puppet", "apply", "--modulepath", &modules, &site]))
    }

    fn push(&self, _: &Path, _: &Fleet) -> anyhow::Result<Option<Vec<String>>> {
        Ok(None)
    }
}

fn accounts(text: &mut String, state: &State) -> Result {
    for it in &state.groups {
        writeln!(text, "group {{ '{}': ensure => present, gid => {} }}", it.name, it.gid)?;
    }
    for it in &state.users {
        let (uid, group, home, shell) = (it.uid, &it.group, &it.home, &it.shell);
        writeln!(
            text,
            "user {{ '{}': ensure => present, uid => {uid}, gid => '{group}', home => '{home}', shell => '{shell}', managehome => false }}",
            it.name
        )?;
    }
    Ok(())
}

fn trees(text: &mut String, state: &State) -> Result {
    let names =
        |names: &[String]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    for it in &state.directories {
        let owner = &it.owner;
        // Directories get their x by themselves.
        let (mode, more) = match state.copied_into(it) {
            Some(mode) => (mode, ", recurse => true, source => 'puppet:///modules/bench'"),
            None => (&*it.mode, ""),
        };
        writeln!(
            text,
            "file {{ '{}': ensure => directory, owner => '{owner}', group => '{owner}', mode => '{mode}'{more} }}",
            it.path
        )?;
    }
    if !state.packages.is_empty() {
        writeln!(text, "package {{ [{}]: ensure => installed }}", names(&state.packages))?;
    }
    for it in state.singles() {
        let (source, owner) = (name_of(&it.path), &it.owner);
        writeln!(
            text,
            "file {{ '{}': ensure => file, source => 'puppet:///modules/bench/{source}', owner => '{owner}', group => '{owner}', mode => '{}' }}",
            it.path, it.mode
        )?;
    }
    Ok(())
}

fn vhosts(text: &mut String, state: &State) -> Result {
    writeln!(text, "$vhosts = {{")?;
    for it in &state.templated {
        writeln!(
            text,
            "  '{}' => {{ 'name' => '{}', 'port' => {}, 'root' => '{}' }},",
            it.path, it.name, it.port, it.root
        )?;
    }
    writeln!(
        text,
        "}}\n$vhosts.each |$path, $vhost| {{\n  file {{ $path:\n    ensure  => file,\n    owner   => 'root',"
    )?;
    writeln!(
        text,
        "    group   => 'root',\n    mode    => '0644',\n    content => epp('bench/vhost.epp', $vhost),\n  }}\n}}"
    )?;
    Ok(())
}

fn rest(text: &mut String, state: &State) -> Result {
    for it in &state.symlinks {
        writeln!(text, "file {{ '{}': ensure => link, target => '{}' }}", it.path, it.target)?;
    }
    // file_line is of a module that Debian's package does not bring: as its users write it without.
    for (number, it) in state.lines.iter().enumerate() {
        let (path, line) = (&it.path, &it.line);
        writeln!(
            text,
            "exec {{ 'line {number}': command => \"/bin/echo '{line}' >> {path}\", unless => \"/bin/grep -qxF '{line}' {path}\", provider => shell }}"
        )?;
    }
    for it in &state.units {
        let causes: Vec<String> = it.restarted_for.iter().map(|path| format!("File['{path}']")).collect();
        writeln!(
            text,
            "service {{ '{}': ensure => running, enable => true, subscribe => [{}] }}",
            it.name,
            causes.join(", ")
        )?;
    }
    Ok(())
}
