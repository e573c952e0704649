//! `config::resolve` by cases of `tests/cases/ssh_config`, each of them also asked of `ssh -G`: where the two know the same value, they
//! have to agree. `@` stands for the directory of the case's files, `USER` and `UID` for whoever runs the tests.

use fleet::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
use fleet::{Endpoint, RecordedNames, UnknownKeys};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    files: BTreeMap<String, String>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    host: String,
    #[serde(default)]
    inventory: Said,
    #[serde(default)]
    command_line: Said,
    /// Why it is not asked of `ssh -G`.
    not_like_ssh: Option<String>,
    #[serde(default)]
    expect: toml::Table,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Said {
    address: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    jump: Option<String>,
    identities: Vec<PathBuf>,
    unknown_keys: Option<String>,
    connect_timeout: Option<u64>,
}

impl Said {
    fn overrides(&self) -> Overrides {
        Overrides {
            address: self.address.clone(),
            port: self.port,
            user: self.user.clone(),
            host_keys: Vec::new(),
            jump: self.jump.clone(),
            identities: self.identities.clone(),
            unknown_keys: self.unknown_keys.as_ref().map(|_| UnknownKeys::Record),
            connect_timeout: self.connect_timeout.map(Duration::from_secs),
        }
    }
}

#[test]
fn values() {
    all(include_str!("../../../tests/cases/ssh_config/values.toml"));
}

#[test]
fn blocks() {
    all(include_str!("../../../tests/cases/ssh_config/blocks.toml"));
}

#[test]
fn jumps() {
    all(include_str!("../../../tests/cases/ssh_config/jumps.toml"));
}

#[test]
fn beyond() {
    all(include_str!("../../../tests/cases/ssh_config/beyond.toml"));
}

#[test]
fn errors() {
    all(include_str!("../../../tests/cases/ssh_config/errors.toml"));
}

/// Files of the user's and the system's, in a home of our own; `ssh` takes its home from the system, and cannot be asked.
#[test]
fn the_users_file_is_stronger_than_the_systems_and_must_be_the_users() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    write(&home.join(".ssh/config"), "Include more\nHost web\n User mine\n GSSAPIAuthentication no\n");
    write(&home.join(".ssh/more"), "Include ~/.ssh/even/*\n");
    write(&home.join(".ssh/even/more"), "Port 2222\n");
    write(&home.join(".ssh/id_ed25519_sk"), "");
    write(&dir.path().join("system"), "Host *\n User system\n Port 1\n GSSAPIAuthentication yes\n");
    let files = SshFiles { system: dir.path().join("system"), ..SshFiles::usual(&home) };
    let surroundings = Surroundings { home: home.clone(), ..here() };
    let ask = |name: &str| {
        resolve(&Asked { name: name.to_owned(), ..Asked::default() }, &files, &surroundings)
            .map_err(|e| e.to_string())
    };
    let found = [ask("web").unwrap(), ask("db").unwrap()];
    assert_eq!(found.each_ref().map(|e| (e.user.as_str(), e.port)), [("mine", 2222), ("system", 2222)]);
    assert_eq!(found[1].needs_openssh, None, "what the system has on for everybody is no wish");
    assert_eq!(found[0].identities, [home.join(".ssh/id_ed25519_sk")]);
    write(&home.join(".ssh/id_rsa"), "");
    assert_eq!(ask("web").unwrap().identities, [home.join(".ssh/id_rsa")]);
    let mut chmod = Command::new("chmod");
    assert!(chmod.arg("g+w").arg(home.join(".ssh/even/more")).status().unwrap().success());
    assert!(ask("web").unwrap_err().contains("bad owner or permissions"));
}

#[test]
fn the_agent_comes_from_the_environment_unless_a_line_says_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let config = "Host a\n IdentityAgent $MINE\nHost b\n IdentityAgent SSH_AUTH_SOCK\nHost c\n IdentityAgent $UNSET\n\
                  Host d\n IdentityAgent ${MINE}.sock\n";
    write(&dir.path().join("config"), config);
    let files = SshFiles { instead: Some(dir.path().join("config")), ..SshFiles::usual(dir.path()) };
    let variables =
        [("MINE", "/mine"), ("SSH_AUTH_SOCK", "/usual")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let surroundings = Surroundings { variables: variables.into(), ..here() };
    for (host, socket) in [
        ("a", Some("/mine")),
        ("b", Some("/usual")),
        ("c", None),
        ("d", Some("/mine.sock")),
        ("e", Some("/usual")),
    ] {
        let asked = Asked { name: host.to_owned(), ..Asked::default() };
        assert_eq!(
            resolve(&asked, &files, &surroundings).unwrap().agent,
            socket.map(PathBuf::from),
            "{host}"
        );
    }
}

fn all(data: &str) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let text = data.replace("@/", &format!("{place}/"));
    let data: Data = toml::from_str(&text).unwrap();
    for (name, text) in &data.files {
        write(&dir.path().join(name), text);
    }
    let (config, surroundings) = (dir.path().join("config"), here());
    for case in &data.case {
        let files = SshFiles { instead: Some(config.clone()), ..SshFiles::usual(&surroundings.home) };
        let (inventory, command_line) = (case.inventory.overrides(), case.command_line.overrides());
        let asked = Asked { name: case.host.clone(), inventory, command_line };
        let found = resolve(&asked, &files, &surroundings).map_err(|error| error.to_string());
        check(case, &found);
        if case.not_like_ssh.is_none() {
            compare(case, &found, &ssh(&config, case));
        }
    }
}

fn check(case: &Case, found: &Result<Endpoint, String>) {
    match (&case.error, found) {
        (Some(error), found) => {
            let said = found.as_ref().unwrap_err();
            assert!(said.contains(error), "{}: {said:?} is not {error:?}", case.host);
        }
        (None, found) => {
            let known = table(found.as_ref().unwrap_or_else(|error| panic!("{}: {error}", case.host)));
            for (field, value) in &case.expect {
                let value: toml::Value = toml::Value::try_from(value).unwrap();
                let text =
                    value.to_string().replace("USER", &here().user).replace("UID", &here().uid.to_string());
                assert_eq!(known[field].to_string(), text, "{} of {}", field, case.host);
            }
        }
    }
}

fn table(endpoint: &Endpoint) -> toml::Table {
    let paths = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let jumps: Vec<_> = endpoint.jumps.iter().map(|e| format!("{}@{}:{}", e.user, e.host, e.port)).collect();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut table = toml::Table::new();
    table.insert("host".into(), endpoint.host.clone().into());
    table.insert("port".into(), i64::from(endpoint.port).into());
    table.insert("user".into(), endpoint.user.clone().into());
    table.insert("identities".into(), paths(&endpoint.identities).into());
    table.insert("identities_only".into(), endpoint.identities_only.into());
    table.insert(
        "agent".into(),
        endpoint.agent.iter().map(|path| path.display().to_string()).collect::<String>().into(),
    );
    table.insert("jumps".into(), jumps.into());
    table.insert("known_hosts".into(), paths(&endpoint.known_hosts).into());
    let hashed = endpoint.recorded_names == RecordedNames::Hashed;
    table.insert("recorded_names".into(), if hashed { "hashed" } else { "plain" }.into());
    table.insert("key_alias".into(), text(&endpoint.host_key_alias).into());
    let record = endpoint.unknown_keys == UnknownKeys::Record;
    table.insert("unknown_keys".into(), if record { "record" } else { "refuse" }.into());
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap();
    table.insert("connect_timeout".into(), seconds(endpoint.connect_timeout).into());
    table.insert("alive_interval".into(), seconds(endpoint.alive_interval).into());
    table.insert("alive_count".into(), i64::from(endpoint.alive_count).into());
    table.insert("keep".into(), seconds(endpoint.keep).into());
    table.insert("needs_openssh".into(), text(&endpoint.needs_openssh).into());
    table.insert("options".into(), endpoint.openssh_options.clone().into());
    table
}

/// What ssh itself makes of it, given what our other transport would give it.
fn ssh(config: &Path, case: &Case) -> Output {
    let said = case.command_line.overrides().over(&case.inventory.overrides());
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(config).stdin(std::process::Stdio::null());
    let files = SshFiles { instead: Some("/dev/null".into()), ..SshFiles::usual(Path::new("/")) };
    let asked = Asked { name: "x".into(), inventory: said, ..Asked::default() };
    for option in resolve(&asked, &files, &here()).map_or_else(|_| Vec::new(), |found| found.openssh_options)
    {
        command.arg("-o").arg(option);
    }
    command.arg("--").arg(&case.host).output().unwrap()
}

fn compare(case: &Case, found: &Result<Endpoint, String>, output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let Ok(found) = found else { return };
    assert!(output.status.success(), "{}: {output:?}", case.host);
    let value = |keyword: &str| {
        let mut values =
            said.lines().filter_map(|line| line.split_once(' ').filter(|(word, _)| *word == keyword));
        values.next().map_or("", |(_, value)| value)
    };
    let yes = |keyword: &str| value(keyword) == "yes";
    let time =
        |keyword: &str, or: &str| if value(keyword) == or { None } else { value(keyword).parse().ok() };
    let paths: Vec<String> = found.known_hosts.iter().map(|path| path.display().to_string()).collect();
    let files = format!("{} {}", value("userknownhostsfile"), value("globalknownhostsfile"))
        .replace("none", "/dev/null");
    assert_eq!(found.host, value("hostname"));
    assert_eq!(found.port.to_string(), value("port"), "{}", case.host);
    assert_eq!(found.user, value("user"), "{}", case.host);
    assert_eq!(found.identities_only, yes("identitiesonly"), "{}", case.host);
    assert_eq!(found.recorded_names == RecordedNames::Hashed, yes("hashknownhosts"), "{}", case.host);
    assert_eq!(found.host_key_alias.as_deref().unwrap_or(""), value("hostkeyalias"), "{}", case.host);
    assert_eq!(paths.join(" "), files, "{}", case.host);
    assert_eq!(
        found.alive_interval.as_secs(),
        time("serveraliveinterval", "0").unwrap_or(found.alive_interval.as_secs())
    );
    assert_eq!(found.alive_count.to_string(), value("serveralivecountmax"));
    assert_eq!(
        found.connect_timeout.as_secs(),
        time("connecttimeout", "none").unwrap_or(10),
        "{}",
        case.host
    );
    let refuse = ["ask", "true", "yes"].contains(&value("stricthostkeychecking"));
    assert_eq!(found.unknown_keys == UnknownKeys::Refuse, refuse, "{}", case.host);
    assert_eq!(found.jumps.is_empty(), ["", "none"].contains(&value("proxyjump")), "{}: {said}", case.host);
}

fn here() -> Surroundings {
    Surroundings { variables: BTreeMap::new(), ..Surroundings::here().unwrap() }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
