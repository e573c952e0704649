# Forty hosts in one push, cold and warm: each gets its own values, each is told of, and the laptop stays small.
# hosts: 40 small
. "$LAB/laptop.sh"

mark() { on "$1" folder | sed 's,$,/root/srv/marks,'; }
LAPTOP_SITE=$LAPTOP/site
cp -r site "$LAPTOP_SITE"
for number in {1..40}; do
    printf '[host.n%s]\naddress = "%s"\nuser = "admin"\nhost_key = "%s"\nroles = ["mark"]\ninputs.mark.number = %s\n\n' \
        $number "$(on $number address)" "$(host_key $number)" $number
done >"$LAPTOP_SITE/hosts.toml"

# measured ARG…: keel on the laptop; the peak of its memory in KiB is left in $PEAK.
measured() {
    laptop_runs time --format %M --output "$LAPTOP/peak" "$KEEL_BIN" "$@" || return
    PEAK=$(tail -n 1 "$LAPTOP/peak")
    ((PEAK < 150 * 1024)) || lab_fail "$PEAK KiB of memory for forty hosts"
}

assert_exit 0 measured apply --yes '*'
assert_contains "$OUTPUT" "40 hosts"
for number in {1..40}; do
    found=$(cat "$(mark $number)"/* | xargs)
    assert_eq "push-forty$number $number 640" "$found $(stat -c %a "$(mark $number)/number")" "host $number"
done
assert_exit 0 measured apply --yes '*'
assert_contains "$OUTPUT" "40 hosts"

# Drift on one of them is one line among forty.
printf 'mine\n' >"$(mark 17)/number"
assert_exit 2 measured plan --format json '*'
assert_eq 40 "$(jq -r 'select(.event == "report").host' <<<"$OUTPUT" | sort -u | wc -l)" "each host is told of"
assert_exit 0 measured apply --yes '*'
assert_eq 17 "$(cat "$(mark 17)/number")"
