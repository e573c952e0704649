//! Every verb, over a connection.

use crate::hosts::{Hosts, Ran};
use std::fs;

const ROLE: &str = "[directory.\"/srv/a\"]\n[file.\"/srv/a/b\"]\ncontent = \"{{ facts.os.id }}\\n\"\n";

#[track_caller]
fn assert_ends(ran: &Ran, code: i32, says: &str) {
    assert!(ran.code == code && format!("{}{}", ran.out, ran.err).contains(says), "{says}: {ran:?}");
}

#[test]
fn a_host_is_planned_changed_told_of_and_brought_back() {
    let hosts = Hosts::new(1, ROLE);
    let id = "+ directory./srv/a  (roles/web.toml:1:12)";
    assert_ends(&hosts.keel("plan web1"), 2, id);
    assert!(!hosts.on(1, "/srv/a").exists());
    assert_ends(&hosts.keel("rehearse web1"), 2, "  + /srv/a/b  (mode 0644, owner root:root)");
    assert!(!hosts.on(1, "/srv/a").exists());
    assert_ends(&hosts.keel("apply web1 --yes"), 0, "web1: run 1: 2 changed\n");
    assert_eq!(fs::read_to_string(hosts.on(1, "/srv/a/b")).expect("it is there"), "debian\n");
    let again = hosts.keel("apply web1 --yes");
    assert_eq!((again.out.as_str(), again.err.as_str()), ("web1: as desired: 2 unchanged\n", ""));
    assert_ends(&hosts.keel("history web1"), 0, "apply web1  2 changed\n");
    assert_ends(&hosts.keel("show 1 web1"), 0, "done     write_file /srv/a/b 0644");
    assert_ends(&hosts.keel("show 9 web1"), 1, "error: web1: there is no run 9");
    assert_ends(&hosts.keel("facts web1"), 0, "\"id\": \"debian\"");
    assert_ends(&hosts.keel("rollback 1 web1 --plan"), 2, "- file./srv/a/b");
    assert_ends(&hosts.keel("rollback web1 --yes"), 0, "web1: run 2: 2 changed\n");
    assert!(!hosts.on(1, "/srv/a").exists());
}

#[test]
fn a_host_in_no_inventory_is_reached_as_ssh_would() {
    let hosts = Hosts::new(1, ROLE);
    let inventory = fs::read_to_string(hosts.path("hosts.toml")).expect("an inventory");
    let port = inventory.lines().find_map(|line| line.strip_prefix("port = ")).expect("a port");
    fs::write(hosts.path("config"), format!("Host edge\n  HostName 127.0.1.1\n  Port {port}\n"))
        .expect("written");
    assert_ends(&hosts.keel("plan --role web edge --ssh-config config"), 4, "Host key verification failed.");
    let words = "plan --role web root@edge --ssh-config config --accept-new-host-key";
    assert_ends(&hosts.keel(words), 2, "root@edge: 2 to change\n");
    assert_ends(
        &hosts.keel("apply -f roles/web.toml edge --ssh-config config --yes"),
        0,
        "edge: run 1: 2 changed",
    );
    assert_ends(&hosts.keel(&format!("history root@127.0.1.1:{port}")), 0, "apply edge -f roles/web.toml");
    let words = format!("facts 127.0.1.1:{port} --format json");
    assert_ends(&hosts.keel(&words), 0, "\"event\":\"facts\",\"facts\":{");
}
