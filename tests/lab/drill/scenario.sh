# Drills on a live host: faults are seen, made good and taken back; nothing is done without --yes, nor where another drill goes on; and a fault goes
# at its limit when the controller and the processes on the host were killed, and at once by Ctrl-C. What is locked, or of ssh, is left alone.
. "$LAB/laptop.sh"

# What faults leave, of all sorts; nothing where the host is even.
left() {
    host_sh 'nft list tables; tc qdisc show dev host0 root | grep 6b65 || true
        ls -d /srv/disk/.keel-drill /var/lib/evenkeel/drill /etc/systemd/system/evenkeel-boot.service 2>/dev/null || true
        [[ $(cat /etc/motd) == "Evenkeel keeps this." ]] || cat /etc/motd
        systemctl is-active cron | grep -v "^active" || true
        [[ $(systemctl list-units --plain --no-legend "keel-drill-*") == "" ]] || echo waits'
}
none_left() { [[ -z $(left) ]]; }
cannot_open() { ! host timeout 2 bash -c ': <>/dev/tcp/127.0.0.1/8080'; }
is_there() { host test -e "$1"; }
# begun NAME: keel drills in the background; its process number is in $drilling, that of the shell around it in $keel. Returns when the host knows of the fault.
begun() {
    laptop drill web1 "$1" --for "${2:-5m}" --yes >"$LAPTOP/drill.out" 2>&1 &
    keel=$!
    soon is_there /var/lib/evenkeel/drill
    drilling=$(cat "$LAPTOP_PID")
}

laptop_knows web1
host_sh 'apt-get update -qq && apt-get install -y -qq nftables >/dev/null && mkdir /srv/disk && mount -t tmpfs -o size=32M none /srv/disk'
assert_exit 0 laptop apply web1 --yes
before=$(fingerprint /etc/motd /etc/systemd/system)

# Nothing is done without --yes, and it is told what would be.
assert_exit 2 laptop drill web1
assert_contains "$OUTPUT" 'stop {"unit":"cron"}'
assert_contains "$OUTPUT" "nothing was done"
assert_exit 3 laptop drill web1 cron-stop --yes
assert_contains "$OUTPUT" 'did you mean `cron-stops`?'
assert_eq "" "$(left)"

# Each of them is seen, and made good by whoever is to do it.
assert_exit 0 laptop drill web1 cron-stops lookout-dies lookout-hangs motd-is-changed unreachable disk-full slow-network --yes
for part in "check cron-runs failed" "a plan would change service.cron" "SIGKILL to sleep" "goes on" "a plan would change file./etc/motd" \
    "check answers failed" "check room-is-left failed" ".keel-drill is gone" "host0: " "7 drills passed"; do
    assert_contains "$OUTPUT" "$part"
done
assert_eq "" "$(left)"
assert_eq "$before" "$(fingerprint /etc/motd /etc/systemd/system)"
assert_contains "$(host cat /var/lib/evenkeel/drills)" "cron-stops of root@"

# What keel says is what others see: while the fault is there the port is shut, and somebody's lock list says who did it.
begun stays-unreachable
soon cannot_open
assert_contains "$(laptop locks web1)" "drill.stays-unreachable"
assert_exit 6 laptop drill web1 cron-stops --yes
assert_contains "$OUTPUT" "drill.stays-unreachable: locked by root@"
# The controller dies, and the agent's own processes too: the fault is gone by its limit, which began with it.
kill -9 "$drilling"
host_sh 'pkill -9 ^keel-agent || true; pkill -9 -x boot || true'
SOON=60 soon none_left
assert_contains "$(host tail -n 1 /var/lib/evenkeel/drills)" "its time is over"
assert_eq "" "$(laptop locks web1)"

# Ctrl-C takes it back at once.
begun stays-unreachable
soon cannot_open
kill -INT "$drilling"
status=0; wait "$keel" || status=$?
assert_eq 1 "$status" "of a drill that was stopped"
assert_eq "" "$(left)"

# A locked host, and the port of ssh, are left alone.
assert_exit 0 laptop lock web1 --reason upgrade --for 1h
assert_exit 6 laptop drill web1 cron-stops --yes
assert_contains "$OUTPUT" "upgrade"
assert_exit 0 laptop unlock web1
host_sh 'printf "Port 22\nPort 2222\n" >/etc/ssh/sshd_config.d/two.conf; systemctl restart ssh'
assert_exit 1 laptop drill web1 other-port-of-ssh --yes
assert_contains "$OUTPUT" "sshd has port"
# Without an agent nobody can tell whether it would have repaired anything: that is not to have passed.
assert_exit 1 laptop drill web1 agent-repairs-motd --yes
assert_contains "$OUTPUT" "cannot be told here: no agent keeps this host"
assert_eq "" "$(left)"
