# The same job over the system's ssh, because it was asked for, and by itself where ~/.ssh/config wants what only that can do.
# hosts: 2
. "$LAB/laptop.sh"

LAPTOP_SITE=../push/site
used=$LAPTOP/proxy-used
laptop_knows web1 web2

assert_exit 0 laptop apply --yes --transport openssh web1 web2
soon serves "Ahoy from push-openssh1" /
on 2 soon serves "Avast from push-openssh2" :8080/
before=$(snapshot /srv/page /etc/nginx /var/lib/evenkeel/runs)
assert_exit 0 laptop apply --yes --transport openssh web1
assert_eq "$before" "$(snapshot /srv/page /etc/nginx /var/lib/evenkeel/runs)" "the second apply wrote"

# By itself: a ProxyCommand is something that only ssh can do.
cat >>"$LAPTOP_HOME/.ssh/config" <<EOF
Host web*
    ProxyCommand bash -c 'touch $used; exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill \$!'
EOF
host_sh 'echo mine >/srv/page/index.html'
assert_exit 0 laptop apply --yes web1
soon serves "Ahoy from push-openssh1" /
test -e "$used" || lab_fail "the ProxyCommand was not used"
assert_exit 0 laptop rollback --yes web1
soon serves mine /

# A dead end is one here too.
sed -i "s,^$(on 2 address) .*,$(on 2 address) $(host_key 1)," "$LAPTOP_HOME/.ssh/known_hosts"
assert_exit 4 laptop plan web2
assert_contains "$OUTPUT" "REMOTE HOST IDENTIFICATION HAS CHANGED"
