# What an agent does is told away from its host: to a web server, signed with a key that is sealed to the host; to PagerDuty, as it publishes what
# events have to be, over TLS; to a syslog, over TLS. A receiver that is away or says "not now" costs nothing but time, also over a restart; one
# that is not who it should be is told nothing; no key is ever in what is told or kept.
. "$LAB/laptop.sh"

folder=$LAPTOP/told
routing=0123456789abcdef0123456789abcdef
mkdir "$folder"
printf 'the-key-of-the-webhook\n' >"$folder/webhook.key"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=lab" -addext "basicConstraints=critical,CA:TRUE" \
    -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=receiver" -keyout "$folder/server.key" -out "$folder/server.csr" 2>/dev/null
openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=IP:127.0.0.1") -out "$folder/server.pem" 2>/dev/null

receive() {
    network python3 receiver.py "$folder" "$LAB_WORKSPACE/tests/cases/pagerduty/events-v2.json" 8081 8443 8601 &
    soon test -s "$folder/pid"
}
deaf() { kill "$(cat "$folder/pid")"; rm "$folder/pid"; wait || true; }
given() { cat "$folder/$1" 2>/dev/null || true; }
gets() { [[ $(given "$1") == *"$2"* ]]; }
kept() { host_sh 'find /var/lib/evenkeel/agent/$1 -type f | wc -l' _ "$1"; }
actions() { given events | sed 's/^[^ ]* //' | jq -r '[.event_action // "change", .payload.severity // "-"] | join(" ")'; }

put site /root/site
host mkdir -p /etc/evenkeel
mkdir -p "$folder/site/secrets"
host_key 1 >"$folder/site/secrets/recipients"
assert_exit 0 laptop secret --site "$folder/site" create webhook <"$folder/webhook.key"
host ssh-keygen -q -t ed25519 -N "" -f /etc/evenkeel/another_key
host_write /etc/evenkeel/webhook.age <"$folder/site/secrets/webhook.age"
host_write /etc/evenkeel/pagerduty.key 0600 <<<"$routing"
host_write /etc/evenkeel/ca.pem <"$folder/ca.pem"
host_write /etc/evenkeel/agent.toml <<'END'
[source]
file        = "/root/site/host.toml"
unseal_with = ["/etc/evenkeel/another_key"]

[reports.webhook]
url      = "http://127.0.0.1:8081/hook"
key_file = "/etc/evenkeel/webhook.age"

[reports.pagerduty]
routing_key_file = "/etc/evenkeel/pagerduty.key"
url              = "https://127.0.0.1:8443/v2"
ca               = "/etc/evenkeel/ca.pem"

[reports.syslog]
to = "tls://127.0.0.1:8601"
ca = "/etc/evenkeel/ca.pem"
END
receive
assert_exit 0 keel agent install --local --yes
soon gets events '/change/enqueue'
# Whoever cannot open the key tells nothing unsigned; the settings are read again where they are altered.
soon host_sh 'grep -q "no key here opens /etc/evenkeel/webhook.age" /var/lib/evenkeel/agent/status'
host sed -i 's#/etc/evenkeel/another_key#/etc/ssh/ssh_host_ed25519_key#' /etc/evenkeel/agent.toml
soon gets hooks '"event":"looked","cause":"start"'
soon gets syslog 'keel-agent'

# Drift that is left is an alert; the next even look resolves it.
host_sh 'echo mine >/etc/issue'
soon gets events '"event_action":"trigger"'
soon gets hooks '"event":"drift","id":"file./etc/issue"'
soon gets syslog '[evenkeel@32473 event="drift" resource="file./etc/issue" '
host_sh 'echo "Leave me, and say so." >/etc/issue'
soon gets events '"event_action":"resolve"'
assert_eq $'change -\ntrigger warning\nresolve -' "$(actions)"

# "Not now", and then nobody at all: repair goes on, what is to be told waits, also while the agent is killed, and comes in its order.
echo 429 >"$folder/answer"
host_sh 'echo mine >/etc/issue'
soon gets turned-away "429 /v2/enqueue"
deaf
host rm /etc/motd
soon host test -e /etc/motd
host_sh 'kill -9 "$(systemctl show -P MainPID evenkeel-agent)"'
soon host_sh 'systemctl -q is-active evenkeel-agent'
host rm /etc/motd
soon host test -e /etc/motd
assert_exit 0 keel agent status
assert_contains "$OUTPUT" "not told      webhook: "
assert_eq "3" "$(given events | wc -l)"
rm "$folder/answer"
receive
SOON=60 soon host_sh '! find /var/lib/evenkeel/agent/{webhook,pagerduty,syslog} -type f | grep -q .'
assert_eq $'change -\ntrigger warning\nresolve -\ntrigger warning' "$(actions)"
assert_eq 2 "$(given hooks | grep -c '"event":"corrected","id":"file./etc/motd","because":"drift"')"
assert_eq "" "$(given unsigned)$(given invalid)"
# Each message was whole, and TLS said where it ended.
assert_eq "" "$(given cut)"
# What was given is what was kept, line by line.
assert_eq "$(host cat /var/lib/evenkeel/agent/reports.jsonl | head -n 12)" "$(given hooks | awk '!seen[$0]++' | head -n 12)"

# The keys are nowhere but where they were put.
for secret in "$routing" the-key-of-the-webhook; do
    assert_lacks "$(given hooks)$(given syslog)" "$secret"
    assert_eq "" "$(host_sh 'grep -rlF -e "$1" /var/lib/evenkeel /run/log /var/log || true; journalctl -q | grep -F -e "$1" || true' "$secret")"
done
assert_eq "" "$(host grep -rlF the-key-of-the-webhook /etc/evenkeel || true)" "the key that was sealed"
host chmod 0644 /etc/evenkeel/pagerduty.key
host_sh 'echo "Leave me, and say so." >/etc/issue'
soon host_sh 'grep -q "not root.s alone" /var/lib/evenkeel/agent/status'
host chmod 0600 /etc/evenkeel/pagerduty.key
SOON=60 soon host_sh '! find /var/lib/evenkeel/agent/pagerduty -type f | grep -q .'

# What it knew of PagerDuty is damaged: that is told, and what may be open there is resolved by the next look.
before=$(actions | grep -c resolve)
host_sh 'systemctl stop evenkeel-agent; echo "{" >/var/lib/evenkeel/agent/pagerduty.state; systemctl start evenkeel-agent'
resolved_again() { (($(actions | grep -c resolve) == before + 1)); }
soon resolved_again
soon gets hooks 'pagerduty: what was told before is damaged'

# A collector that nobody vouches for hears nothing.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=another" -keyout /dev/null 2>/dev/null | host_write /etc/evenkeel/other.pem
host_sh 'sed -i "\$s/ca.pem/other.pem/" /etc/evenkeel/agent.toml'
soon host_sh 'systemctl reload evenkeel-agent; grep -q "by somebody else" /var/lib/evenkeel/agent/status'
heard=$(given syslog | wc -l)
assert_exit 0 keel agent status
assert_contains "$OUTPUT" "not told      syslog: 127.0.0.1: certificate is by somebody else, not by one of"
assert_eq "$heard" "$(given syslog | wc -l)"

# With all of that it holds little memory.
own=$(host_sh 'awk "/^RssAnon/ { print \$2 }" "/proc/$(systemctl show -P MainPID evenkeel-agent)/status"')
echo "memory of its own: $own kB"
((own < 15 * 1024)) || { echo "$own kB of its own" >&2; exit 1; }
deaf
