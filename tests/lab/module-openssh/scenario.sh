# The module openssh: sshd itself tells the settings; host keys and open connections stay; what sshd would refuse never
# comes into place; and whoever could log in still can.
. "$LAB/lab.sh"

put site /root/site
apply() { keel_on_host apply -f site/host.toml --yes "$@"; }
# A reload of sshd refuses connections for an instant.
said() { soon afresh host true && host /usr/sbin/sshd -T | awk -v key="$1" '$1 == key { print $2 }'; }

keys=$(snapshot /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_ed25519_key.pub) root=$(said permitrootlogin)
pid=$(host systemctl show -P MainPID ssh)
assert_eq yes "$(said passwordauthentication)" "a password lets in to begin with"

assert_exit 0 apply
assert_eq "no no no 45 VERBOSE" "$(for key in passwordauthentication kbdinteractiveauthentication x11forwarding \
    clientaliveinterval loglevel; do said $key; done | paste -sd' ')"
assert_eq "$root" "$(said permitrootlogin)" "what was not said stays"
assert_eq "$keys" "$(snapshot /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_ed25519_key.pub)" "host keys"
assert_eq "$pid" "$(host systemctl show -P MainPID ssh)" "a reload keeps the process"
assert_eq active "$(host systemctl is-active ssh)"
assert_contains "$(ssh -v -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o PubkeyAuthentication=no "root@$(address)" true 2>&1 || true)" "Permission denied (publickey)" "no password any more:"

before=$(snapshot /etc/ssh)
assert_exit 0 apply
assert_eq "$before" "$(snapshot /etc/ssh)" "the second apply wrote"

# A main file that does not read the directory is made to, before everything that it says itself.
host_sh 'sed -i "/^Include/d; 1i LogLevel ERROR" /etc/ssh/sshd_config; systemctl reload ssh'
assert_eq ERROR "$(said loglevel)"
assert_exit 0 apply
assert_eq VERBOSE "$(said loglevel)"

# What sshd refuses is never in place, and the running one serves on.
assert_exit 1 apply --set level=NONSENSE
assert_contains "$OUTPUT" "NONSENSE"
assert_eq VERBOSE "$(said loglevel)"
assert_eq "" "$(host find /etc/ssh -name '.*')" "left behind"

# Who could log in still can; what is said holds from the next connection on.
assert_exit 0 apply --set root=no
soon as admin host true
assert_exit 255 afresh host true
assert_eq 0 "$(as admin host sudo -n id -u)"
