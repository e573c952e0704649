# Drills of several hosts: they have their faults one host after the other, none is drilled after one that is not even, and a second call from here
# is refused while one goes on. A port that the host passes on to a container is shut for a client outside and for one on the host.
# hosts: 2
. "$LAB/laptop.sh"

# The host writes down when its motd is another one, for as long as /run/watched is there.
watch='rm -f /root/uneven; touch /run/watched
    systemd-run --quiet --collect --unit=watch bash -c "while [[ -e /run/watched ]]; do
        [[ \$(cat /etc/motd) == \"Evenkeel keeps this.\" ]] || date +%s%N >>/root/uneven; sleep 0.02; done"'
unwatch='rm -f /run/watched; until [[ $(systemctl is-active watch) != active ]]; do sleep 0.1; done; cat /root/uneven 2>/dev/null || true'
watched() { for number in 1 2; do on "$number" host_sh "$watch"; done; }
uneven() { on "$1" host_sh "$unwatch"; }
is_changed() { [[ $(host cat /etc/motd) != "Evenkeel keeps this." ]]; }
is_even() { [[ $(host cat /etc/motd) == "Evenkeel keeps this." ]]; }

laptop_knows web1 web2
assert_exit 0 laptop apply web1 web2 --yes

# One after the other.
watched
assert_exit 0 laptop drill 'web*' motd-is-changed --yes
assert_contains "$OUTPUT" "2 drills passed"
mapfile -t first < <(uneven 1)
mapfile -t second < <(uneven 2)
((${#first[@]} > 0 && ${#second[@]} > 0)) || lab_fail "no fault was seen on one of the hosts"
((first[-1] < second[0])) || lab_fail "both hosts had a fault at a time"

# None after a host that is not even.
host_sh 'echo x >>/etc/motd'
watched
assert_exit 1 laptop drill 'web*' motd-is-changed --yes
assert_contains "$OUTPUT" "the host is not even before the drill"
uneven 1 >/dev/null
assert_eq "" "$(uneven 2)"
assert_exit 0 laptop apply web1 --yes

# Not by a second call either; to ask what would be done is no drill. Who was killed holds up nobody.
laptop drill web1 stays --yes >"$LAPTOP/drill.out" 2>&1 &
keel=$!
soon is_changed
drilling=$(cat "$LAPTOP_PID")
watched
assert_exit 6 laptop drill web2 motd-is-changed --yes
assert_contains "$OUTPUT" "\`keel drill web1\`, process $drilling, goes on here"
assert_exit 2 laptop drill web2 motd-is-changed
assert_eq "" "$(uneven 2)"
kill -9 "$drilling"
wait "$keel" || true
assert_exit 0 laptop drill web2 motd-is-changed --yes
soon is_even
uneven 1 >/dev/null

# A port that web1 passes on to a container of its own, where this kernel can: shut for everybody who knows it as web1's, and for nobody else.
host_write /root/nat <<'NAT'
table ip published {
    chain pre { type nat hook prerouting priority -100; fib daddr type local tcp dport 8081 dnat to 10.234.0.2:80; }
    chain out { type nat hook output priority -100; fib daddr type local tcp dport 8081 dnat to 10.234.0.2:80; }
    chain post { type nat hook postrouting priority 100; oifname { "to-box", "host0" } masquerade; }
}
NAT
serve='use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => shift, Listen => 9, ReuseAddr => 1) or die; while (my $c = $s->accept) { close $c }'
host_sh 'apt-get update -qq && apt-get install -y -qq nftables >/dev/null'
if host nft -f /root/nat; then
    host_sh 'ip netns add box
        ip link add to-box type veth peer name eth0 netns box
        ip address add 10.234.0.1/24 dev to-box; ip link set to-box up
        ip -n box address add 10.234.0.2/24 dev eth0; ip -n box link set eth0 up; ip -n box route add default via 10.234.0.1
        echo 1 >/proc/sys/net/ipv4/ip_forward
        systemd-run --quiet ip netns exec box perl -e "$1" 80' "$serve"
    on 2 host systemd-run --quiet perl -e "$serve" 8081
    opens() { timeout 2 bash -c ": <>/dev/tcp/$1/8081" 2>/dev/null; }
    shut() { ! opens "$1"; }
    host_opens() { host timeout 2 bash -c ": <>/dev/tcp/$1/8081" 2>/dev/null; }
    box_opens() { host ip netns exec box timeout 2 bash -c ": <>/dev/tcp/$1/8081"; }
    web1=$(address) web2=$(on 2 address)
    soon opens "$web1"
    soon host_opens "$web1"
    soon box_opens "$web2"
    laptop drill web1 published --yes >"$LAPTOP/drill.out" 2>&1 &
    keel=$!
    soon shut "$web1"
    ! host_opens "$web1" || lab_fail "the port is open on the host itself"
    box_opens "$web2" || lab_fail "another host's port is shut as well"
    kill -INT "$(cat "$LAPTOP_PID")"
    wait "$keel" || true
    opens "$web1"
    host_opens "$web1"
fi
