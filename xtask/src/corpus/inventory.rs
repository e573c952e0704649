//! Inventories that must be refused, in a site whose only role is `web`: each names the host `web1` where it names one.

use super::write::Case;

/// The cases.
pub fn cases() -> Vec<Case> {
    let plain = |&(name, text): &(&'static str, &str)| (name, text.as_bytes().to_vec());
    TEXTS.iter().map(plain).chain(bombs()).chain(REACH.iter().map(plain)).collect()
}

/// How a host is reached.
const REACH: &[(&str, &str)] = &[
    ("user-as-an-option", "[host.web1]\nuser = \"-oProxyCommand=touch /tmp/owned\"\n"),
    ("user-is-empty", "[host.web1]\nuser = \"\"\n"),
    ("user-with-a-command", "[host.web1]\nuser = \"a;id\"\n"),
    ("user-is-a-number", "[host.web1]\nuser = 0\n"),
    ("port-zero", "[host.web1]\nport = 0\n"),
    ("port-too-large", "[group.a]\nport = 65536\n"),
    ("port-is-a-string", "[host.web1]\nport = \"22\"\n"),
    ("host-key-empty", "[host.web1]\nhost_key = \"\"\n"),
    ("host-key-none-at-all", "[host.web1]\nhost_key = []\n"),
    ("host-key-holds-a-number", "[host.web1]\nhost_key = [1]\n"),
    (
        "host-key-is-a-fingerprint",
        "[host.web1]\nhost_key = \"SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\"\n",
    ),
    ("host-key-cut-off", "[host.web1]\nhost_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmc\"\n"),
    ("host-key-with-a-newline", "[host.web1]\nhost_key = \"ssh-ed25519\\nAAAA\"\n"),
    ("proxy-jump-as-an-option", "[host.web1]\nproxy_jump = \"-oProxyCommand=touch /tmp/owned\"\n"),
    ("proxy-jump-with-a-gap", "[host.web1]\nproxy_jump = \"a,,b\"\n"),
    ("proxy-jump-with-a-command", "[host.web1]\nproxy_jump = \"$(id)\"\n"),
    ("proxy-jump-is-a-list", "[host.web1]\nproxy_jump = [\"a\"]\n"),
    ("transport-unknown", "[host.web1]\ntransport = \"telnet\"\n"),
    ("transport-is-a-bool", "[host.web1]\ntransport = true\n"),
];

const TEXTS: &[(&str, &str)] = &[
    ("header-without-end", "[host.web1\n"),
    ("host-twice", "[host.web1]\n[host.web1]\n"),
    ("host-twice-in-other-quotes", "[host.web1]\n[host.\"web1\"]\n"),
    ("key-twice", "[host.web1]\naddress = \"a\"\naddress = \"b\"\n"),
    ("unknown-table", "[hosts.web1]\n"),
    ("unknown-table-with-nothing-near", "[zzzzzz]\n"),
    ("unknown-key-of-a-host", "[host.web1]\nadress = \"10.0.0.1\"\n"),
    ("unknown-key-of-a-group", "[group.web]\nrole = [\"web\"]\n"),
    ("address-on-a-group", "[group.web]\naddress = \"10.0.0.1\"\n"),
    ("host-is-a-string", "[host]\nweb1 = \"10.0.0.1\"\n"),
    ("host-is-a-list", "host = [\"web1\"]\n"),
    ("hosts-as-array-of-tables", "[[host]]\nname = \"web1\"\n"),
    ("group-is-a-list", "[group]\nweb = [\"web1\"]\n"),
    ("address-is-a-number", "[host.web1]\naddress = 10\n"),
    ("address-is-a-list", "[host.web1]\naddress = [\"a\", \"b\"]\n"),
    ("address-is-empty", "[host.web1]\naddress = \"\"\n"),
    ("address-as-an-option", "[host.web1]\naddress = \"-oProxyCommand=touch /tmp/owned\"\n"),
    ("address-with-a-newline", "[host.web1]\naddress = \"a\\nProxyCommand touch /tmp/owned\"\n"),
    ("address-with-a-blank", "[host.web1]\naddress = \"a b\"\n"),
    ("address-with-a-nul", "[host.web1]\naddress = \"a\\u0000b\"\n"),
    ("address-with-a-command", "[host.web1]\naddress = \"`id`\"\n"),
    ("address-with-a-semicolon", "[host.web1]\naddress = \"a;id\"\n"),
    ("address-with-an-escape-sequence", "[host.web1]\naddress = \"\\u001b]0;x\\u0007\"\n"),
    ("name-as-an-option", "[host.\"-oProxyCommand=touch /tmp/owned\"]\n"),
    ("name-as-a-short-option", "[host.\"-v\"]\n"),
    ("name-with-a-newline", "[host.\"web1\\nHost *\"]\n"),
    ("name-with-a-blank", "[host.\"web 1\"]\n"),
    ("name-with-a-slash", "[host.\"../../etc/cron.d/x\"]\n"),
    ("name-with-a-nul", "[host.\"web\\u00001\"]\n"),
    ("name-with-a-percent", "[host.\"%h\"]\n"),
    ("name-with-a-glob", "[host.\"web*\"]\n"),
    ("name-with-an-at-sign", "[host.\"@web\"]\n"),
    ("name-with-a-bidi-override", "[host.\"\\u202e1bew\"]\n"),
    ("name-is-empty", "[host.\"\"]\n"),
    ("name-is-dots", "[host.\"..\"]\n"),
    ("name-dotted-into-parts", "[host.web1.example.org]\naddress = \"a\"\n"),
    ("group-name-as-an-option", "[group.\"-a\"]\n"),
    ("group-name-with-a-newline", "[group.\"a\\nb\"]\n"),
    ("group-name-is-empty", "[group.\"\"]\n"),
    ("group-unknown", "[group.web]\n[host.web1]\ngroups = [\"wbe\"]\n"),
    ("group-unknown-with-nothing-near", "[host.web1]\ngroups = [\"zzzzzz\"]\n"),
    ("groups-is-a-string", "[group.web]\n[host.web1]\ngroups = \"web\"\n"),
    ("groups-holds-a-number", "[host.web1]\ngroups = [1]\n"),
    ("groups-holds-a-list", "[host.web1]\ngroups = [[\"web\"]]\n"),
    ("group-within-itself", "[group.a]\ngroups = [\"a\"]\n"),
    ("groups-in-a-circle", "[group.a]\ngroups = [\"b\"]\n[group.b]\ngroups = [\"a\"]\n"),
    ("groups-in-a-circle-by-children", "[group.a]\nchildren = [\"b\"]\n[group.b]\nchildren = [\"a\"]\n"),
    ("roles-is-a-string", "[host.web1]\nroles = \"web\"\n"),
    ("roles-holds-a-table", "[host.web1]\nroles = [{ name = \"web\" }]\n"),
    ("role-unknown", "[host.web1]\nroles = [\"wbe\"]\n"),
    ("role-unknown-of-a-group", "[group.g]\nroles = [\"zzzzzz\"]\n[host.web1]\ngroups = [\"g\"]\n"),
    ("role-is-a-path", "[host.web1]\nroles = [\"../../etc/passwd\"]\n"),
    ("inputs-is-a-list", "[host.web1]\nroles = [\"web\"]\ninputs = [1]\n"),
    ("inputs-without-a-module", "[host.web1]\nroles = [\"web\"]\n[host.web1.inputs]\nport = 80\n"),
    ("input-unknown", "[host.web1]\nroles = [\"web\"]\n[host.web1.inputs.web]\nprot = 80\n"),
    (
        "input-of-the-wrong-type",
        "[host.web1]\nroles = [\"web\"]\n[host.web1.inputs.web]\nport = \"eighty\"\n",
    ),
    ("input-is-a-date", "[host.web1]\nroles = [\"web\"]\n[host.web1.inputs.web]\nport = 2030-01-31\n"),
    (
        "input-too-large",
        "[host.web1]\nroles = [\"web\"]\n[host.web1.inputs.web]\nport = 99999999999999999999\n",
    ),
    ("is-an-ini-inventory", "[web]\nweb1 ansible_host=10.0.0.1\n"),
    ("is-a-yaml-inventory", "all:\n  hosts:\n    web1:\n"),
    ("is-an-ssh-config", "Host web1\n  HostName 10.0.0.1\n"),
    ("is-a-list-of-names", "web1\nweb2\n"),
];

fn bombs() -> Vec<Case> {
    let deep = 5_000;
    vec![
        ("not-utf-8", b"[host.w\xe9b1]\n".to_vec()),
        ("nul-only", vec![0; 64]),
        ("utf-16", b"\xff\xfe[\0h\0o\0s\0t\0]\0".to_vec()),
        ("bomb-of-lists", format!("[host.web1]\ngroups = {}\n", "[".repeat(deep)).into_bytes()),
        ("bomb-of-tables", format!("[host.web1{}]\n", ".a".repeat(deep)).into_bytes()),
        (
            "bomb-of-unknown-groups",
            format!("[host.web1]\ngroups = [{}]\n", "\"g\",".repeat(2000)).into_bytes(),
        ),
    ]
}
