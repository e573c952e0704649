# Hosts that this machine has no way to are reached through others by ProxyJump, one hop and two; each hop's host key is checked.
# hosts: 3 small
. "$LAB/laptop.sh"

behind 1 2 10.213.254
behind 2 3 10.213.253
laptop_knows gate inner vault
for number in 2 3; do
    if timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/22"' "$(on $number address)" 2>&-; then
        lab_fail "host $number can be reached without a jump"
    fi
done

assert_exit 0 laptop apply --yes inner
assert_eq push-jump2 "$(on 2 host cat /etc/mark)"
assert_exit 0 laptop apply --yes '*'
assert_eq "push-jump1 push-jump2 push-jump3" "$(for number in 1 2 3; do on $number host cat /etc/mark; done | xargs)"
assert_exit 0 laptop plan '*'

# What a jump's sshd says is checked like any other: another key there, and the host behind it is not reached.
sed -i "s,^$(address) .*,$(address) $(host_key 2)," "$LAPTOP_HOME/.ssh/known_hosts"
assert_exit 4 laptop plan vault
assert_contains "$OUTPUT" "REMOTE HOST IDENTIFICATION HAS CHANGED"
assert_contains "$OUTPUT" "gate"

# The inventory can say it too.
laptop_knows gate inner vault
sed -i /ProxyJump/d "$LAPTOP_HOME/.ssh/config"
LAPTOP_SITE=$LAPTOP/site
cp -r site "$LAPTOP_SITE"
sed -i 's/^\[host.vault\]/&\nproxy_jump = "gate,inner"/' "$LAPTOP_SITE/hosts.toml"
assert_exit 0 laptop plan vault

# And a file alone, without any inventory, for a host as ssh names it.
host_sh 'echo mine >/etc/mark'
assert_exit 0 laptop apply --yes -f roles/mark.toml "admin@$(address):22"
assert_eq push-jump1 "$(host cat /etc/mark)"
