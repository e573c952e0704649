# The connection breaks, the agent dies, the laptop dies. Before the commit point the host is as it was; after it the run is the
# host's own, and whoever lost it finds it again.
# hosts: 1
. "$LAB/laptop.sh"

hang_up() { host_sh 'kill -9 $(pgrep -f "^sshd: admin@")'; }
hang_up_and_agree() { hang_up; echo y; }
agents() { host_sh 'ls /var/lib/evenkeel/bin 2>&- || true'; }
# running: whether an agent serves. One that waits for the next call has one thread.
running() {
    host_sh 'for pid in $(pgrep -f "^[^ ]*keel-agent[^ ]* serve"); do
        [[ $(ls "/proc/$pid/task" 2>&- | wc -l) -lt 2 ]] || exit 0
    done; exit 1'
}
at_rest() { ! running; }
there() { host test -e "$1"; }
bytes_arrived() { [[ -n $(find "$(folder)/root/var/lib/evenkeel/bin" -type f -size +100k 2>&-) ]]; }
# begin: an apply in the background; its output goes to $LAPTOP/log, its status to $LAPTOP/status.
begin() {
    { laptop apply --yes cut </dev/null >"$LAPTOP/log" 2>&1 && echo 0 >"$LAPTOP/status" || echo $? >"$LAPTOP/status"; } &
}
fresh() { host rm -rf /run/began /run/go /run/waited /etc/before /etc/after; }
laptop_knows cut

# While the agent comes: half of one is no agent. The link is slow enough to be cut in the middle.
IFS=. read -r _ _ net last <<<"$(address)"
tc qdisc add dev "vb-k$net-$last" root tbf rate 4mbit burst 32k latency 400ms
begin
soon bytes_arrived
hang_up
tc qdisc del dev "vb-k$net-$last" root
wait
assert_contains "$(cat "$LAPTOP/log")" "uploading the agent"
assert_lacks "$(agents)" keel-agent- "half an agent has the name of one:"
assert_eq 1 "$(cat "$LAPTOP/status")"

# At the question: it is answered, but nobody hears it any more.
assert_exit 1 typed "[y/N]" !hang_up_and_agree -- apply cut
assert_contains "$OUTPUT" "nothing had been changed"
assert_eq keel-agent "$(agents | cut -c1-10)" "the agent, and nothing left of the half one"
soon at_rest
assert_exit 1 there /etc/before
assert_eq "" "$(host_sh "find /var/lib/evenkeel/runs -mindepth 1 2>&- || true")"

# In the middle of the run: it is found again, over a new connection, and heard to its end.
begin
soon there /run/began
hang_up
soon grep -q 'is attached to again' "$LAPTOP/log"
running
assert_exit 6 laptop apply --yes cut
host touch /run/go
wait
assert_eq 0 "$(cat "$LAPTOP/status")" "$(cat "$LAPTOP/log")"
there /etc/after
soon at_rest
assert_eq report "$(host_sh "tail -n 1 /var/lib/evenkeel/runs/*1/events" | jq -r .event)" "the host's own record of it has an end"
before=$(snapshot /etc/before /etc/after /var/lib/evenkeel/runs)
assert_exit 0 laptop apply --yes cut
assert_eq "$before" "$(snapshot /etc/before /etc/after /var/lib/evenkeel/runs)" "the next push wrote"

# When it is the laptop that dies, its next call says so, and sees the end of the run before it begins anything.
fresh
begin
soon there /run/began
kill -9 "$(cat "$LAPTOP_PID")"
wait
running
assert_exit 0 laptop facts cut
assert_contains "$OUTPUT" 'was lost sight of: `keel attach 2 cut`'
begin
soon grep -q 'it is attached to first' "$LAPTOP/log"
host touch /run/go
wait
assert_eq 0 "$(cat "$LAPTOP/status")" "$(cat "$LAPTOP/log")"
there /etc/after
assert_eq keep "$(ls "$LAPTOP_HOME/.local/state/evenkeel")" "what was lost is still kept"

# And when the network falls silent: who asks whether the host is still there gets no answer.
fresh
sed -i '1a\    ServerAliveInterval 2\n    ServerAliveCountMax 2' "$LAPTOP_HOME/.ssh/config"
begin
soon there /run/began
lets_go
network iptables -A INPUT -p tcp --dport 22 -j DROP
soon grep -q 'is attached to again' "$LAPTOP/log"
network iptables -D INPUT -p tcp --dport 22 -j DROP
host touch /run/go
wait
assert_eq 0 "$(cat "$LAPTOP/status")" "$(cat "$LAPTOP/log")"
there /etc/after
soon at_rest
assert_exit 0 laptop plan cut

# The agent itself is killed: that is said; the next run takes up the rest.
fresh
begin
soon there /run/began
host_sh 'kill -9 $(pgrep -f "^[^ ]*keel-agent[^ ]* serve")'
wait
assert_eq 1 "$(cat "$LAPTOP/status")"
assert_contains "$(cat "$LAPTOP/log")" "was cut off; the next run takes up what it left"
assert_exit 1 there /etc/after
host touch /run/go
assert_exit 0 laptop apply --yes cut
there /etc/after
assert_exit 0 laptop plan cut
