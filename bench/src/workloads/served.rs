//! W4: a host as it came becomes a web server; the clock stops at the first right answer.

use super::{Floor, Most, Place, Scale, Workload};
use crate::state::{Directory, File, Group, State, Symlink, Unit, User};

/// What the page says.
const PAGE: &str = "served by the benchmark\n";

/// The one.
pub fn all(_: Scale) -> Vec<Workload> {
    let brought = "/var/tmp/bench-agent";
    let bring =
        format!("gzip -dc >{brought} && sync {brought} && sha256sum {brought} >/dev/null && rm {brought}");
    let apt = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install nginx-light logrotate >/dev/null";
    vec![Workload {
        place: Place::Laptop { hosts: 1, delay: 0 },
        before: raw(),
        page: Some((8081, PAGE.to_owned())),
        floors: vec![Floor {
            brings: true,
            ..Floor::new(
                "the agent brought, apt-get update and install, by hand",
                &["sudo", "sh", "-c", &format!("{bring} && {apt}")],
            )
        }],
        most: Most::Ratio(1.15),
        ..Workload::new("W4", "a raw host to a served page, the agent brought", state())
    }]
}

fn state() -> State {
    let group = Group { name: "bench-web".into(), gid: 3100 };
    let user = User {
        name: "bench-web".into(),
        uid: 3100,
        group: "bench-web".into(),
        home: "/srv/W4".into(),
        shell: "/usr/sbin/nologin".into(),
    };
    let directory = |path: &str| Directory { path: path.into(), owner: "root".into(), mode: "0755".into() };
    let file = |path: &str, content: &str| File::of_root(path.into(), content.into());
    let vhost = "/etc/nginx/sites-available/bench.conf";
    let link = "/etc/nginx/sites-enabled/bench.conf";
    let unit =
        "[Service]\nExecStart=/bin/sleep infinity\nUser=bench-web\n[Install]\nWantedBy=multi-user.target\n";
    State {
        groups: vec![group],
        users: vec![user],
        directories: vec![directory("/srv/W4"), directory("/srv/W4/pages")],
        packages: vec!["nginx-light".into(), "logrotate".into()],
        files: vec![
            file("/srv/W4/pages/index.html", PAGE),
            file(vhost, "server {\n    listen 8081;\n    root /srv/W4/pages;\n}\n"),
            file("/etc/systemd/system/bench-app.service", unit),
            file("/etc/logrotate.d/bench", "/srv/W4/*.log {\n    weekly\n    rotate 4\n    missingok\n}\n"),
            file("/etc/sysctl.d/90-bench.conf", "net.core.somaxconn = 4096\n"),
            file("/etc/cron.d/bench", "17 3 * * * bench-web true\n"),
        ],
        symlinks: vec![Symlink { path: link.into(), target: vhost.into() }],
        units: vec![
            Unit {
                name: "nginx.service".into(),
                package: Some("nginx-light".into()),
                restarted_for: vec![vhost.into(), link.into()],
            },
            Unit { name: "bench-app.service".into(), package: None, restarted_for: Vec::new() },
        ],
        ..State::default()
    }
}

/// As the host came: nothing of the workload, of apt's lists, or of an agent.
fn raw() -> String {
    "systemctl disable -q --now bench-app.service 2>/dev/null || :
    export DEBIAN_FRONTEND=noninteractive
    dpkg -l nginx-light logrotate >/dev/null 2>&1 && apt-get -qq -y --auto-remove purge nginx-light nginx-common logrotate >/dev/null 2>&1 || :
    rm -rf /etc/nginx /var/log/nginx /srv/W4 /etc/systemd/system/bench-app.service /etc/logrotate.d/bench /etc/sysctl.d/90-bench.conf \
        /etc/cron.d/bench /var/lib/evenkeel /var/lib/apt/lists/* /var/lib/apt/periodic/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin
    touch -d @0 /var/lib/apt/lists
    systemctl daemon-reload
    id -u bench-web >/dev/null 2>&1 && userdel bench-web || :
    getent group bench-web >/dev/null && groupdel bench-web || :
    sync"
        .to_owned()
}
