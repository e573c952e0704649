# Two pushes at one host at once: one runs; the other says who has it, since when and why, and ends with 6, or waits and goes on. A
# holder that dies holds nobody up.
# hosts: 1
. "$LAB/laptop.sh"

laptop_knows shared
first() { { laptop apply --yes shared </dev/null >"$LAPTOP/first" 2>&1 && echo 0 >"$LAPTOP/status" || echo $? >"$LAPTOP/status"; } & }

first
soon host test -e /run/began
assert_exit 6 laptop apply --yes shared
assert_contains "$OUTPUT" "run 1, apply shared"
assert_contains "$OUTPUT" "process "
assert_contains "$OUTPUT" "since 20"
assert_exit 6 laptop apply --yes --wait=2 shared
assert_contains "$OUTPUT" "run 1, apply shared"
assert_eq first "$(host cat /run/began)" "only one has begun"

# The second one waits, says so, and goes on once the first has ended.
{ laptop apply --yes --wait=120 shared </dev/null >"$LAPTOP/second" 2>&1 && echo 0 >"$LAPTOP/second.status" || echo $? >"$LAPTOP/second.status"; } &
soon grep -q "run 1, apply shared" "$LAPTOP/second"
host touch /run/go
wait
assert_eq "0 0" "$(cat "$LAPTOP/status") $(cat "$LAPTOP/second.status")" "$(cat "$LAPTOP/first" "$LAPTOP/second")"
assert_eq $'first\nfirst' "$(host cat /run/ended)" "one after the other"

# Killed in the middle: the lock is free at once.
host rm -f /run/go /run/began /run/ended
first
soon host test -e /run/began
host_sh 'pkill -9 keel-agent || pkill -9 -f keel-agent; touch /run/go'
assert_exit 0 laptop apply --yes --wait=5 shared
wait
