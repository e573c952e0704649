//! Which parts of a plan could lock the controller out: what it comes in through, logs in as, becomes root by, and finds its way with.
//!
//! Pure, and told by names alone: what a command does cannot be known, nor what a package brings besides its name. It must not
//! decide what becomes of such a run; `guard` does.

use crate::undo::subjects;
use model::{HostPath, Plan, Step, Subject, Thing, Verdict};
use std::collections::BTreeSet;

/// Whoever the controller logs in as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// Name of the user.
    pub user: String,
    /// Home directory; `None` where the account files do not have the user.
    pub home: Option<HostPath>,
    /// The groups the user is in, the primary one among them.
    pub groups: BTreeSet<String>,
}

/// Places, each with all that is below it or has its name with a suffix (`/etc/sudoers` stands for `/etc/sudoers.d/x`), and what they are about.
const PLACES: &[(&str, &str)] = &[
    ("/etc/ssh", SSH),
    ("/etc/default/ssh", SSH),
    ("/etc/dropbear", SSH),
    ("/usr/sbin/sshd", SSH),
    ("/etc/sudo", ROOT),
    ("/etc/sudoers", ROOT),
    ("/etc/doas.conf", ROOT),
    ("/etc/polkit-1", ROOT),
    ("/usr/bin/sudo", ROOT),
    ("/usr/bin/doas", ROOT),
    ("/etc/pam", PAM),
    ("/etc/security", PAM),
    ("/etc/login", PAM),
    ("/etc/nologin", PAM),
    ("/run/nologin", PAM),
    ("/etc/nftables", FIREWALL),
    ("/etc/iptables", FIREWALL),
    ("/etc/ufw", FIREWALL),
    ("/etc/default/ufw", FIREWALL),
    ("/etc/firewalld", FIREWALL),
    ("/etc/shorewall", FIREWALL),
    ("/etc/fail2ban", FIREWALL),
    ("/etc/crowdsec", FIREWALL),
    ("/etc/hosts.allow", FIREWALL),
    ("/etc/hosts.deny", FIREWALL),
    ("/etc/network", NETWORK),
    ("/etc/netplan", NETWORK),
    ("/etc/systemd/network", NETWORK),
    ("/etc/systemd/networkd", NETWORK),
    ("/etc/NetworkManager", NETWORK),
    ("/etc/wireguard", NETWORK),
    ("/etc/openvpn", NETWORK),
    ("/etc/dhcp", NETWORK),
    ("/etc/dhcpcd", NETWORK),
    ("/etc/sysctl", NETWORK),
    ("/proc/sys/net", NETWORK),
    ("/etc/hosts", RESOLVER),
    ("/etc/resolv", RESOLVER),
    ("/etc/resolvconf", RESOLVER),
    ("/etc/systemd/resolved", RESOLVER),
    ("/etc/nsswitch.conf", RESOLVER),
    ("/etc/passwd", ACCOUNTS),
    ("/etc/shadow", ACCOUNTS),
    ("/etc/group", ACCOUNTS),
    ("/etc/gshadow", ACCOUNTS),
    ("/etc/shells", ACCOUNTS),
    ("/etc/sssd", ACCOUNTS),
    ("/etc/nslcd", ACCOUNTS),
    ("/etc/krb5", ACCOUNTS),
    ("/etc/profile", SHELL),
    ("/etc/environment", SHELL),
    ("/etc/bash", SHELL),
    ("/etc/zsh", SHELL),
    ("/bin/sh", SHELL),
    ("/bin/bash", SHELL),
    ("/usr/bin/sh", SHELL),
    ("/usr/bin/dash", SHELL),
    ("/usr/bin/bash", SHELL),
    ("/usr/bin/env", SHELL),
    ("/etc/systemd/logind", SESSIONS),
    ("/etc/dbus-1", SESSIONS),
    ("/etc/ld.so", LIBRARIES),
    ("/root/.ssh", KEYS),
];

/// Below the home directory of whoever logs in.
const IN_HOME: &[(&str, &str)] = &[
    (".ssh", KEYS),
    (".bashrc", SHELL),
    (".bash_profile", SHELL),
    (".bash_login", SHELL),
    (".profile", SHELL),
    (".zshenv", SHELL),
    (".zshrc", SHELL),
    (".config/fish", SHELL),
];

/// Units without their suffix, and what they are.
const UNITS: &[(&str, &str)] = &[
    ("ssh", SSH),
    ("sshd", SSH),
    ("dropbear", SSH),
    ("nftables", FIREWALL),
    ("netfilter-persistent", FIREWALL),
    ("iptables", FIREWALL),
    ("ufw", FIREWALL),
    ("firewalld", FIREWALL),
    ("shorewall", FIREWALL),
    ("fail2ban", FIREWALL),
    ("crowdsec", FIREWALL),
    ("networking", NETWORK),
    ("systemd-networkd", NETWORK),
    ("NetworkManager", NETWORK),
    ("dhcpcd", NETWORK),
    ("wpa_supplicant", NETWORK),
    ("wg-quick", NETWORK),
    ("openvpn", NETWORK),
    ("tailscaled", NETWORK),
    ("systemd-resolved", RESOLVER),
    ("resolvconf", RESOLVER),
    ("systemd-logind", SESSIONS),
    ("systemd-user-sessions", SESSIONS),
    ("user", SESSIONS),
    ("dbus", SESSIONS),
    ("dbus-broker", SESSIONS),
    ("polkit", ROOT),
    ("sssd", ACCOUNTS),
    ("nslcd", ACCOUNTS),
];

/// Packages whose change replaces one of the above.
const PACKAGES: &[(&str, &str)] = &[
    ("openssh-server", SSH),
    ("openssh-client", SSH),
    ("dropbear", SSH),
    ("sudo", ROOT),
    ("sudo-ldap", ROOT),
    ("doas", ROOT),
    ("opendoas", ROOT),
    ("nftables", FIREWALL),
    ("iptables", FIREWALL),
    ("iptables-persistent", FIREWALL),
    ("netfilter-persistent", FIREWALL),
    ("ufw", FIREWALL),
    ("firewalld", FIREWALL),
    ("shorewall", FIREWALL),
    ("fail2ban", FIREWALL),
    ("crowdsec", FIREWALL),
    ("ifupdown", NETWORK),
    ("netplan.io", NETWORK),
    ("network-manager", NETWORK),
    ("isc-dhcp-client", NETWORK),
    ("dhcpcd", NETWORK),
    ("wireguard", NETWORK),
    ("wireguard-tools", NETWORK),
    ("openvpn", NETWORK),
    ("tailscale", NETWORK),
    ("iproute2", NETWORK),
    ("systemd-resolved", RESOLVER),
    ("resolvconf", RESOLVER),
    ("libnss-resolve", RESOLVER),
    ("systemd", SESSIONS),
    ("systemd-sysv", SESSIONS),
    ("udev", NETWORK),
    ("dbus", SESSIONS),
    ("passwd", ACCOUNTS),
    ("login", ACCOUNTS),
    ("base-files", ACCOUNTS),
    ("base-passwd", ACCOUNTS),
    ("sssd", ACCOUNTS),
    ("bash", SHELL),
    ("dash", SHELL),
    ("coreutils", SHELL),
    ("libc6", LIBRARIES),
];

const SSH: &str = "the ssh server";
const ROOT: &str = "becoming root";
const PAM: &str = "logins";
const FIREWALL: &str = "the firewall";
const NETWORK: &str = "the network";
const RESOLVER: &str = "the resolver";
const ACCOUNTS: &str = "accounts";
const SHELL: &str = "the login shell";
const SESSIONS: &str = "sessions";
const LIBRARIES: &str = "shared libraries";
const KEYS: &str = "authorized keys";

/// Where units are defined (systemd.unit(5)).
const UNIT_DIRS: &[&str] = &[
    "/etc/systemd/system/",
    "/run/systemd/system/",
    "/usr/local/lib/systemd/system/",
    "/usr/lib/systemd/system/",
    "/lib/systemd/system/",
    "/etc/init.d/",
];

/// Groups by which people become root.
const GROUPS: &[&str] = &["root", "sudo", "wheel", "admin", "adm"];

/// So many are named; the others are counted.
const NAMED: usize = 8;

/// What `plan` touches that `login` could be locked out by, a few words each; nothing where there is none. `claims` are those of the plan's
/// nodes: of a node that is provisional its steps may be unknown.
pub fn delicate(plan: &Plan, claims: &[Vec<Thing>], login: &Login) -> Vec<String> {
    let mut found = Vec::new();
    let mut take = |subject: &Subject| {
        let words = about(subject, login).map(|words| format!("{subject}: {words}"));
        found.extend(words.filter(|words| !found.contains(words)));
    };
    for (at, node) in plan.nodes.iter().enumerate() {
        of_steps(node.steps.iter().chain(&node.refresh)).iter().for_each(&mut take);
        if matches!(node.verdict, Verdict::Provisional { .. }) {
            claims.get(at).into_iter().flatten().map(subject_of).for_each(|subject| take(&subject));
        }
    }
    of_steps(plan.orphans.iter().flat_map(|orphan| &orphan.steps)).iter().for_each(&mut take);
    let more = found.len().saturating_sub(NAMED);
    if more > 0 {
        found.truncate(NAMED);
        found.push(format!("and {more} more"));
    }
    found
}

fn of_steps<'a>(steps: impl Iterator<Item = &'a Step>) -> Vec<Subject> {
    steps.flat_map(|step| subjects(&step.op)).collect()
}

fn subject_of(thing: &Thing) -> Subject {
    match thing.clone() {
        Thing::Path(path) => Subject::Path(path),
        Thing::Mount(path) => Subject::Mount(path),
        Thing::Package(name) => Subject::Package(name),
        Thing::Unit(name) | Thing::UnitFile(name) => Subject::Unit(name),
        Thing::User(name) => Subject::User(name),
        Thing::Group(name) => Subject::Group(name),
    }
}

/// What a subject has to do with reaching the host.
fn about(subject: &Subject, login: &Login) -> Option<&'static str> {
    match subject {
        // What is mounted hides what was there.
        Subject::Path(path) | Subject::Mount(path) => about_path(path, login),
        Subject::Unit(name) => about_unit(name),
        Subject::Package(name) => {
            let bare = name.split_once(':').map_or(name.as_str(), |(name, _)| name);
            look_up(PACKAGES, bare).or_else(|| bare.starts_with("libpam").then_some(PAM))
        }
        Subject::User(name) if *name == login.user => Some("the login user"),
        Subject::User(name) => (name == "root").then_some("the superuser"),
        Subject::Group(name) if GROUPS.contains(&name.as_str()) => Some(ROOT),
        Subject::Sysctl(path) => path.as_path().starts_with("/proc/sys/net").then_some(NETWORK),
        Subject::Group(name) => login.groups.contains(name).then_some("a group of the login user"),
    }
}

fn about_path(path: &HostPath, login: &Login) -> Option<&'static str> {
    let text = path.to_string();
    let near = |place: &str| is_within(&text, place) || is_above(&text, place);
    let listed = PLACES.iter().find(|(place, _)| near(place)).map(|(_, words)| *words);
    let in_home = || {
        let home = login.home.as_ref()?.to_string();
        let below = IN_HOME.iter().find(|(name, _)| is_within(&text, &format!("{home}/{name}")));
        let itself = (text == home || is_above(&text, &home)).then_some("the login user's home");
        below.map(|(_, words)| *words).or(itself)
    };
    let in_unit = || {
        let rest = UNIT_DIRS.iter().find_map(|dir| text.strip_prefix(dir))?;
        rest.split('/').find_map(about_unit)
    };
    listed.or_else(in_home).or_else(in_unit)
}

/// True where `path` is `place`, below it, or named by it with a suffix.
fn is_within(path: &str, place: &str) -> bool {
    let rest = path.strip_prefix(place);
    rest.is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_alphanumeric()))
}

/// True where `place` is below `path`: what is done to a directory can hide all that is in it.
fn is_above(path: &str, place: &str) -> bool {
    path == "/" || place.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

/// `ssh.service`, `ssh.service.d`, `sshd@.service`, `ssh`.
fn about_unit(name: &str) -> Option<&'static str> {
    let bare = name.trim_end_matches(".d").trim_end_matches(".wants").trim_end_matches(".requires");
    let suffixes = [".service", ".socket", ".target", ".path", ".timer", ".slice", ".mount"];
    let bare = suffixes.iter().find_map(|suffix| bare.strip_suffix(suffix)).unwrap_or(bare);
    look_up(UNITS, bare.split_once('@').map_or(bare, |(template, _)| template))
}

fn look_up(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::{Login, about, delicate};
    use model::{
        GroupSpec, HostPath, Id, Op, Orphan, Plan, PlannedNode, Step, Subject, Thing, UnitAction, UserSpec,
        Verdict,
    };

    fn login() -> Login {
        let home = Some(HostPath::new("/home/admin").unwrap());
        Login { user: "admin".into(), home, groups: ["admin", "staff"].map(str::to_owned).into() }
    }

    fn subject(line: &str) -> Subject {
        match line.split_once(' ').unwrap() {
            ("path", path) => Subject::Path(HostPath::new(path).unwrap()),
            ("package", name) => Subject::Package(name.to_owned()),
            ("unit", name) => Subject::Unit(name.to_owned()),
            ("user", name) => Subject::User(name.to_owned()),
            ("mount", path) => Subject::Mount(HostPath::new(path).unwrap()),
            ("sysctl", path) => Subject::Sysctl(HostPath::new(path).unwrap()),
            (_, name) => Subject::Group(name.to_owned()),
        }
    }

    #[test]
    fn what_can_lock_out_is_told_from_what_cannot() {
        let cases = include_str!("../../../tests/cases/delicate.txt");
        let cases = cases.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut count = 0;
        for line in cases {
            let (what, words) = line.split_once(" | ").unwrap_or((line, ""));
            assert_eq!(about(&subject(what.trim()), &login()).unwrap_or(""), words.trim(), "{line}");
            count += 1;
        }
        assert!(count > 80, "{count}");
    }

    fn node(verdict: Verdict, ops: Vec<Op>, refresh: Vec<Op>) -> PlannedNode {
        let steps = |ops: Vec<Op>| ops.into_iter().map(Step::new).collect();
        let (steps, refresh) = (steps(ops), steps(refresh));
        PlannedNode { verdict, steps, refresh, ..PlannedNode::unchanged(Id::new("file", "/x")) }
    }

    fn remove(path: &str) -> Op {
        Op::Remove { path: HostPath::new(path).unwrap() }
    }

    #[test]
    fn steps_refreshes_orphans_and_what_is_provisional_count() {
        let unit = Op::Unit { name: "ssh.service".into(), action: UnitAction::Reload };
        let because = || Verdict::Provisional { because: String::new() };
        let claims = vec![vec![], vec![], vec![Thing::UnitFile("nftables.service".into())]];
        let mut plan = Plan {
            nodes: vec![
                node(Verdict::Change, vec![remove("/etc/ssh/sshd_config"), remove("/srv/x")], vec![]),
                node(Verdict::Refresh, vec![], vec![unit]),
                node(because(), vec![], vec![]),
            ],
            ..Plan::default()
        };
        let steps = vec![Step::new(remove("/etc/sudoers.d/a"))];
        let id = Id::new("file", "/y");
        plan.orphans.push(Orphan { id, steps, because: String::new(), is_rolled_back: false });
        let found = delicate(&plan, &claims, &login());
        let want = "/etc/ssh/sshd_config: the ssh server, unit ssh.service: the ssh server, \
                    unit nftables.service: the firewall, /etc/sudoers.d/a: becoming root";
        assert_eq!(found.join(", "), want);
    }

    #[test]
    fn accounts_count_where_they_are_the_login_users() {
        let user = |name: &str| Op::ModifyUser(UserSpec { name: name.into(), ..UserSpec::default() });
        let group = |name: &str| Op::ModifyGroup(GroupSpec { name: name.into(), ..GroupSpec::default() });
        let ops = vec![user("deploy"), user("admin"), group("staff"), group("www-data")];
        let plan = Plan { nodes: vec![node(Verdict::Change, ops, vec![])], ..Plan::default() };
        let found = delicate(&plan, &[], &login());
        assert_eq!(found, ["user admin: the login user", "group staff: a group of the login user"]);
        assert_eq!(delicate(&plan, &[], &Login::default()), Vec::<String>::new());
    }

    #[test]
    fn the_list_stays_short() {
        let ops = (0..20).map(|at| remove(&format!("/etc/sudoers.d/{at}"))).collect();
        let plan = Plan { nodes: vec![node(Verdict::Change, ops, vec![])], ..Plan::default() };
        let found = delicate(&plan, &[], &login());
        assert_eq!((found.len(), found[8].as_str()), (9, "and 12 more"));
    }
}
