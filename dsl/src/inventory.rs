//! `hosts.toml`: hosts, groups, how they are reached, their roles, and values for inputs. Knows no network.

use crate::destination::{Destination, is_address, is_name};
use crate::document::{self, Entry, Item, Table, Value};
use crate::findings::Findings;
use crate::nearest::did_you_mean;
use crate::parts::texts;
use crate::reach::{self, Reach};
use crate::source::{Extent, Source};
use model::Diagnostic;
use std::sync::Arc;

/// A host as the inventory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Where it is reached, a name that DNS or `~/.ssh/config` knows, or an IP address; its name unless said.
    pub address: String,
    /// How it is reached: what it says itself, else the strongest of its groups that says something.
    pub reach: Reach,
    /// Its groups, the weakest first.
    pub groups: Vec<String>,
    /// Roles of its groups, then its own, each once.
    pub roles: Vec<String>,
}

/// `[host.NAME]` or `[group.NAME]`.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it is reached; hosts only.
    pub address: Option<String>,
    /// How it is reached.
    pub reach: Reach,
    /// Its groups; hosts only.
    pub groups: Vec<(String, Extent)>,
    /// Its roles.
    pub roles: Vec<(String, Extent)>,
    /// Values for inputs: a table for each module or role.
    pub inputs: Vec<Entry>,
}

/// The whole of `hosts.toml`.
#[derive(Debug)]
pub struct Inventory {
    /// Its text.
    pub source: Arc<Source>,
    /// Hosts in the order of the text.
    pub hosts: Vec<Member>,
    /// Groups in the order of the text.
    pub groups: Vec<Member>,
}

impl Inventory {
    /// Reads it; what is wrong is told and left out.
    pub fn read(source: &Arc<Source>, findings: &mut Findings) -> Self {
        let mut inventory = Self { source: source.clone(), hosts: Vec::new(), groups: Vec::new() };
        let root = document::parse(source, findings).unwrap_or_default();
        let mut reader = Reader { source, findings };
        for entry in root.entries {
            match (entry.key.as_str(), entry.item.value) {
                ("host", Value::Table(table)) => {
                    inventory
                        .hosts
                        .extend(table.entries.into_iter().filter_map(|entry| reader.member(entry, HOST)));
                }
                ("group", Value::Table(table)) => {
                    inventory
                        .groups
                        .extend(table.entries.into_iter().filter_map(|entry| reader.member(entry, GROUP)));
                }
                ("host" | "group", _) => reader.error(
                    "wrong-type",
                    "this is not a table".to_owned(),
                    entry.item.at,
                    Some(format!("write [{}.NAME]", entry.key)),
                ),
                (key, _) => {
                    let help = did_you_mean(key, ["host", "group"]);
                    let help =
                        help.or_else(|| Some("an inventory has [host.NAME] and [group.NAME]".to_owned()));
                    reader.error(
                        "unknown-key",
                        format!("unknown key `{key}` of the inventory"),
                        entry.at,
                        help,
                    );
                }
            }
        }
        let known: Vec<&str> = inventory.groups.iter().map(|group| group.name.as_str()).collect();
        for (name, at) in inventory.hosts.iter().flat_map(|host| &host.groups) {
            if !known.contains(&name.as_str()) {
                let help = did_you_mean(name, known.iter().copied())
                    .or_else(|| Some(format!("declare it: [group.{name}]")));
                reader.error("unknown-group", format!("there is no group `{name}`"), *at, help);
            }
        }
        inventory
    }

    /// A host by name.
    pub fn host(&self, name: &str) -> Option<&Member> {
        self.hosts.iter().find(|host| host.name == name)
    }

    /// The groups of a host, the weakest first.
    pub fn groups_of<'i>(&'i self, host: &'i Member) -> impl Iterator<Item = &'i Member> {
        host.groups.iter().filter_map(|(name, _)| self.groups.iter().find(|group| group.name == *name))
    }

    /// All hosts as plain data.
    pub fn list(&self) -> Vec<Host> {
        self.hosts.iter().map(|host| self.plain(host)).collect()
    }

    /// One host as plain data.
    pub fn plain(&self, host: &Member) -> Host {
        let mut roles: Vec<String> = Vec::new();
        for (role, _) in self.groups_of(host).chain([host]).flat_map(|member| &member.roles) {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        let groups =
            self.groups_of(host).fold(Reach::default(), |weak, group| group.reach.clone().over(&weak));
        Host {
            name: host.name.clone(),
            address: host.address.clone().unwrap_or_else(|| host.name.clone()),
            reach: host.reach.clone().over(&groups),
            groups: host.groups.iter().map(|(name, _)| name.clone()).collect(),
            roles,
        }
    }
}

/// The keys of a host.
const HOST: &[&str] =
    &["address", "user", "port", "host_key", "proxy_jump", "transport", "groups", "roles", "inputs"];
/// The keys of a group.
const GROUP: &[&str] = &["user", "port", "host_key", "proxy_jump", "transport", "roles", "inputs"];

fn what(keys: &[&str]) -> &'static str {
    if keys.contains(&"address") { "host" } else { "group" }
}

/// What to write in place of a wrong address.
fn instead_of(text: &str) -> String {
    let Ok(Destination { user, host, port }) = text.parse() else {
        return "write a name, as DNS or ~/.ssh/config knows it, or an IP address".to_owned();
    };
    let said = [
        Some(format!("address = \"{host}\"")),
        user.map(|user| format!("user = \"{user}\"")),
        port.map(|port| format!("port = {port}")),
    ];
    format!("write {}, a line each", said.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, message: String, at: Extent, help: Option<String>) {
        let diagnostic = Diagnostic::error(code, message, self.source.span(at));
        self.findings.push(Diagnostic { help, ..diagnostic });
    }

    fn member(&mut self, entry: Entry, keys: &[&str]) -> Option<Member> {
        let Value::Table(table) = entry.item.value else {
            let message = format!("`{}` is {}, not a table", entry.key, entry.item.value.type_name());
            self.error("wrong-type", message, entry.item.at, None);
            return None;
        };
        if !is_name(&entry.key) {
            let help =
                "letters, digits, `.`, `-` and `_` make a name; the first is a letter or a digit".to_owned();
            self.error("bad-name", "this is no name of a host or group".to_owned(), entry.at, Some(help));
            return None;
        }
        let mut member = Member {
            name: entry.key,
            address: None,
            reach: Reach::default(),
            groups: Vec::new(),
            roles: Vec::new(),
            inputs: Vec::new(),
        };
        for Entry { key, at, item } in table.entries {
            match (key.as_str(), item) {
                (key, _) if !keys.contains(&key) => {
                    let help = did_you_mean(key, keys.iter().copied());
                    let help = help.or_else(|| Some(format!("known are {}", keys.join(", "))));
                    self.error(
                        "unknown-key",
                        format!("unknown key `{key}` of {} {}", what(keys), member.name),
                        at,
                        help,
                    );
                }
                ("address", Item { value: Value::Text(text), .. }) if is_address(&text) => {
                    member.address = Some(text);
                }
                ("address", Item { value: Value::Text(text), at }) => {
                    self.error(
                        "bad-address",
                        "this is no address of a host".to_owned(),
                        at,
                        Some(instead_of(&text)),
                    );
                }
                (key, item) if reach::KEYS.contains(&key) => self.reach(&mut member.reach, key, item),
                ("groups", item) => member.groups = self.names(item),
                ("roles", item) => member.roles = self.names(item),
                ("inputs", Item { value: Value::Table(Table { entries }), .. }) => {
                    member.inputs = entries.into_iter().filter_map(|entry| self.values(entry)).collect();
                }
                (key, item) => {
                    let message = format!("`{key}` cannot be {}", item.value.type_name());
                    self.error("wrong-type", message, item.at, None);
                }
            }
        }
        Some(member)
    }

    fn reach(&mut self, reach: &mut Reach, key: &str, item: Item) {
        if let Err((code, message, at, help)) = reach.take(key, item) {
            self.error(code, message, at, help);
        }
    }

    fn names(&mut self, item: Item) -> Vec<(String, Extent)> {
        texts(item.value, item.at).unwrap_or_else(|(message, at)| {
            self.error("wrong-type", message, at, None);
            Vec::new()
        })
    }

    fn values(&mut self, entry: Entry) -> Option<Entry> {
        if matches!(entry.item.value, Value::Table(_)) {
            return Some(entry);
        }
        let message = format!("`{}` is {}, not a table", entry.key, entry.item.value.type_name());
        let help =
            "values stand below the name of their module or role: [host.NAME.inputs.MODULE]".to_owned();
        self.error("wrong-type", message, entry.item.at, Some(help));
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::{Memory, Reach, Transport, hosts};
    use std::path::Path;

    const TEXT: &str = "[group.all]\nuser = \"deploy\"\nport = 2222\nproxy_jump = \"ops@bastion:22, b2\"\n\
                        [group.old]\nport = 22\ntransport = \"openssh\"\n\
                        [host.web1]\naddress = \"fe80::1%eth0\"\ngroups = [\"all\", \"old\"]\nuser = \"root\"\n\
                        [host.web2]\ngroups = [\"all\"]\nproxy_jump = \"none\"\n";

    #[test]
    fn how_a_host_is_reached_is_said_by_itself_or_by_its_groups() {
        let files = Memory::default().with("s/hosts.toml", TEXT);
        let hosts = hosts(Path::new("s"), &files).expect("it is right");
        let text = |text: &str| Some(text.to_owned());
        let web1 = Reach {
            user: text("root"),
            port: Some(22),
            host_keys: Vec::new(),
            proxy_jump: text("ops@bastion:22,b2"),
            transport: Some(Transport::Openssh),
        };
        assert_eq!((hosts[0].address.as_str(), &hosts[0].reach), ("fe80::1%eth0", &web1));
        let web2 =
            Reach { user: text("deploy"), port: Some(2222), proxy_jump: text("none"), ..Reach::default() };
        assert_eq!((hosts[1].address.as_str(), &hosts[1].reach), ("web2", &web2));
    }
}
