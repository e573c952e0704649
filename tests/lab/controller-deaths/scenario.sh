# The laptop's keel is killed at twenty points of a run. The run goes on; the next call says so, and tells the rest of it: nothing is missing, and nothing
# is told twice but the one event that was being told as keel died.
# hosts: 4
. "$LAB/laptop.sh"

laptop_knows died1 died2 died3 died4

# at_point N POINT: keel dies so many tenths of a second after the first step of a run of the N-th host.
at_point() {
    local host=died$1 point=$2 log=$LAPTOP/$1.json pid
    host rm -f /root/steps /root/go-on
    laptop apply --yes --format json "$host" </dev/null >"$log" 2>"$log.err" &
    pid=$!
    soon host test -e /root/steps
    sleep "$((point / 10)).$((point % 10))"
    kill -9 "$(pgrep -f "^[^ ]*keel apply --yes --format json $host\$")"
    wait "$pid" && lab_fail "keel has not died"
    touch "$(folder)/root/root/go-on"
    status=0
    laptop attach --format json "$host" >"$log.2" 2>"$log.err" || status=$?
    assert_eq 0 "$status" "point $point of $host: $(cat "$log" "$log.2" "$log.err")"
    assert_eq 20 "$(host_sh 'wc -l </root/steps')" "every step once, at point $point:"
    events "$log" >"$log.told"
    events "$log.2" >"$log.rest"
    [[ $(tail -n 1 "$log.told") != "$(head -n 1 "$log.rest")" ]] || sed -i 1d "$log.rest"
    host_sh 'cat "$(ls -d /var/lib/evenkeel/runs/*/ | tail -n 1)events"' >"$log.run"
    assert_eq "$(jq -c . "$log.run")" "$(cat "$log.told" "$log.rest")" "point $point of $host: what was told is not what the run has said:"
    [[ -s $log.rest ]] && echo found >>"$LAPTOP/found"
}

events() { jq -c 'select(.event != "push" and .event != "fleet") | del(.host)' "$1"; }
on_host() { local number=$1; shift; for point in "$@"; do on "$number" at_point "$number" "$point"; done; }

pids=()
on_host 1 0 4 8 12 16 & pids+=($!)
on_host 2 1 5 9 13 17 & pids+=($!)
on_host 3 2 6 10 14 18 & pids+=($!)
on_host 4 3 7 11 15 19 & pids+=($!)
for pid in "${pids[@]}"; do wait "$pid"; done
assert_eq 20 "$(wc -l <"$LAPTOP/found")" "runs that outlived their keel:"
assert_eq keep "$(ls "$LAPTOP_HOME/.local/state/evenkeel")" "what was lost is still kept"
