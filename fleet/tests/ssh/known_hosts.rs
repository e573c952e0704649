//! `known_hosts` by the cases of `tests/cases/known_hosts`, compared with what `ssh-keygen -F` finds and on what `ssh-keygen -H` writes; and
//! recording new keys.

use fleet::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
use fleet::known_hosts::{HostKey, Judgement, algorithms, judge, record};
use fleet::{Endpoint, RecordedNames, UnknownKeys};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const DATA: &str = include_str!("../../../tests/cases/known_hosts/judgements.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    keys: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    files: Vec<String>,
    host: String,
    #[serde(default = "usual_port")]
    port: u16,
    alias: Option<String>,
    #[serde(default)]
    host_keys: Vec<String>,
    unknown_keys: Option<String>,
    key: String,
    expect: String,
    algorithms: Option<Vec<String>>,
}

fn usual_port() -> u16 {
    22
}

#[test]
fn every_case_as_it_is_expected() {
    let (dir, data) = scene();
    for case in &data.case {
        let (endpoint, key) = case.ask(dir.path(), &data);
        let said = said(&endpoint, &key).replace(&format!("{}/", dir.path().display()), "");
        assert!(said.contains(&case.expect), "{} {} in {:?}: {said}", case.host, case.key, case.files);
        if let Some(expected) = &case.algorithms {
            assert_eq!(&algorithms(&endpoint).unwrap(), expected, "{} in {:?}", case.host, case.files);
        }
    }
}

#[test]
fn hashed_by_ssh_keygen_it_is_the_same() {
    let (dir, data) = scene();
    // Lines have other numbers there.
    let all = || -> Vec<String> {
        let asked = data.case.iter().map(|case| case.ask(dir.path(), &data));
        asked.map(|(endpoint, key)| said(&endpoint, &key).lines().next().unwrap().to_owned()).collect()
    };
    let before = all();
    for name in data.files.keys() {
        let done = keygen(&["-H", "-f", dir.path().join(name).to_str().unwrap()]);
        // It takes no file with a line that is none.
        assert_eq!(done.is_some(), name != "bad", "{name}");
    }
    assert!(fs::read_to_string(dir.path().join("plain")).unwrap().starts_with("# comment\n|1|"));
    assert_eq!(all(), before);
}

#[test]
fn names_are_found_where_ssh_keygen_finds_them() {
    let (dir, data) = scene();
    // It does not look at keys, and finds lines that ssh leaves out.
    for name in data.files.keys().filter(|name| *name != "bad") {
        for case in data.case.iter().filter(|case| case.host_keys.is_empty() && case.unknown_keys.is_none()) {
            let mut endpoint = case.endpoint(dir.path());
            endpoint.known_hosts = vec![dir.path().join(name)];
            let host = case.host.to_lowercase();
            let shown = if case.port == 22 { host } else { format!("[{host}]:{}", case.port) };
            let shown = case.alias.clone().unwrap_or(shown);
            let found =
                keygen(&["-F", &shown, "-f", endpoint.known_hosts[0].to_str().unwrap()]).unwrap_or_default();
            let lines = found.lines().filter(|line| line.starts_with("# Host"));
            let plain =
                lines.filter_map(|line| line.split_once(": line ")?.1.trim().parse::<usize>().ok()).next();
            let nobodys = HostKey::from_text(
                &data.keys["R"].replace("AAAAB3NzaC1yc2EAAAADAQAB", "AAAAB3NzaC1yc2EAAAADAQAC"),
            );
            let said = said(&endpoint, &nobodys.unwrap());
            let place = plain.map(|line| format!("{name}:{line}\n"));
            let expected = place.as_deref().unwrap_or("can't be established");
            assert!(said.contains(expected), "{shown} in {name}: {found} {said}");
        }
    }
}

#[test]
fn a_new_key_is_recorded_once_whoever_else_writes() {
    let (dir, data) = scene();
    let file = dir.path().join("home/.ssh/known_hosts");
    let of = |index: usize| Endpoint {
        known_hosts: vec![file.clone()],
        ..plain(&format!("host{}", index % 20), 2222)
    };
    let key = HostKey::from_text(&data.keys["A"]).unwrap();
    std::thread::scope(|scope| {
        (0..40).for_each(|index| {
            let (endpoint, key) = (of(index), &key);
            scope.spawn(move || record(&endpoint, key).unwrap());
        });
    });
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((lines.len(), text.lines().count()), (20, 20), "{text}");
    assert!(lines.contains(&&*format!("[host7]:2222 {}", data.keys["A"])), "{text}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert_eq!(judge(&of(3), &key).unwrap(), Judgement::Known);
}

#[test]
fn a_hashed_name_is_found_by_ssh_keygen_and_does_not_show_itself() {
    let (dir, data) = scene();
    let file = dir.path().join("second");
    fs::write(&file, "web {A} no newline at the end").unwrap();
    let known_hosts = vec![file.clone(), dir.path().join("first")];
    let endpoint = Endpoint { known_hosts, recorded_names: RecordedNames::Hashed, ..plain("Hidden", 22) };
    record(&endpoint, &HostKey::from_text(&data.keys["E"]).unwrap()).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("web {A} no newline at the end\n|1|") && !text.contains("idden"), "{text}");
    let found = keygen(&["-F", "hidden", "-f", file.to_str().unwrap()]).unwrap();
    assert!(found.contains(&data.keys["E"]), "{found}");
}

#[test]
fn a_key_that_cannot_be_kept_is_not_taken() {
    let (dir, data) = scene();
    let key = HostKey::from_text(&data.keys["A"]).unwrap();
    let to = |file: &str, host: &str| {
        let endpoint = Endpoint { known_hosts: vec![PathBuf::from(file)], ..plain(host, 22) };
        record(&endpoint, &key).map_err(|error| error.to_string())
    };
    assert_eq!(to("/dev/null", "web"), Ok(()));
    assert!(to(dir.path().to_str().unwrap(), "web").unwrap_err().contains("cannot be recorded in"));
    assert!(to("/dev/null/x", "web").unwrap_err().contains("cannot be recorded in"));
    for name in ["*", "a,b", "|1|x", "a b", "!web"] {
        assert!(to("/dev/null", name).unwrap_err().contains("this is no name of a host"), "{name}");
    }
    let nowhere = Endpoint { known_hosts: Vec::new(), ..plain("web", 22) };
    assert!(record(&nowhere, &key).is_err());
}

#[test]
fn where_only_signers_are_known_the_systems_ssh_is_needed() {
    let (dir, _) = scene();
    let config = dir.path().join("config");
    let known_hosts = dir.path().join("markers");
    fs::write(
        &config,
        format!("Host *\nUserKnownHostsFile {}\nGlobalKnownHostsFile none\n", known_hosts.display()),
    )
    .unwrap();
    let files = SshFiles { instead: Some(config), ..SshFiles::usual(dir.path()) };
    for (host, needs) in [("web.ca", true), ("mixed", false), ("old", false), ("nobody", false)] {
        let asked = Asked { name: host.to_owned(), ..Asked::default() };
        let found = resolve(&asked, &files, &Surroundings::here().unwrap()).unwrap().needs_openssh;
        assert_eq!(found, needs.then(|| format!("@cert-authority ({}:5)", known_hosts.display())), "{host}");
        let given = Overrides { host_keys: vec!["ssh-ed25519 AAAA".to_owned()], ..Overrides::default() };
        let asked = Asked { inventory: given, ..asked };
        assert_eq!(resolve(&asked, &files, &Surroundings::here().unwrap()).unwrap().needs_openssh, None);
    }
}

impl Case {
    fn endpoint(&self, dir: &Path) -> Endpoint {
        Endpoint {
            known_hosts: self.files.iter().map(|name| dir.join(name)).collect(),
            host_key_alias: self.alias.clone(),
            host_keys: self.host_keys.clone(),
            unknown_keys: if self.unknown_keys.is_some() { UnknownKeys::Record } else { UnknownKeys::Refuse },
            ..plain(&self.host, self.port)
        }
    }

    fn ask(&self, dir: &Path, data: &Data) -> (Endpoint, HostKey) {
        (self.endpoint(dir), HostKey::from_text(&data.keys[&self.key]).unwrap())
    }
}

fn said(endpoint: &Endpoint, key: &HostKey) -> String {
    match judge(endpoint, key) {
        Ok(Judgement::Known) => "known".to_owned(),
        Ok(Judgement::ToRecord) => "record".to_owned(),
        Err(trouble) => trouble.to_string(),
    }
}

/// The files in a directory of their own, keys filled in.
fn scene() -> (tempfile::TempDir, Data) {
    let data: Data = toml::from_str(DATA).unwrap();
    let text =
        data.keys.iter().fold(DATA.to_owned(), |text, (name, key)| text.replace(&format!("{{{name}}}"), key));
    let data: Data = toml::from_str(&text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in &data.files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    (dir, data)
}

fn plain(host: &str, port: u16) -> Endpoint {
    let files = SshFiles { instead: Some("/dev/null".into()), ..SshFiles::usual(Path::new("/")) };
    let asked = Asked { name: "x".to_owned(), ..Asked::default() };
    let endpoint = resolve(&asked, &files, &Surroundings::here().unwrap()).unwrap();
    Endpoint { alias: host.to_owned(), host: host.to_owned(), port, ..endpoint }
}

/// What it prints; `None` where it fails.
fn keygen(arguments: &[&str]) -> Option<String> {
    let output = Command::new("ssh-keygen").args(arguments).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}
