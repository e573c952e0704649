# The main job: a raw host becomes a web server. The plan says what will happen and nothing happens; apply does just
# that; the page is served; the second apply changes nothing and writes nothing; a changed input is one small change.
. "$LAB/lab.sh"

# All that the run is about. The site's own job writes below state/, which is not keel's.
paths=(/srv/example/pages /etc/nginx /etc/systemd/system /etc/passwd /etc/shadow /etc/group /etc/gshadow
    /var/lib/dpkg/status)

# foreseen FILE: of a plan in JSON, what it says for sure: a line for each step, its resource and its op.
foreseen() {
    jq -r 'def word: to_entries[0] | if .key == "unit" then .value.action + "_unit" else .key end;
        select(.event == "plan").nodes[] | select(.verdict | type == "string") | .id as $id
        | (.steps + .refresh)[] | "\($id) \(.op | if type == "string" then . else word end)"' "$1" | LC_ALL=C sort
}

# unsure FILE: the resources of a plan that are not sure.
unsure() { jq -r 'select(.event == "plan").nodes[] | select(.verdict | type == "object").id' "$1" | LC_ALL=C sort; }

# done_by FILE: of the events of an apply, the same lines as `foreseen`, for all that was done.
done_by() {
    jq -r 'select(.event == "node") | .id as $id | .changes[] | "\($id) \(split(" ")[0])"' "$1" | LC_ALL=C sort
}

put "$LAB_WORKSPACE/examples/web" /root/web
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

before=$(fingerprint "${paths[@]}" /srv)
assert_exit 2 keel_on_host plan -f web/site.toml
assert_contains "$OUTPUT" "+<h1>On an even keel</h1>" "the plan shows the page:"
assert_exit 2 keel_on_host plan --format json -f web/site.toml
printf '%s\n' "$OUTPUT" >"$work/plan"
assert_eq "$before" "$(fingerprint "${paths[@]}" /srv)" "the plan changed something"
assert_exit 1 host dpkg-query -W nginx-light

assert_exit 0 keel_on_host apply --format json -f web/site.toml --yes
printf '%s\n' "$OUTPUT" >"$work/apply"
soon fetch :8080/style.css >/dev/null
page=$(fetch :8080/)
assert_contains "$page" "<h1>On an even keel</h1>"
assert_contains "$page" "$(host uname -n)"
assert_eq "$(cat "$LAB_WORKSPACE/examples/web/files/style.css")" "$(fetch :8080/style.css)"
assert_eq "install ok installed" "$(host dpkg-query -W -f '${Status}' nginx-light)"
assert_eq "example:x:/srv/example:/usr/sbin/nologin" "$(host getent passwd example | cut -d: -f1,2,6,7)"
assert_eq "755 example:example" "$(host stat -c '%a %U:%G' /srv/example/state)"
assert_eq "active enabled" "$(host systemctl is-active nginx) $(host systemctl is-enabled nginx)"
timer=example-alive.timer
assert_eq "active enabled" "$(host systemctl is-active $timer) $(host systemctl is-enabled $timer)"
host_sh 'for try in {1..100}; do [[ -s /srv/example/state/alive ]] && exit; sleep 0.1; done; exit 1'
assert_eq "$(host cat /srv/example/state/alive)" "$(fetch :8080/state/alive)"
assert_eq "" "$(host systemctl --failed --no-legend)" "failed units"

# What the plan was sure of was done, and nothing else: but to what nginx brings, of which it said that it cannot know.
assert_contains "$(unsure "$work/plan")" "symlink./etc/nginx/sites-enabled/default"
assert_eq "" "$(unsure "$work/plan" | sed /nginx/d)" "unsure for no reason"
assert_eq "$(foreseen "$work/plan")" "$(done_by "$work/apply" | grep -vFf <(unsure "$work/plan"))"

# Nothing is written by a run that has nothing to do: not a byte, not a time; and nothing is restarted.
before=$(snapshot "${paths[@]}") pid=$(host systemctl show -P MainPID nginx)
started=$(host systemctl show -P ActiveEnterTimestampMonotonic nginx $timer)
assert_exit 0 keel_on_host plan -f web/site.toml
assert_exit 0 keel_on_host apply -f web/site.toml --yes
assert_eq "$before" "$(snapshot "${paths[@]}")" "the second apply wrote"
assert_eq "$pid" "$(host systemctl show -P MainPID nginx)" "the second apply restarted nginx"
assert_eq "$started" "$(host systemctl show -P ActiveEnterTimestampMonotonic nginx $timer)"

# Other inputs: now the plan can know everything, and every line of it is what apply says it did, no more and no less.
other=(-f web/site.toml --set port=80 --set 'title=Aye aye')
assert_exit 2 keel_on_host plan --format json "${other[@]}"
printf '%s\n' "$OUTPUT" >"$work/plan"
assert_exit 2 keel_on_host plan "${other[@]}"
plan=$OUTPUT
assert_exit 0 keel_on_host apply --format json "${other[@]}" --yes
printf '%s\n' "$OUTPUT" >"$work/apply"
assert_eq "" "$(unsure "$work/plan")"
assert_eq "$(foreseen "$work/plan")" "$(done_by "$work/apply")"
jq -r 'select(.event == "node").changes[]' "$work/apply" >"$work/lines"
assert_eq 3 "$(wc -l <"$work/lines")" "two files and a reload"
while read -r line; do assert_contains "$plan" "    $line"$'\n' "the plan lacks"; done <"$work/lines"
soon serves "${page//On an even keel/Aye aye}" /
gone() { ! fetch :8080/ 2>/dev/null; }
soon gone
assert_eq "$pid" "$(host systemctl show -P MainPID nginx)" "a reload keeps the process"
