//! W2: a bit of everything, as it is to be.

use super::{Floor, Most, Scale, Workload};
use crate::state::{Directory, Group, Line, State, Symlink, Templated, Unit, User};

/// Where all of it is.
pub const TREE: &str = "/srv/W2";

/// Packages that every host of the lab has: nothing is to be installed.
const PACKAGES: &str = "adduser apt apt-utils base-files base-passwd bash bsdutils ca-certificates coreutils cron dash dbus debconf \
    debian-archive-keyring debianutils diffutils dpkg findutils gpgv grep gzip hostname init-system-helpers iproute2 libacl1 libattr1 \
    libc-bin libc6 libpam-modules libpam-runtime libselinux1 libsystemd0 libudev1 login mawk mount ncurses-base ncurses-bin \
    openssh-client openssh-server openssl passwd perl-base procps sed sudo systemd systemd-sysv tar util-linux";

/// The one.
pub fn all(_: Scale) -> Vec<Workload> {
    let mut argv = vec!["mixed", TREE];
    let units: Vec<String> = state().units.into_iter().map(|unit| unit.name).collect();
    argv.extend(units.iter().map(String::as_str));
    let what = "200 templated files, 50 packages, 20 each of units, users, groups, directories, links, lines; nothing to do, on the host";
    vec![Workload {
        fixture: fixture(),
        floors: vec![Floor::program("stat, read, hash; dpkg, passwd, systemd once", &argv)],
        most: Most::Ratio(2.0),
        ..Workload::new("W2", what, state())
    }]
}

/// What it asks for.
pub fn state() -> State {
    let place = |name: &str| format!("{TREE}/{name}");
    let twenty = || 1..=20u32;
    let directories = ["templated".to_owned(), "links".to_owned()]
        .into_iter()
        .chain(twenty().map(|number| format!("d{number:02}")));
    let directory =
        |name: String| Directory { path: place(&name), owner: "root".into(), mode: "0755".into() };
    let top = Directory { path: TREE.into(), owner: "root".into(), mode: "0755".into() };
    let user = |number: u32| User {
        name: format!("bench-u{number:02}"),
        uid: 3000 + number,
        group: format!("bench-g{number:02}"),
        home: place(&format!("d{number:02}")),
        shell: "/usr/sbin/nologin".into(),
    };
    State {
        groups: twenty().map(|n| Group { name: format!("bench-g{n:02}"), gid: 3000 + n }).collect(),
        users: twenty().map(user).collect(),
        directories: std::iter::once(top).chain(directories.map(directory)).collect(),
        packages: PACKAGES.split_whitespace().map(str::to_owned).collect(),
        files: Vec::new(),
        templated: (1..=200).map(|number| templated(&place("templated"), number)).collect(),
        symlinks: twenty()
            .map(|n| Symlink { path: place(&format!("links/l{n:02}")), target: format!("../d{n:02}") })
            .collect(),
        lines: twenty()
            .map(|n| Line { path: format!("{TREE}.conf"), line: format!("setting{n:02} = {}", n * 10) })
            .collect(),
        units: twenty()
            .map(|n| Unit { name: format!("bench-{n:02}.service"), package: None, restarted_for: Vec::new() })
            .collect(),
        commands: Vec::new(),
    }
}

fn templated(directory: &str, number: u32) -> Templated {
    Templated {
        path: format!("{directory}/site{number:03}.conf"),
        name: format!("site{number:03}.example.org"),
        port: 8000 + number,
        root: format!("/srv/www/site{number:03}"),
    }
}

/// Units that run and do nothing, and the file that lines are for.
pub fn fixture() -> String {
    format!(
        "printf '# settings\\nother = 1\\n' >{TREE}.conf
        for n in $(seq -w 20); do
            printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/bench-$n.service
        done
        systemctl daemon-reload"
    )
}

#[cfg(test)]
mod tests {
    use super::state;

    #[test]
    fn it_is_as_large_as_it_says() {
        let state = state();
        assert_eq!(state.packages.len(), 50);
        assert_eq!(state.templated.len(), 200);
        assert_eq!(state.directories.len(), 23);
        for twenty in [
            state.groups.len(),
            state.users.len(),
            state.symlinks.len(),
            state.lines.len(),
            state.units.len(),
        ] {
            assert_eq!(twenty, 20);
        }
    }
}
