# The module chrony on a host where systemd-timesyncd was installed: one gives way to the other, chronyc tells the servers,
# and a change of the servers is taken up.
. "$LAB/lab.sh"

put site /root/site
apply() { keel_on_host apply -f site/host.toml --yes "$@"; }
sources() { host chronyc -n -c sources | cut -d, -f3 | LC_ALL=C sort | paste -sd' '; }
host apt-get update -qq
host env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq systemd-timesyncd >/dev/null 2>&1
assert_eq "install ok installed" "$(host dpkg-query -W -f '${Status}' systemd-timesyncd)"

assert_exit 0 apply
assert_eq "active enabled" "$(host systemctl is-active chrony) $(host systemctl is-enabled chrony)"
assert_eq "192.0.2.1 192.0.2.2" "$(sources)"
assert_exit 3 host systemctl is-active systemd-timesyncd
assert_lacks "$(host dpkg-query -W -f '${Status}' systemd-timesyncd 2>&1 || true)" "ok installed"
assert_contains "$(host_sh 'tr "\0" " " < /proc/$(systemctl show -P MainPID chrony)/cmdline')" " -x"
assert_eq "" "$(host systemctl --failed --no-legend)" "failed units"

before=$(snapshot /etc/chrony /etc/default/chrony /var/lib/dpkg/status) pid=$(host systemctl show -P MainPID chrony)
assert_exit 0 apply
assert_eq "$before" "$(snapshot /etc/chrony /etc/default/chrony /var/lib/dpkg/status)" "the second apply wrote"
assert_eq "$pid" "$(host systemctl show -P MainPID chrony)" "the second apply restarted chrony"

assert_exit 0 apply --set 'servers=["192.0.2.3"]'
assert_eq 192.0.2.3 "$(sources)"

# What chronyd does not understand never comes into place.
assert_exit 1 apply --set 'servers=["192.0.2.3 nonsense"]'
assert_eq 192.0.2.3 "$(sources)"
assert_lacks "$(host cat /etc/chrony/chrony.conf)" nonsense
