# A run that has begun is the host's own: no end of a login session ends it, whoever comes to watch hears all of it, and who wants the host
# meanwhile is told who has it.
# hosts: 1
. "$LAB/laptop.sh"

laptop_knows own
sed -i '1i Host *\n    ServerAliveInterval 2\n    ServerAliveCountMax 2\n    ConnectTimeout 3' "$LAPTOP_HOME/.ssh/config"
there() { host test -e "$1"; }
# The process that carries out the run: the one that has the lock open.
runner() { host sed 's/.*"pid":\([0-9]*\).*/\1/' /var/lib/evenkeel/lock; }
cgroup() { host cat "/proc/$1/cgroup"; }
begin() {
    host rm -rf /run/began /run/go /run/waited /etc/before /etc/after
    { laptop apply --yes own </dev/null >"$LAPTOP/log" 2>&1 && echo 0 >"$LAPTOP/status" || echo $? >"$LAPTOP/status"; } &
    soon there /run/began
}
events_of() { host_sh "cat /var/lib/evenkeel/runs/00000$1/events"; }
heard() { jq -c 'select(.event != "push" and .event != "fleet") | del(.host)' "$1"; }

# It has a place of its own, with all that it starts, and what it became root by. The user's manager stays: on its way out it would take
# those who log in meanwhile along.
host_sh 'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y libpam-systemd >/dev/null 2>&1
    mkdir -p /etc/systemd/logind.conf.d; printf "[Login]\nKillUserProcesses=yes\nUserStopDelaySec=infinity\n" >/etc/systemd/logind.conf.d/kill.conf; systemctl restart systemd-logind'
lets_go
begin
pid=$(runner)
assert_contains "$(cgroup "$pid")" /keel-run-1.scope
for other in $(host pgrep -f 'until test -e /run/go') $(host pgrep -x sudo); do
    assert_contains "$(cgroup "$other")" /keel-run-1.scope "what belongs to the run:"
done
assert_eq "$pid" "$(host ps -o sid= -p "$pid" | tr -d ' ')" "its session is its own:"

# Nothing that ends a session, or sshd, ends it. The laptop loses it and finds it again.
sessions=$(host loginctl list-sessions --no-legend | awk '$3 == "admin" { print $1 }')
[[ -n $sessions ]]
for session in $sessions; do host loginctl terminate-session "$session" || true; done
host_sh 'systemd-run --quiet --on-active=4 systemctl start ssh; pkill -9 -f "^sshd: admin@" || true; systemctl stop ssh'
# With libpam-systemd a login waits until the user manager of the session before has gone.
SOON=180 soon afresh host true 2>&-
host test -d "/proc/$pid"
assert_eq "" "$(host_sh 'test ! -e /run/waited || echo waited')"

# Who comes to watch hears all of it, from the plan on, while it goes.
{ laptop attach --all --format json 1 own </dev/null >"$LAPTOP/watched" 2>&1 && echo 0 >"$LAPTOP/watched.status" || echo $? >"$LAPTOP/watched.status"; } &
watching=$!
host touch /run/go
wait "$watching"
assert_eq 0 "$(cat "$LAPTOP/watched.status")" "$(cat "$LAPTOP/watched")"
wait
assert_eq 0 "$(cat "$LAPTOP/status")" "$(cat "$LAPTOP/log")"
there /etc/after
assert_eq "$(events_of 1 | jq -c .)" "$(heard "$LAPTOP/watched")" "what was told is what the run has said:"

# Whoever dies is said to be cut off.
begin
host kill -9 "$(runner)"
wait
assert_exit 1 laptop attach --all own
assert_contains "$OUTPUT" "run 2 was cut off"
host touch /run/go

# A lock of people.
assert_exit 0 laptop lock --reason "the disk is replaced" --for 1h own
assert_exit 6 laptop apply --yes own
assert_contains "$OUTPUT" "the disk is replaced"
assert_exit 1 there /etc/after
assert_contains "$(laptop locks own)" "everything: locked by "
assert_exit 0 laptop unlock own
assert_exit 0 laptop lock --reason "by hand" --for 1h --resource 'file./etc/after' --as ann own
assert_exit 6 laptop apply --yes own
assert_contains "$OUTPUT" "locked by ann until"
there /run/waited
assert_exit 1 there /etc/after
assert_exit 0 laptop unlock own
assert_exit 0 laptop apply --yes own
there /etc/after
