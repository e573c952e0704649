# Three raw hosts become web servers in one push, as a user with sudo, each with values of its own. The second push changes and
# writes nothing. Drift on one of them is planned, repaired and rolled back. The other verbs work over a push too.
# hosts: 3
. "$LAB/laptop.sh"

paths=(/srv/page /etc/nginx /etc/passwd /etc/shadow /etc/group /etc/gshadow /var/lib/dpkg/status)
everywhere() { for number in 1 2 3; do on $number "$@"; done; }
state() { fingerprint "${paths[@]}"; }
# started_by COMMAND…: runs it; the names of the programs that the first host's sshd and all below it started meanwhile are left in
# $LAPTOP/started, one a line.
started_by() {
    local sshd status=0 tracer
    sshd=$(pgrep -x -P "${LAB_INIT_LIST[0]}" sshd)
    rm -f "$LAPTOP"/trace.*
    strace -qq -ff -e trace=execve -e signal=none -o "$LAPTOP/trace" -p "$sshd" &
    tracer=$!
    soon grep -q "^TracerPid:.*$tracer" "/proc/$sshd/status"
    "$@" || status=$?
    # It would wait for ever for a process that ends just then.
    kill -KILL "$tracer"
    wait "$tracer" || true
    sed -nE 's,^execve\("[^"]*/([^"]*)".* = 0$,\1,p' "$LAPTOP"/trace.* | sed 's/\(keel-agent\)-.*/\1/' | LC_ALL=C sort >"$LAPTOP/started"
    return "$status"
}
laptop_knows web1 web2 web3

# Nothing that only looks changes a host, but for the agent in its own directory.
before=$(everywhere state)
assert_exit 2 laptop plan 'web*'
assert_contains "$OUTPUT" "+Avast from push2"
assert_exit 2 laptop rehearse web2
assert_contains "$OUTPUT" "nginx-light"
assert_eq "$before" "$(everywhere state)" "plan or rehearse changed something"
assert_exit 1 host dpkg-query -W nginx-light
assert_eq "700 root:root" "$(host_sh 'stat -c "%a %U:%G" /var/lib/evenkeel /var/lib/evenkeel/bin/keel-agent-*' | sort -u)"
assert_eq "" "$(host_sh 'find /var/lib/evenkeel/runs -mindepth 1 2>&- || true')" "nothing was run"

assert_exit 0 laptop apply --yes @web
soon serves "Ahoy from push1" /
on 2 soon serves "Avast from push2" :8080/
on 3 soon serves "Ahoy from push3" /
assert_eq "ann ann ben" "$(everywhere host stat -c %U /srv/page/index.html | xargs)"
assert_eq "active enabled" "$(everywhere host_sh 'systemctl is-active nginx; systemctl is-enabled nginx' | sort -u | xargs)"
assert_eq "$(host_sh 'sha256sum <"$(echo /var/lib/evenkeel/bin/keel-agent-*)" | cut -c1-64')" \
    "$(host_sh 'ls /var/lib/evenkeel/bin | sed s/keel-agent-//')" "the agent goes by its digest"

# The agents of older versions go when nobody needs them any more.
old=/var/lib/evenkeel/bin/keel-agent-$(printf 0%.0s {1..64})
host_sh 'touch -d "-1 day" "$1"; touch /var/lib/evenkeel/bin/mine' "$old"
assert_exit 0 laptop plan @web
assert_exit 1 host test -e "$old"
host rm /var/lib/evenkeel/bin/mine

# Once more: not a byte, not a time; and beyond what each login starts no program but those on the way to the agent.
started_by laptop_runs ssh web1 true
mv "$LAPTOP/started" "$LAPTOP/login"
before=$(everywhere snapshot "${paths[@]}" /var/lib/evenkeel/runs)
assert_exit 0 started_by laptop apply --yes --no-keep @web
assert_contains "$OUTPUT" "unchanged"
assert_eq "$before" "$(everywhere snapshot "${paths[@]}" /var/lib/evenkeel/runs)" "the second apply wrote"
assert_eq "keel-agent ls sh sh sha256sum sudo" "$(LC_ALL=C comm -13 "$LAPTOP/login" "$LAPTOP/started" | xargs)" "programs of a no-op"

# Drift on one of three, by hand: planned as a diff, repaired, and brought back to the very bytes, mode and owner.
on 2 host_sh 'cd /srv/page; printf Belay >index.html; chmod 0606 index.html; chown ann:adm index.html'
drifted=$(on 2 state) before=$(everywhere state)
assert_exit 2 laptop plan 'web*'
for part in "web2" "+Avast from push2" "0606 -> 0644"; do assert_contains "$OUTPUT" "$part" "the plan lacks"; done
assert_lacks "$OUTPUT" "Ahoy"
assert_eq "$before" "$(everywhere state)" "the plan changed something"
assert_exit 2 typed "[y/N]" n -- apply @web
assert_eq "$before" "$(everywhere state)" "the answer was no"
assert_exit 0 typed "[y/N]" y -- apply @web
assert_exit 0 laptop plan @web
on 2 soon serves "Avast from push2" :8080/
assert_exit 2 laptop rollback --plan web2
assert_exit 0 laptop rollback --yes web2
assert_eq "$drifted" "$(on 2 state)" "not rolled back"

# What a program reads has the name of its host in each line.
assert_exit 2 laptop plan --format json @web
assert_eq "web1 web2 web3" "$(jq -r 'select(.host).host' <<<"$OUTPUT" | LC_ALL=C sort -u | xargs)"
assert_eq web2 "$(jq -r 'select(.event == "fleet").changed[]' <<<"$OUTPUT")"

# What was done, and what the hosts are.
assert_exit 0 laptop history web2
assert_contains "$OUTPUT" "rollback"
assert_exit 0 laptop show web2
assert_contains "$OUTPUT" "/srv/page/index.html"
assert_exit 0 laptop facts 'web*'
for name in push1 push2 push3; do assert_contains "$OUTPUT" "$name"; done
