//! W9: much of everything to be done on one host, so that it shows what is done beside what: packages, files, and commands that take their time.

use super::{Floor, Most, Peers, Scale, Workload};
use crate::state::{Command, Directory, File, State};

/// Where its files are.
const TREE: &str = "/srv/W9";

/// Where its commands leave a mark.
const MARKS: &str = "/srv/W9-done";

/// Thirty small ones that no host of the lab has, and that ask nothing when they are installed.
const PACKAGES: &str = "bc bsdextrautils colordiff cpio dc dos2unix ed ethtool hexedit iputils-ping less lsof ncdu netcat-openbsd patch psmisc pv \
    pwgen rename rsync sharutils strace time traceroute tree unzip wdiff whois xxd zip";

/// The one, which no run of five minutes has room for.
pub fn all(scale: Scale) -> Vec<Workload> {
    if scale == Scale::Quick {
        return Vec::new();
    }
    let by_hand = format!(
        "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install {PACKAGES} >/dev/null; mkdir {TREE} {MARKS}
        for n in $(seq -w 0 99); do echo number = $n >{TREE}/f0$n; done
        for n in $(seq -w 1 10); do sleep 1; echo done >{MARKS}/d$n; done"
    );
    let at = "/opt/bench/W9/keel";
    let serial = format!("/opt/bench/keel apply --yes --local -f {at}/serial.toml --state-dir {at}/state");
    let floor = |name: &'static str, line: &str| Floor::new(name, &["sh", "-c", line]);
    vec![Workload {
        fixture: format!(
            "apt-get -qq update && apt-get -qq -y --download-only install {PACKAGES} >/dev/null"
        ),
        before: undone(at),
        after: format!("[ $(ls {TREE} {MARKS} | grep -c '^[df].') = 110 ] && [ -x /usr/bin/zip ]"),
        floors: vec![
            floor("by hand, one after the other", &by_hand),
            floor("keel, its commands one at a time", &serial),
        ],
        most: Most::Open,
        peers: Peers::Not,
        ..Workload::new(
            "W9",
            "30 packages, 100 files and 10 commands of 1 s each, none of them there, on the host",
            state(),
        )
    }]
}

fn state() -> State {
    let file = |number: u32| File::of_root(format!("{TREE}/f{number:03}"), format!("number = {number}\n"));
    let command = |number: u32| {
        let done = format!("{MARKS}/d{number:02}");
        let argv = ["sh", "-c", &format!("sleep 1; echo done >{done}")].map(str::to_owned).into();
        Command { name: format!("slow{number:02}"), argv, creates: done, needs: MARKS.to_owned() }
    };
    let directory = |path: &str| Directory { path: path.into(), owner: "root".into(), mode: "0755".into() };
    State {
        directories: [TREE, MARKS].map(directory).into(),
        packages: PACKAGES.split_whitespace().map(str::to_owned).collect(),
        files: (0..100).map(file).collect(),
        commands: (0..10).map(command).collect(),
        ..State::default()
    }
}

/// None of it is there, but for what apt has fetched; and beside the site the same without a word of what may run at once.
fn undone(at: &str) -> String {
    format!(
        "export DEBIAN_FRONTEND=noninteractive
        apt-get -qq -y --auto-remove purge {PACKAGES} >/dev/null 2>&1
        rm -rf {TREE} {MARKS}
        [ ! -e {at}/site.toml ] || sed '/^parallel = true$/d' {at}/site.toml >{at}/serial.toml
        sync"
    )
}

#[cfg(test)]
mod tests {
    use super::state;

    #[test]
    fn it_is_as_large_as_it_says() {
        let state = state();
        assert_eq!([state.packages.len(), state.files.len(), state.commands.len()], [30, 100, 10]);
    }
}
