//! What a look at many resources reads: a file that concerns all of them once, however many they are, and again at the next look.

use crate::world::node;
use agent::engine::{Choice, Graph, forecast};
use agent::system::{Attempt, Entry, EntryKind, Layer, System, Touched};
use model::{Catalog, Failure, HostPath, Node, Op, Plan, Secrets, Verdict};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Mutex;
use wire::NoBlobs;

const MOUNTS: &str = "/proc/self/mountinfo";

/// A host that counts what is read and listed, by path.
struct Counted(Layer<'static>, Mutex<BTreeMap<String, u64>>);

impl Counted {
    fn count(&self, path: &HostPath) {
        *self.1.lock().expect("nobody panics here").entry(path.to_string()).or_default() += 1;
    }
}

impl System for Counted {
    fn below(&self) -> &dyn System {
        &self.0
    }

    fn read(&self, path: &HostPath, limit: u64) -> Result<Vec<u8>, Failure> {
        self.count(path);
        self.0.read(path, limit)
    }

    fn list(&self, path: &HostPath) -> Result<Vec<OsString>, Failure> {
        self.count(path);
        self.0.list(path)
    }

    fn clean(&self, op: &Op, tag: &str) -> Result<(), Failure> {
        self.0.clean(op, tag)
    }

    fn execute(&self, op: &Op, attempt: &Attempt) -> Result<Touched, Failure> {
        self.0.execute(op, attempt)
    }
}

/// A host on which `count` values, mounts, lines and directories are as they are to be, and what is to be.
fn even(count: u64) -> (Counted, Vec<Node>) {
    let (host, mut nodes) = (Layer::memory(), Vec::new());
    let (mut fstab, mut mounts, mut lines) = (String::new(), String::new(), String::new());
    for at in 0..count {
        host.put_file(&format!("/proc/sys/keel/v{at}"), b"1\n", 0o644);
        let kept = format!("# Kept by Evenkeel.\nkeel.v{at} = 1\n");
        host.put_file(&format!("/etc/sysctl.d/60-keel-keel.v{at}.conf"), kept.as_bytes(), 0o644);
        nodes.push(node(&format!("sysctl.keel.v{at}"), json!({ "value": 1 })));
        fstab += &format!("tmpfs /srv/m{at} tmpfs defaults 0 0\n");
        mounts += &format!("{at} 0 0:9 / /srv/m{at} rw,relatime - tmpfs tmpfs rw\n");
        nodes.push(node(&format!("mount./srv/m{at}"), json!({ "device": "tmpfs", "fstype": "tmpfs" })));
        lines += &format!("{at}\n");
        let params = json!({ "path": "/etc/lines", "line": at.to_string() });
        nodes.push(node(&format!("line.l{at}"), params));
        host.put_file(&format!("/srv/d{at}/kept"), b"", 0o644);
        let params = json!({ "purge": true, "exclude": ["kept"] });
        nodes.push(node(&format!("directory./srv/d{at}"), params));
    }
    for (path, text) in [("/etc/fstab", fstab), (MOUNTS, mounts), ("/etc/lines", lines)] {
        host.put_file(path, text.as_bytes(), 0o644);
    }
    host.put_file("/usr/lib/sysctl.d/99-other.conf", b"keel.other = 1\n", 0o644);
    let target = "/usr/lib/sysctl.d/99-other.conf".to_owned();
    let link = Entry { kind: EntryKind::Symlink { target }, uid: 0, gid: 0, mode: 0o777 };
    host.put_entry("/etc/sysctl.d/99-other.conf", link);
    (Counted(host, Mutex::default()), nodes)
}

fn planned(host: &Counted, nodes: &[Node]) -> Plan {
    let catalog = Catalog::new(nodes.to_vec(), Vec::new()).expect("a sound catalog");
    let graph = Graph::load(&catalog, &Secrets::default(), agent::kinds::LIVE).expect("known kinds");
    forecast(&graph, host, &Choice::default(), &BTreeSet::new(), &NoBlobs).expect("a plan")
}

#[test]
fn what_concerns_many_is_read_once_for_all_of_them() {
    let (host, nodes) = even(30);
    let plan = planned(&host, &nodes);
    let uneven = plan.nodes.iter().find(|node| node.verdict != Verdict::Unchanged);
    assert!(uneven.is_none(), "{uneven:?}");
    let counts = host.1.lock().expect("nobody panics here").clone();
    for path in ["/etc/fstab", "/etc/lines", "/etc/sysctl.d", "/usr/lib/sysctl.d/99-other.conf"] {
        assert_eq!(counts.get(path), Some(&1), "{path}");
    }
    // By those who mount, and by those who remove.
    assert_eq!(counts[MOUNTS], 2);
    // What each keeps is read for all, and by itself.
    assert_eq!(counts["/etc/sysctl.d/60-keel-keel.v0.conf"], 2);
    assert!(counts.values().all(|count| *count <= 2), "{counts:?}");
}

#[test]
fn what_somebody_changed_is_seen_at_the_next_look() {
    let (host, nodes) = even(2);
    planned(&host, &nodes);
    for path in ["/etc/fstab", "/etc/lines", MOUNTS] {
        host.0.put_file(path, b"", 0o644);
    }
    host.0.put_file("/etc/sysctl.d/99-other.conf", b"keel.v0 = 2\n", 0o644);
    let plan = planned(&host, &nodes);
    let uneven: Vec<String> = plan
        .nodes
        .iter()
        .filter(|node| node.verdict != Verdict::Unchanged)
        .map(|node| node.id.to_string())
        .collect();
    assert_eq!(uneven, ["sysctl.keel.v0", "mount./srv/m0", "line.l0", "mount./srv/m1", "line.l1"]);
}
