# The network goes away at twenty points of a run, by packets that are dropped or answered with a reset. The run goes on; the laptop finds it
# again, tells each event just once, in order, and ends as the run did.
# hosts: 4
. "$LAB/laptop.sh"

laptop_knows cut1 cut2 cut3 cut4
sed -i '1i Host *\n    ServerAliveInterval 2\n    ServerAliveCountMax 2\n    ConnectTimeout 3' "$LAPTOP_HOME/.ssh/config"

# at_point N POINT: a run of the N-th host that is cut off so many tenths of a second after its first step.
at_point() {
    local host=cut$1 point=$2 log=$LAPTOP/$1.json status=0 pid answer=(DROP)
    ((point % 2)) || answer=(REJECT --reject-with tcp-reset)
    host rm -f /root/steps /root/go-on
    laptop apply --yes --format json "$host" </dev/null >"$log" 2>"$log.err" &
    pid=$!
    soon host test -e /root/steps
    sleep "$((point / 10)).$((point % 10))"
    lets_go
    network iptables -A INPUT -p tcp --dport 22 -j "${answer[@]}"
    sleep 5
    network iptables -D INPUT -p tcp --dport 22 -j "${answer[@]}"
    touch "$(folder)/root/root/go-on"
    wait "$pid" || status=$?
    assert_eq 0 "$status" "point $point of $host: $(cat "$log" "$log.err")"
    assert_eq 20 "$(host_sh 'wc -l </root/steps')" "every step once, at point $point:"
    jq -c 'select(.event != "push" and .event != "fleet") | del(.host)' "$log" >"$log.told"
    host_sh 'cat "$(ls -d /var/lib/evenkeel/runs/*/ | tail -n 1)events"' >"$log.run"
    assert_eq "$(jq -c . "$log.run")" "$(cat "$log.told")" "point $point of $host: what was told is not what the run has said:"
    jq -r 'select(.event == "push") | .text' "$log" | grep -c 'is attached to again' >>"$LAPTOP/found" || true
}

on_host() { local number=$1; shift; for point in "$@"; do on "$number" at_point "$number" "$point"; done; }

pids=()
on_host 1 0 4 8 12 16 & pids+=($!)
on_host 2 1 5 9 13 17 & pids+=($!)
on_host 3 2 6 10 14 18 & pids+=($!)
on_host 4 3 7 11 15 19 & pids+=($!)
for pid in "${pids[@]}"; do wait "$pid"; done
# The cut has to have been felt, or nothing was shown.
assert_eq 20 "$(grep -vc '^0$' "$LAPTOP/found")" "runs that were lost and found:"
