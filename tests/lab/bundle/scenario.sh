# A host takes its site as a bundle from a web server, compiles it with its own facts, and opens its secret with its own key. What is older,
# a stranger's, changed or cut off is refused with a message, and so is a server that is gone: the last good one stays in force.
. "$LAB/laptop.sh"

LAPTOP_SITE=$LAPTOP/site
cp -r site "$LAPTOP_SITE"
mkdir -p "$LAPTOP_SITE/secrets"
place=$LAPTOP/place
mkdir "$place"
cd "$LAPTOP_SITE"
host_key 1 >secrets/recipients
printf 'hunter2\n' | laptop secret create password
printf '[host.bundle1]\nroles = ["shop"]\nhost_key = "%s"\n' "$(host_key 1)" >hosts.toml

# A web server on the host itself, which knows only the directory on the laptop.
serve() {
    network sh -c 'echo $$ >"$1/server"; exec python3 -m http.server --bind 127.0.0.1 --directory "$2" 8099' \
        serve "$LAPTOP" "$place" >&/dev/null &
    soon network curl -fsS -o /dev/null http://127.0.0.1:8099/
}
publish() {
    laptop bundle build --counter "$1" -o b.bundle
    laptop bundle sign b.bundle "${@:2}"
    laptop bundle publish --back b.bundle "$place"
}
pull() { keel_on_host apply --yes bundle1 --bundle http://127.0.0.1:8099 --name shop; }
page() { host cat /etc/shop/page; }

printf 'ann@example.org namespaces="evenkeel-bundle" %s\n' "$(cat "$LAPTOP_HOME/.ssh/id_ed25519.pub")" >allowed_signers
host mkdir -p /etc/evenkeel
host_write /etc/evenkeel/allowed_signers <allowed_signers
publish 7
assert_lacks "$(tr -d '\0' <b.bundle)" hunter2
ssh-keygen -Y verify -f allowed_signers -I ann@example.org -n evenkeel-bundle -s b.bundle.sig <b.bundle
serve
assert_exit 0 pull
assert_eq "one" "$(page)"
assert_eq "hunter2 on $(host hostname) 600" "$(host_sh 'cat /etc/shop/password; stat -c %a /etc/shop/password' | paste -sd' ')"

# A newer one is taken.
echo two >files/page
publish 8
assert_exit 0 pull
assert_eq "two" "$(page)"

# Whatever else is offered, it stays so, and drift is corrected from what is in force.
refused() {
    host_sh 'echo drift >/etc/shop/page'
    assert_exit 0 pull
    assert_contains "$OUTPUT" "$1"
    assert_contains "$OUTPUT" "the bundle with the counter 8 stays in force"
    assert_eq "two" "$(page)"
}
echo three >files/page
publish 6
refused "the bundle has the counter 6, and one with 8 was here already: an older bundle is not taken"
ssh-keygen -q -t ed25519 -N '' -f "$LAPTOP/eve"
publish 9 --key "$LAPTOP/eve"
refused ", which is not in /etc/evenkeel/allowed_signers"
publish 9
latest=$(ls -t "$place"/sha256-*.bundle | head -n 1)
printf x | dd of="$latest" bs=1 seek=700 conv=notrunc status=none
refused "gives something else than the bundle"
truncate -s 1024 "$latest"
refused "the bundle is cut off: 1024 of "
kill "$(cat "$LAPTOP/server")"
wait || true
refused "cannot fetch http://127.0.0.1:8099/shop.latest"
