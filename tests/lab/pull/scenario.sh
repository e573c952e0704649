# A host whose agent takes its site as bundles, and opens its secret with the host's own key: a newer one is taken and kept even; what is
# unsigned, older, a stranger's, another site's, cut off or of no use there is refused and told, and the last good one stays in force, also where
# nobody is in reach any more, or whoever is says nothing.
. "$LAB/laptop.sh"

LAPTOP_SITE=$LAPTOP/site
cp -r site "$LAPTOP_SITE"
place=$LAPTOP/place
mkdir "$place"
cd "$LAPTOP_SITE"
ssh-keygen -q -t ed25519 -N '' -C eve -f "$LAPTOP/eve"
printf 'ann@example.org namespaces="evenkeel-bundle" %s\n' "$(cat "$LAPTOP_HOME/.ssh/id_ed25519.pub")" >"$LAPTOP/allowed_signers"

mkdir secrets
host_key 1 >secrets/recipients
printf 'hunter2\n' | laptop secret create password

# publish COUNTER [OPTION…]: what the site is now, with options of `bundle sign`.
publish() {
    laptop bundle build --counter "$1" -o b.bundle
    laptop bundle sign b.bundle "${@:2}"
    laptop bundle publish --back b.bundle "$place"
}
# A web server on the host itself, which knows only the directory on the laptop.
network sh -c 'echo $$ >"$1/server"; exec python3 -m http.server --bind 127.0.0.1 --directory "$2" 8099' \
    serve "$LAPTOP" "$place" >&/dev/null &
soon network curl -fsS -o /dev/null http://127.0.0.1:8099/

page() { host cat /etc/shop/page; }
is_page() { [[ $(page 2>&1) == "$1" ]]; }
told() { host cat /var/lib/evenkeel/agent/reports.jsonl; }
says() { [[ $(told 2>&1) == *"$1"* ]]; }
look() { host systemctl reload evenkeel-agent; }
shows() { [[ $(keel agent status 2>&1) == *"$1"* ]]; }
counted() { [[ $(host cat /var/lib/metrics/keel.prom 2>&1; echo .) == *$'\n'"evenkeel_$1"$'\n'* ]]; }

# It is set up on a raw host, and brings the host to what the bundle says of it.
publish 7
put "$LAPTOP/allowed_signers" /root/signers
host mkdir /var/lib/metrics
agent() {
    keel agent install --local "$@" --name shop --role shop --allowed-signers signers --prometheus /var/lib/metrics/keel.prom --yes
}
assert_exit 0 agent --source http://127.0.0.1:8099
soon is_page one
soon host test -e /etc/shop/password
assert_eq "hunter2 600" "$(host_sh 'cat /etc/shop/password; stat -c %a /etc/shop/password' | paste -sd' ')"
assert_eq "" "$(host_sh 'grep -rlF hunter2 /var/lib/evenkeel /var/lib/metrics /etc/evenkeel /run/log /var/log || true; journalctl -q | grep -F hunter2 || true')"
# A stranger who alters the same file again and again is left alone sooner than this script is through.
host_sh 'printf "\n[fights]\ncorrections = 100\n" >>/etc/evenkeel/agent.toml; systemctl restart evenkeel-agent'
assert_eq "$(host hostname)" "$(host cat /etc/shop/name)"
assert_eq "$(cat "$LAPTOP/allowed_signers")" "$(host cat /etc/evenkeel/allowed_signers)"
soon shows "bundle        shop, counter 7, sha256 $(sha256sum b.bundle | cut -c1-12), signed by ann@example.org, in force for "

# A newer one is taken.
echo two >files/page
publish 8
look
soon is_page two
soon shows "counter 8"
soon counted "bundle_counter 8"
soon counted "bundle_refused 0"
soon counted 'resources{status="failed"} 0'

# Whatever else is offered is told, and what is in force is kept even.
refused() {
    look
    soon says "$1"
    host_sh 'echo drift >/etc/shop/page'
    soon is_page two
    soon shows "not taken     since 20"
    soon shows "$1"
    soon shows "counter 8, sha256"
    soon counted "bundle_refused 1"
    assert_contains "$(host_sh 'journalctl -q EVENKEEL_EVENT=refused')" "the bundle with the counter 8 stays in force"
}
echo three >files/page
publish 6
refused "the bundle has the counter 6, and one with 8 was here already: an older bundle is not taken"
publish 9 --key "$LAPTOP/eve"
refused ", which is not in /etc/evenkeel/allowed_signers"
publish 9
jq '.signature = ""' "$place/shop.latest" >pointer
cp pointer "$place/shop.latest"
refused "the signature cannot be read"
publish 9
latest=$(ls -t "$place"/sha256-*.bundle | head -n 1)
truncate -s 1024 "$latest"
refused "the bundle is cut off: 1024 of "
sed -i 's/shop/bank/' keel.toml
publish 9
cp "$place/bank.latest" "$place/shop.latest"
refused "the bundle is of the site \`bank\`, and this is the place of \`shop\`"
sed -i 's/bank/shop/' keel.toml
rm "$place/shop.latest"
mv roles/shop.toml shop.toml
publish 10
refused "the bundle with the counter 10 is of no use on this host"
mv shop.toml roles/shop.toml

# Nobody is in reach: what is in force is kept even, and by an agent that was started anew.
kill "$(cat "$LAPTOP/server")"
wait || true
refused "cannot fetch http://127.0.0.1:8099/shop.latest"
host systemctl restart evenkeel-agent
host_sh 'echo drift >/etc/shop/page'
soon is_page two

# Who takes calls there and says nothing is waited for by nobody, neither by who is started anew nor by who is to end.
network python3 -c 'import socket, sys
open(sys.argv[1], "w").write(str(__import__("os").getpid()))
server, held = socket.create_server(("127.0.0.1", 8099)), []
while True: held.append(server.accept())' "$LAPTOP/server" >&/dev/null &
soon network sh -c 'ss -tln | grep -q :8099'
is_asked() { network ss -tn state established "sport = :8099" | grep -q 8099; }
host systemctl restart evenkeel-agent
SOON=20 soon is_asked
host_sh 'echo drift >/etc/shop/page'
SOON=20 soon is_page two
is_asked || lab_fail "the place was not silent for long enough"
host_sh 'kill -9 "$(pgrep -f "agent [c]ompile" | head -n 1)"'
soon shows "the site could not be compiled: signal: 9"
host_sh 'echo drift >/etc/shop/page'
SOON=20 soon is_page two
look
SOON=20 soon is_asked
began=$SECONDS
host systemctl restart evenkeel-agent
((SECONDS - began < 15)) || lab_fail "it took $((SECONDS - began)) s to end while the place was silent"
SOON=60 soon shows "cannot fetch http://127.0.0.1:8099/shop.latest: nothing came for 30 s"
kill "$(cat "$LAPTOP/server")"
wait || true
power_cycle
soon host systemctl -q is-active evenkeel-agent
host_sh 'echo drift >/etc/shop/page'
soon is_page two

# A directory as the place is watched: nobody has to ask.
publish 11
put "$place" /srv/bundles
assert_exit 0 agent --source /srv/bundles
soon is_page three
lacks() { ! shows "$1"; }
soon lacks "not taken"
echo four >files/page
publish 12
put "$place" /srv/bundles
soon is_page four

# git has to be there for a place that it is asked for.
assert_exit 0 agent --source git+file:///srv/bundles.git
soon says "this machine has no git: install it, or name another kind of place"
assert_eq four "$(page)"
