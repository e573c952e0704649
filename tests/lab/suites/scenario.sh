# Suites of bats and of serverspec, and a script that answers as goss does, in a booted box that installs them with apt: what is so passes, what is not fails and is told by
# the place of the suite, and by the words of the tool. The system that boxes are made of is made once: whoever tests again has a box within two seconds.
# hosts: none
. "$LAB/lab.sh"

home=$(mktemp -d)
ends() {
    local status=$?
    rm -rf "$home"
    exit "$status"
}
trap ends EXIT
cp -r site "$home/site"
inits=(/var/cache/keel-lab/*[0-9a-f]/sbin/init)
boxed() {
    (cd "$home/site" && env -i "PATH=$PATH" HOME="$home" USER=root LANG=C.UTF-8 "$KEEL_BIN" test "$@" --box nspawn --site .)
}

# ---- what is so, and what is not ----------------------------------------------------------------------------

assert_exit 0 boxed box.suited --box-base "${inits[-1]%/sbin/init}"
for suite in bats serverspec script; do
    assert_contains "$OUTPUT" "suite.$suite"
done
assert_contains "$OUTPUT" "1 test passed"

sed -i 's/port 80/port 81/' "$home/site/demo.toml"
assert_exit 1 boxed box.suited --box-base "${inits[-1]%/sbin/init}" --report "$home/junit.xml"
for part in "tests/demo.toml:5:8: suite.bats ended with 1: not ok 2 the port is 80" "(in test file /tmp/demo.bats, line 6)" \
    "tests/demo.toml:9:8: suite.serverspec ended with 1: " "rspec /tmp/demo_spec.rb:6 # File \"/etc/keel-demo.conf\" content is expected to match" \
    "tests/demo.toml:14:8: suite.script ended with 1: not ok 2 - File: /etc/keel-demo.conf: contains" "1 test, 1 failed"; do
    assert_contains "$OUTPUT" "$part"
done
assert_lacks "$OUTPUT" "not ok 1"
assert_contains "$(<"$home/junit.xml")" 'tests="1" failures="1"'

# ---- whoever tests again has a box within two seconds -------------------------------------------------------

# With a cache of its own, that it is made in; the user's stays as it is.
install -d -m 0700 "$home/cache" /var/cache/keel-boxes
cached() {
    (cd "$home/site" && unshare --mount --propagation private sh -euc 'mount --bind "$1" /var/cache/keel-boxes; shift; exec "$@"' sh "$home/cache" \
        env -i "PATH=$PATH" HOME="$home" USER=root LANG=C.UTF-8 "$KEEL_BIN" test box.plain --box nspawn --format json --site .)
}
# created: how long it took until the box was there, in milliseconds.
created() { sed -nE 's/.*\{"ms":([0-9]+),"step":"create".*/\1/p' <<<"$OUTPUT"; }
bases() { stat -c '%n %i %Y' "$home"/cache/*-????????????; }
assert_exit 0 cached
first=$(created) base=$(bases)
assert_eq 1 "$(wc -l <<<"$base")" "of systems that were made"
# A machine of its own takes less than two seconds; where others want its processors it takes as many times that as they are shared by.
read -r load _ </proc/loadavg
allowed=$(awk -v load="$load" -v processors="$(nproc)" 'BEGIN { share = load / processors; print int(2000 * (share > 1 ? share : 1)) }')
again() {
    assert_exit 0 cached
    echo "the first box was there after $first ms, this one after $(created) ms; $allowed ms are allowed at load $load"
    (($(created) <= allowed))
}
soon again
assert_eq "$base" "$(bases)" "the system was made again"
