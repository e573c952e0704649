# Four ways to lock oneself out: sshd's configuration, the firewall, sudoers, one's own key. Each host is in reach again by itself, keel says
# `reverted` and ends with 5. So it does where the watcher is killed, and where the host's power is cut in the window. What can be confirmed
# stays.
# hosts: 4
. "$LAB/laptop.sh"

laptop_knows sshd firewall sudoers keys
files=(/etc/ssh /etc/sudoers /etc/sudoers.d /home/admin/.ssh /etc/nftables.conf)
everywhere() { for number in 1 2 3 4; do on $number "$@"; done; }
state() { fingerprint "${files[@]}"; }
# comes_in HOST: a fresh login that becomes root.
comes_in() { [[ $(laptop_runs ssh -o BatchMode=yes -o ConnectTimeout=2 "$1" sudo -n id -u 2>&1) == 0 ]]; }
# inside ARGV…: on the first host, by no way that a run could close.
inside() { nsenter --all --target "${LAB_INIT_LIST[0]}" "$@"; }
# waits: a run of the first host has ended, and is not confirmed.
waits() { [[ $(cat "$(folder)/root/var/lib/evenkeel/pending" 2>&-) == *waiting* ]]; }
# watcher: who watches over the run of the first host.
watcher() { cat "$(folder)/root/var/lib/evenkeel/watch.lock" 2>&-; }
is_another() { [[ -n $(watcher) && $(watcher) != "$1" ]]; }
told() { host_sh 'tail -n 1 "/var/lib/evenkeel/runs/$1/events"' "$1"; }
is_settled() { host_sh '[[ ! -e /var/lib/evenkeel/pending ]]'; }

# A clean firewall to begin with, so that it is the rules alone that lock out.
on 2 host_sh 'apt-get -qq update && apt-get -qq install -y nftables >/dev/null 2>&1'
before=$(everywhere state)
everywhere lets_go
start=$SECONDS
assert_exit 5 laptop apply --yes --confirm 6s '*'
for name in sshd firewall sudoers keys; do
    assert_contains "$OUTPUT" "$name"
    comes_in "$name" || lab_fail "$name is not in reach"
done
((SECONDS - start < 90)) || lab_fail "it took $((SECONDS - start)) s"
assert_contains "$OUTPUT" "reverted"
assert_eq "$before" "$(everywhere state)" "not all is as it was"
for number in 1 2 3 4; do assert_contains "$(on $number told 000001)" '"event":"reverted"'; done
assert_eq "" "$(everywhere host_sh 'ls /etc/systemd/system | grep evenkeel || true')" "the boot unit is left"
assert_eq "" "$(on 2 host nft list ruleset)" "the rules are left"

# What does no harm is confirmed, and stays.
assert_exit 0 laptop apply --yes --set sshd.text="ClientAliveInterval 30" sshd
assert_contains "$OUTPUT" "confirmed"
sleep 1
assert_contains "$(host sshd -T)" "clientaliveinterval 30"
is_settled || lab_fail "it still waits"
good=$(state)

# The watcher is killed again and again in the window.
laptop apply --yes --confirm 8s --set sshd.text="AllowUsers nobody" sshd >"$LAPTOP/killed.log" 2>&1 &
pushed=$!
soon waits
for _ in 1 2 3; do
    inside systemctl kill --signal=KILL 'keel-watch-*.service'
    sleep 1.5
done
status=0
wait "$pushed" || status=$?
assert_eq 5 "$status" "$(<"$LAPTOP/killed.log")"
soon comes_in sshd
assert_eq "$good" "$(state)"

# The host loses its power in the window, and comes up with what locks out.
laptop apply --yes --confirm 8s --set sshd.text="AllowUsers nobody" sshd >"$LAPTOP/down.log" 2>&1 &
pushed=$!
soon waits
before=$(watcher)
power_cycle
# It loses it again, and with it a half of what says which run waits.
soon is_another "$before"
printf '{"run":7,"win' >"$(folder)/root/var/lib/evenkeel/pending"
power_cycle
status=0
wait "$pushed" || status=$?
assert_eq 5 "$status" "$(<"$LAPTOP/down.log")"
soon comes_in sshd
assert_eq "$good" "$(state)"
assert_eq "" "$(host_sh 'ls /etc/systemd/system | grep evenkeel || true')" "the boot unit is left"
