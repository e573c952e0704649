# Each dead end between laptop and host is said in words of its own; nothing is run on that host, and the other one is served as if
# nothing were.
# hosts: 2 small
. "$LAB/laptop.sh"

LAPTOP_SITE=$LAPTOP/site
cp -r site "$LAPTOP_SITE"
config=$LAPTOP_HOME/.ssh/config known=$LAPTOP_HOME/.ssh/known_hosts
IFS=. read -r first second net last <<<"$(on 2 address)"

# bad LINE…: the laptop's configuration has these lines for the host `bad`, before all others. Each push logs in there.
bad() {
    laptop_knows good bad
    { printf 'Host bad\n    ControlPersist no\n'; printf '    %s\n' "$@"; cat "$config"; } >"$config.new"
    mv "$config.new" "$config"
}
# ends CODE WORDS…: a push to both ends so and says so; one host is done, nothing was run on the other.
ends() {
    local code=$1 words
    host rm -f /etc/mark
    assert_exit "$code" laptop apply --yes good bad
    for words in "${@:2}"; do assert_contains "$OUTPUT" "$words"; done
    assert_lacks "$OUTPUT" $'\e' "an escape sequence was printed:"
    assert_eq push-dead-ends1 "$(host cat /etc/mark)" "the good host was not served"
    assert_exit 1 on 2 host test -e /etc/mark
    assert_eq "" "$(on 2 host_sh "find /var/lib/evenkeel/runs -mindepth 1 2>&- || true")"
}
# over OPTIONS COMMAND…: while a file system of its own is mounted where the agent belongs.
over() {
    on 2 host_sh 'mkdir -p /var/lib/evenkeel; mount -t tmpfs -o "mode=0700,$1" none /var/lib/evenkeel' "$1"
    "${@:2}"
    on 2 host umount /var/lib/evenkeel
}

# ---- the way ------------------------------------------------------------------------------------------------

bad 'HostName no-such-host.invalid'
ends 4 "the name no-such-host.invalid is unknown"
bad 'Port 2'
ends 4 "$(on 2 address):2 refused the connection"
bad "HostName $first.$second.$net.254"
ends 4 "no route to $first.$second.$net.254"

# Nobody answers: the other host is done long before that is known.
bad 'ConnectTimeout 8'
host rm -f /etc/mark
on 2 lets_go
on 2 network iptables -A INPUT -p tcp --dport 22 -j DROP
{ laptop apply --yes good bad >"$LAPTOP/log" 2>&1 && echo 0 || echo $?; } >"$LAPTOP/status" &
soon host test -e /etc/mark
assert_eq "" "$(cat "$LAPTOP/status")" "the push ended at once"
wait
assert_eq 4 "$(cat "$LAPTOP/status")"
assert_contains "$(cat "$LAPTOP/log")" "no answer within 8 s"
assert_contains "$(cat "$LAPTOP/log")" "ConnectTimeout"
on 2 network iptables -D INPUT -p tcp --dport 22 -j DROP

# ---- who is there, and who may come in -----------------------------------------------------------------------

bad 'User nobody-knows'
ends 4 "nobody-knows was not let in" "id_ed25519" "publickey"

bad
sed -i "s,^$(on 2 address) .*,$(on 2 address) $(host_key 1)," "$known"
ends 4 "REMOTE HOST IDENTIFICATION HAS CHANGED" "$(ssh-keygen -lf <(host_key 2) | cut -d' ' -f2)"
assert_exit 4 laptop apply --yes bad --accept-new-host-key
assert_contains "$OUTPUT" "REMOTE HOST IDENTIFICATION HAS CHANGED"

sed -i "/^$(on 2 address) /d" "$known"
ends 4 "The authenticity of host $(on 2 address) can't be established" "--accept-new-host-key"
sed -i "s,^\[host.bad\],&\nhost_key = \"$(host_key 1)\"," "$LAPTOP_SITE/hosts.toml"
ends 4 "host_key"
sed -i "s,^host_key.*,host_key = \"$(host_key 2)\"," "$LAPTOP_SITE/hosts.toml"
assert_exit 2 laptop plan bad
sed -i /^host_key/d "$LAPTOP_SITE/hosts.toml"
assert_exit 2 laptop plan bad --accept-new-host-key
assert_contains "$(ssh-keygen -F "$(on 2 address)" -f "$known")" "$(host_key 2)"
assert_exit 2 laptop plan bad

# ---- the agent ----------------------------------------------------------------------------------------------

on 2 host rm -rf /var/lib/evenkeel
bad
over size=512k ends 1 "No space left"
over ro ends 1 "Read-only"
over noexec ends 1 "noexec"

# Only an agent for another machine lies beside keel.
mkdir "$LAPTOP/bin"
cp "$KEEL_BIN" "$LAPTOP/bin/keel"
cp "$(dirname "$KEEL_BIN")/keel-agent-$(uname -m)" "$LAPTOP/bin/keel-agent-s390x"
printf '\x02\x02\x01' | dd of="$LAPTOP/bin/keel-agent-s390x" bs=1 seek=4 conv=notrunc status=none
printf '\x00\x16' | dd of="$LAPTOP/bin/keel-agent-s390x" bs=1 seek=18 conv=notrunc status=none
assert_exit 1 laptop_runs "$LAPTOP/bin/keel" apply --yes bad
assert_contains "$OUTPUT" "$(uname -m)"
assert_contains "$OUTPUT" "s390x"
assert_eq "" "$(on 2 host find /var/lib/evenkeel -name 'keel-agent*')" "an agent was brought"

# One that somebody has changed is not run, and not replaced silently either.
assert_exit 2 laptop plan bad
on 2 host_sh 'printf "\0" >>/var/lib/evenkeel/bin/keel-agent-*'
before=$(on 2 snapshot /var/lib/evenkeel/bin)
ends 1 "$(on 2 host_sh 'sha256sum /var/lib/evenkeel/bin/keel-agent-* | cut -c1-64')" "/var/lib/evenkeel/bin/keel-agent-"
assert_eq "$before" "$(on 2 snapshot /var/lib/evenkeel/bin)"
on 2 host rm -rf /var/lib/evenkeel

# ---- a host that means ill ------------------------------------------------------------------------------------

# Noise before the agent speaks, as login scripts make it, harms nobody.
on 2 host_sh 'printf "%b" "\033]0;owned\007 \033[2J hello \n" >/etc/noise
    for file in /home/admin/.bashrc /home/admin/.bash_profile; do printf "cat /etc/noise\ncat /etc/noise >&2\n" >"$file"; done'
assert_exit 2 laptop plan bad
assert_lacks "$OUTPUT" $'\e'
assert_lacks "$OUTPUT" hello

# A shell that never stops talking, one that dies with an escape sequence on its lips, and one that has read the script: it forges what
# the script would say, and then a message longer than any may be, or one that there is not.
villain() { on 2 host_write /usr/local/bin/villain 0755; }
on 2 host usermod -s /usr/local/bin/villain admin
villain <<<$'#!/bin/sh\nexec yes "$(cat /etc/noise)"'
ends 1 "the login shell prints without end"
villain <<<$'#!/bin/sh\ncat /etc/noise >&2\nexit 3'
ends 1 "exit status 3"
forged='#!/bin/sh
nonce=$(printf %s "$2" | sed "s|.* .\([0-9a-f]*\). ./. .*|\1|")
for words in "here root" root "run warm"; do printf "KEEL-%s %s\n" "$nonce" "$words"; done'
for bytes in '\001\377\377\377\377' '\001\000\000\000\004null' '\011\000\000\000\004null' \
    '\001\000\000\000\042{"event":"\\\\u001b]0;owned\\\\u0007"}'; do
    villain <<<"$forged"$'\n'"printf '$bytes'; cat >/dev/null"
    ends 1 "does not keep to the protocol"
done
villain <<<"$forged"$'\nexec yes'
ends 1 "does not keep to the protocol"
