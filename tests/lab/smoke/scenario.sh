# The lab itself: a host is a raw, running system with apt, sshd and sudo and no Python. Needs no keel.
# hosts: 2
. "$LAB/lab.sh"

assert_eq running "$(host systemctl is-system-running)" "systemd on the host"
assert_eq "" "$(host systemctl --failed --no-legend)" "failed units"
assert_eq "smoke1 smoke2" "$(host uname -n) $(on 2 host uname -n)" "names of the hosts"
assert_eq "" "$(host_sh 'compgen -c python || true')" "a host has no Python"
assert_eq "0" "$(as admin host sudo -n id -u)" "admin may become root"
assert_eq "1000" "$(as admin host id -u)" "admin is a plain user"

# Raw means raw: no package lists, as on a fresh cloud image; then apt works through the lab's proxy.
assert_exit 100 host apt-get install -y -qq hello
host apt-get update -qq
host env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq hello >/dev/null 2>&1
assert_eq "install ok installed" "$(host dpkg-query -W -f '${Status}' hello)"
assert_eq "Hello, world!" "$(host hello)"
assert_exit 1 on 2 host dpkg-query -W hello

# A host reaches its neighbour, and nothing beyond the lab.
host bash -c "exec 3<>/dev/tcp/$(on 2 address)/22"
assert_eq "" "$(host ip route show default)" "a host has no way out"

# The helpers see what they should: a write of the same bytes, argv with blanks, a mode.
printf 'one\n' | host_write '/root/a b' 0600
before=$(snapshot '/root/a b') print=$(fingerprint '/root/a b' /nowhere)
assert_eq "$before" "$(snapshot '/root/a b')"
printf 'one\n' | host_write '/root/a b' 0600
assert_eq "$print" "$(fingerprint '/root/a b' /nowhere)"
[[ $before != "$(snapshot '/root/a b')" ]] || lab_fail "a second write left no trace in the snapshot"
assert_contains "$print" "absent"
