# A connection is kept for the next call, and it never matters that it was: the second plan logs in nowhere; a host that was rebooted, one whose
# network fell silent, and a keeper that was killed cost a login and nothing else; nobody else gets at it; and it ends by itself. So does the agent that
# waits on the host for the next call, which then needs no digest; one that is killed is no matter. The same one serves calls that change nothing.
# hosts: 2
. "$LAB/laptop.sh"

laptop_knows one two
logins() { host_sh 'journalctl --sync; journalctl --boot -u ssh --no-pager -o cat | grep -c "Accepted publickey for admin" || true'; }
# connections: those of the user that the host's sshd has.
connections() { host_sh 'pgrep -fc "^sshd: admin@" || true'; }
are() { [[ $("$1") == "$2" ]]; }
boot_id() { host cat /proc/sys/kernel/random/boot_id; }
is_back() { [[ $(boot_id 2>/dev/null) != "$1" ]] && host true 2>/dev/null; }
# spares: the agents of the host that wait for a call.
spares() { host_sh 'pgrep -fc "^[^ ]*/keel-agent-[0-9a-f]{64} serve spare [0-9]+$" || true'; }
spare() { host_sh 'pgrep -f "^[^ ]*/keel-agent-[0-9a-f]{64} serve spare [0-9]+$"'; }
elevations() { host_sh 'journalctl --sync; journalctl --boot -t sudo --no-pager -o cat | grep -c COMMAND= || true'; }
keepers() { pgrep -f "^[^ ]*keel keep-connections $LAPTOP_HOME/" || true; }
are_gone() { [[ -z $(keepers) ]]; }
keep=$LAPTOP_HOME/.local/state/evenkeel/keep

# The second call and the third are served over the connection of the first; a descriptor that the first had, and with it a lock, is not held on.
exec 9>"$LAPTOP/lock"
flock 9
assert_exit 0 laptop apply --yes one two
exec 9>&-
[[ -n $(keepers) ]] || lab_fail "nobody keeps the connections"
flock --nonblock "$LAPTOP/lock" true || lab_fail "the lock is held on"
are connections 1 || lab_fail "there are $(connections) connections"
before=$(logins)
host_sh 'echo mine >/etc/mark'

# The agent of the second call is there before it, holds nothing, and was checked: the host needs no sha256sum for that call, nor for those after it that
# follow each other without a pause. The one that is started when that agent is gone does.
soon are spares 1
assert_eq 1 "$(host_sh 'ls /var/lib/evenkeel/runs | wc -l')"
assert_eq "" "$(host_sh 'grep " $(pgrep -f "serve spare [0-9]+$") " /proc/locks || true')" "the spare holds a lock"
host mv /usr/bin/sha256sum /usr/bin/sha256sum.away
pid=$(spare) became_root=$(elevations)
assert_exit 2 laptop plan one
plan=$OUTPUT
for _ in 1 2 3 4 5; do
    assert_exit 2 laptop plan one
    assert_eq "$plan" "$OUTPUT" "another plan by the agent that stayed"
done
soon are spares 1
assert_eq "$pid keel-agent" "$(spare) $(host cat "/proc/$pid/comm")" "it is another agent"
assert_eq "$became_root" "$(elevations)" "somebody became root"
assert_eq "" "$(host_sh "grep ' $pid ' /proc/locks || true")" "the agent that stayed holds a lock"
host kill -KILL "$pid"
assert_exit 1 laptop plan one
assert_contains "$OUTPUT" sha256sum
assert_eq 0 "$(spares)"
host mv /usr/bin/sha256sum.away /usr/bin/sha256sum

# One that is killed, and one whose program was put there anew, are no matter.
assert_exit 2 laptop plan one
for befalls in 'pkill -KILL -f "serve spare [0-9]+$"' 'cd /var/lib/evenkeel/bin; cp -p keel-agent-* new; mv new keel-agent-*'; do
    soon are spares 1
    host_sh "$befalls"
    assert_exit 2 laptop plan one
    assert_eq "$plan" "$OUTPUT" "after $befalls"
done

# After a change it is another one.
soon are spares 1
pid=$(spare)
assert_exit 0 laptop apply --yes one
assert_eq "kept" "$(host cat /etc/mark)"
soon are spares 1
[[ $(spare) != "$pid" ]] || lab_fail "the agent that changed the host has stayed"
assert_exit 0 laptop apply --yes one
assert_eq "$before" "$(logins)" "there was another login"

# It is its owner's alone.
assert_eq "700 root" "$(stat -c '%a %U' "$keep")"
assert_eq "600" "$(find "$keep" -type s -printf '%m\n' | sort -u)"
assert_eq 2 "$(find "$keep" -type s | wc -l)"

# Who does not want it has a login.
assert_exit 0 laptop plan --no-keep one
assert_eq "$((before + 1))" "$(logins)" "--no-keep did not log in"

# The network falls silent for what there is, and lets in what is new.
assert_exit 0 laptop plan one
before=$(logins)
lets_go
is_alone() { port=$(network ss -Htn state established sport = :22 | awk '{ sub(".*:", "", $4); print $4 }') && [[ $port =~ ^[0-9]+$ ]]; }
soon is_alone
network iptables -A INPUT -p tcp --dport 22 --sport "$port" -j DROP
start=$SECONDS
assert_exit 0 laptop plan one
((SECONDS - start < 10)) || lab_fail "it took $((SECONDS - start)) s"
assert_eq "$((before + 1))" "$(logins)"
network iptables -D INPUT -p tcp --dport 22 --sport "$port" -j DROP

# Whoever keeps them is killed.
before=$(logins)
soon are spares 1
kill -9 $(keepers)
soon are spares 0
host_sh 'echo mine >/etc/mark'
assert_exit 0 laptop apply --yes one
assert_eq "kept" "$(host cat /etc/mark)"
assert_eq "$((before + 1))" "$(logins)"

# The host was rebooted meanwhile. What is kept from here on is kept for a few seconds.
printf 'Host *\n    ControlPersist 5\n' >>"$LAPTOP_HOME/.ssh/config"
host_sh 'echo mine >/etc/mark'
first=$(boot_id)
power_cycle
soon is_back "$first"
assert_exit 0 laptop apply --yes one
assert_eq "kept" "$(host cat /etc/mark)"

# And some time after the last use it is gone.
soon are connections 0
soon are spares 0
soon are_gone
