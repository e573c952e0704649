# Packages, services, units, users, groups and commands on a raw host: made, left alone, unmade, brought back, refused.
. "$LAB/lab.sh"

put site /root/site
state() {
    host_sh 'getent passwd deploy metrics; getent shadow deploy | cut -d: -f2,8; getent group media
        id -Gn deploy; systemctl is-active app nginx apt-daily.timer; systemctl is-enabled app nginx apt-daily.timer
        apt-mark showhold; cat /home/deploy/g' 2>&1 || true
}

# Plan knows what it cannot know, and tells no hash.
assert_exit 2 keel_on_host plan -f site/up.toml
assert_contains "$OUTPUT" "package.nginx will be installed and may bring nginx.service"
assert_contains "$OUTPUT" "its guard is asked again"
assert_lacks "$OUTPUT" 'hashhashhash'

assert_exit 0 keel_on_host apply --yes -f site/up.toml
assert_eq 'deploy:x:4711:4711::/home/deploy:/bin/bash' "$(host getent passwd deploy)"
assert_eq '$6$rounds=1000$salt$hashhashhash:21945' "$(host_sh 'getent shadow deploy | cut -d: -f2,8')" "shadow"
assert_eq '!' "$(host_sh 'getent shadow metrics | cut -d: -f2')" "metrics is locked"
assert_eq 'deploy media' "$(host id -Gn deploy)"
assert_eq '600 deploy' "$(host stat -c '%a %U' /home/deploy/hello)" "umask and user of a command"
assert_eq 'nginx' "$(host apt-mark showhold)"
assert_eq 'LimitNOFILE=65536' "$(host systemctl show nginx -p LimitNOFILE)" "the drop-in is in force"
assert_eq $'active\nactive' "$(host systemctl is-active app nginx)"
assert_eq $'enabled\nenabled' "$(host systemctl is-enabled app nginx)"
assert_eq 'x' "$(host cat /root/count)" "a command that was notified ran once"

# The second run writes nothing.
before=$(snapshot /etc/passwd /etc/shadow /etc/group /etc/systemd/system /var/lib/dpkg/status /home/deploy/g /root/count)
assert_exit 0 keel_on_host apply --yes -f site/up.toml
assert_eq "$before" "$(snapshot /etc/passwd /etc/shadow /etc/group /etc/systemd/system /var/lib/dpkg/status /home/deploy/g /root/count)"

# The other way round, and back.
before=$(state)
assert_exit 0 keel_on_host apply --yes -f site/down.toml
assert_eq 'deploy:x:4711:4711:Ölaf, the "2nd":/srv/deploy:/bin/bash' "$(host getent passwd deploy)"
assert_eq 'media:x:4000:admin' "$(host getent group media)"
assert_exit 2 host getent passwd metrics
assert_eq 'masked' "$(host_sh 'systemctl is-enabled apt-daily.timer || true')"
assert_eq 'not-installed' "$(host dpkg-query -W -f '${db:Status-Status}' nginx)"
assert_exit 1 host test -e /etc/systemd/system/nginx.service.d -o -e /etc/systemd/system/app.service
assert_exit 0 keel_on_host apply --yes -f site/down.toml
assert_exit 0 keel_on_host rollback --yes
assert_eq "$before" "$(state)" "rollback"

# What cannot be had says why, and touches nothing.
before=$(fingerprint /etc/passwd /etc/shadow /etc/group)
assert_exit 1 keel_on_host apply --yes -f site/refused.toml
assert_contains "$OUTPUT" "name one of:"
assert_contains "$OUTPUT" "on offer: 2.10"
assert_contains "$OUTPUT" "unit nope.service does not exist"
assert_contains "$OUTPUT" "has no [Install] section"
assert_contains "$OUTPUT" "group nosuch does not exist"
assert_contains "$OUTPUT" "user root has number 0 already"
assert_contains "$OUTPUT" "it would let anybody in"
assert_lacks "$OUTPUT" "tops3cret"
assert_exit 1 host grep -r tops3cret /var/lib/evenkeel
assert_eq "$before" "$(fingerprint /etc/passwd /etc/shadow /etc/group)"

# What systemd says of units over its socket is what `systemctl show` says: loaded or not, aliases, instances, masked, broken, failed, there or not.
host_write /etc/systemd/system/odd.service <<<'[Servi'
host_sh 'printf "[Service]\nType=oneshot\nExecStart=/bin/false\nExecReload=/bin/true\n" >/etc/systemd/system/fails.service
systemctl daemon-reload && ! systemctl start fails.service && echo "# more" >>/etc/systemd/system/fails.service'
host_write /root/told_units 0755 <"${KEEL_BIN%/*}/../debug/examples/told_units"
assert_exit 0 host_sh 'units=$(systemctl list-unit-files --no-legend; systemctl list-units --all --plain --no-legend)
/root/told_units $(cut -d" " -f1 <<<"$units" | grep -v "@\." | sort -u) sshd.service nothere.service nothere@x.service getty@tty9.service 7up.service "a\\x2db.mount"'
