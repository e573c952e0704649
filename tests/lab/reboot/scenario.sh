# A reboot in the middle of a run: the machine really goes down, and the same run goes on when it is up again: same number, same journal,
# same events, the choice of resources kept, what is secret on no disk meanwhile; who pushed sees its end. Then the power is cut while it
# goes down, and the run goes on all the same.
. "$LAB/laptop.sh"

laptop_knows box
boot_id() { host cat /proc/sys/kernel/random/boot_id; }
is_back() { [[ $(boot_id 2>/dev/null) != "$1" ]] && host true 2>/dev/null; }
has_ended() { host_sh 'tail -n 1 "/var/lib/evenkeel/runs/$1/events" | grep -q "\"event\":\"report\""' "$1" 2>/dev/null; }
unit=/etc/systemd/system/evenkeel-boot.service
planted=planted-hunter2

# ---- a reboot that is asked for ----------------------------------------------------------------------------

first=$(boot_id)
assert_exit 0 laptop apply --yes --skip later box
soon has_ended 000001
second=$(boot_id)
[[ $first != "$second" ]] || lab_fail "the machine was not rebooted"

assert_eq "000001" "$(host ls /var/lib/evenkeel/runs)" "one run"
assert_eq "before" "$(host cat /etc/box.conf)"
assert_eq "$planted" "$(host cat /etc/box.secret)"
assert_eq "600" "$(host stat -c %a /etc/box.secret)"
host dpkg-query -W tree bc >/dev/null
assert_eq "$second" "$(host cat /root/after.log)" "what comes after the reboot was done after it, once"
assert_eq "absent" "$(fingerprint /etc/left-out | cut -f2)" "what was left out stayed so"
assert_eq "started $first
started $second" "$(host cat /root/box.log)" "the service started once before the reboot and once at boot"

# Nothing of it stays.
host_sh '! ls "$1" /etc/systemd/system/multi-user.target.wants/evenkeel-boot.service /var/lib/evenkeel/bin/boot \
    /var/lib/evenkeel/runs/*/goes-on 2>/dev/null' "$unit"
assert_eq "" "$(host_sh 'grep -rlF "$1" /var/lib/evenkeel /run /tmp 2>/dev/null || true' "$planted")" "the secret is in no file but its own"

# The events are those of one run: every number once, the reboot among them, the report last.
events=$(host cat /var/lib/evenkeel/runs/000001/events)
assert_eq "$(seq 0 $(($(wc -l <<<"$events") - 1)))" "$(grep -o '"seq":[0-9]*' <<<"$events" | cut -d: -f2)" "every number once"
assert_eq "1 1 1" "$(for event in rebooting resumed report; do grep -c "\"event\":\"$event\"" <<<"$events"; done | xargs)"
assert_contains "$(tail -n 1 <<<"$events")" '"event":"report","run":"1"'
assert_eq "" "$(grep -o '"event":"node","id":"[^"]*"' <<<"$events" | sort | uniq -d)" "no resource is told twice"

# A second apply has nothing to do, and reboots nothing.
assert_exit 0 laptop apply --yes --skip later box
assert_eq "$second" "$(boot_id)"
assert_exit 0 laptop history box
assert_contains "$OUTPUT" "went on after a reboot"

# ---- the power is cut while it goes down -------------------------------------------------------------------

host rm -rf /var/lib/evenkeel/rebooted /root/after.log /etc/box.secret
# A unit that does not stop holds the machine up, so that there is time to cut its power.
host_sh 'printf "[Service]\nExecStart=/bin/sh -c \"trap : TERM; while :; do sleep 1; done\"\nTimeoutStopSec=120\n" >/etc/systemd/system/slow.service
    systemctl daemon-reload && systemctl start slow.service'
laptop apply --yes --skip later box >"$LAPTOP/cut.log" 2>&1 &
pushing=$!
# Nobody gets in any more by then: it is looked at from outside.
soon test -e "$(folder)/root/var/lib/evenkeel/runs/000002/goes-on"
assert_eq "" "$(grep -rlF "$planted" "$(folder)/root/var/lib/evenkeel" || true)" "no secret lies there while the machine is down"
power_cycle
soon is_back "$second"
soon has_ended 000002
wait "$pushing" || lab_fail "whoever pushed did not come back: $(cat "$LAPTOP/cut.log")"
third=$(boot_id)
assert_eq "$third" "$(host cat /root/after.log)" "it went on after the power was cut"
assert_eq "$planted" "$(host cat /etc/box.secret)"
host_sh '! ls "$1" /var/lib/evenkeel/runs/*/goes-on 2>/dev/null' "$unit"

# ---- the run is rolled back ---------------------------------------------------------------------------------

laptop rollback --yes 2 box >"$LAPTOP/back.log" 2>&1 || true
assert_eq "absent" "$(fingerprint /etc/box.secret | cut -f2)" "what was done after the reboot is undone as well"
assert_eq "$third" "$(boot_id)" "a rollback reboots nothing"
