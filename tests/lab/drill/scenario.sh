# Drills on a live host: faults are seen, made good and taken back; nothing is done without --yes, nor where another drill goes on; and a fault goes
# at its limit when the controller and the processes on the host were killed, at once by Ctrl-C, and at the boot after a power failure or a reboot,
# which it does not hold up. What is stopped with a service is started with it. What is locked, or of ssh, is left alone. An agent repairs what a drill does, and is told to have done it. A booted box is drilled, and raw again.
. "$LAB/laptop.sh"

# What faults leave, of all sorts; nothing where the host is even. Who waited for the end of one looks five times a second whether it has come.
left() {
    host_sh 'nft list tables; tc qdisc show dev host0 root | grep 6b65 || true
        ls -d /srv/disk/.keel-drill /var/lib/evenkeel/drill /etc/systemd/system/evenkeel-boot.service 2>/dev/null || true
        [[ $(cat /etc/motd) == "Evenkeel keeps this." ]] || cat /etc/motd
        systemctl is-active cron | grep -v "^active" || true
        for _ in {1..20}; do waits=$(systemctl list-units --plain --no-legend "keel-drill-*"); [[ $waits ]] || break; sleep 0.1; done
        [[ -z $waits ]] || echo waits'
}
# A host that does not answer has not said that nothing is left.
none_left() { local found; found=$(left 2>/dev/null) && [[ -z $found ]]; }
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

# Each of them is seen, and made good by whoever is to do it. What nobody keeps, and cannot run without cron, is stopped with it and started again.
host_write /run/systemd/system/after-cron.service <<<$'[Unit]\nRequires=cron.service\nAfter=cron.service\n[Service]\nExecStart=/usr/bin/tail -f /dev/null'
host systemctl start after-cron
assert_exit 0 laptop drill web1 cron-stops lookout-dies lookout-hangs motd-is-changed unreachable disk-full slow-network --yes
for part in "check cron-runs failed" "and with it after-cron.service" "after-cron.service was started" "a plan would change service.cron" "SIGKILL to sleep" "goes on" "a plan would change file./etc/motd" \
    "check answers failed" "check room-is-left failed" ".keel-drill is gone" "host0: " "7 drills passed"; do
    assert_contains "$OUTPUT" "$part"
done
assert_eq "" "$(left)"
assert_eq "active" "$(host systemctl is-active after-cron)"
assert_eq "$before" "$(fingerprint /etc/motd /etc/systemd/system)"
assert_contains "$(host cat /var/lib/evenkeel/drills)" "cron-stops of root@"

# In a booted box, meanwhile.
inits=(/var/cache/keel-lab/*[0-9a-f]/sbin/init)
env -C boxed -i "PATH=$PATH" "HOME=$LAPTOP_HOME" USER=root LANG=C.UTF-8 "$KEEL_BIN" test --box-base "${inits[-1]%/sbin/init}" --report "$LAPTOP/junit.xml" >"$LAPTOP/boxed" 2>&1 &
boxed=$!

# What keel says is what others see: while the fault is there the port is shut, and somebody's lock list says who did it.
# The controller dies, and the agent's own processes too: the fault is gone by its limit, which began with it.
begun stays-unreachable
soon cannot_open
kill -9 "$drilling"
assert_contains "$(laptop locks web1)" "drill.stays-unreachable"
assert_exit 6 laptop drill web1 cron-stops --yes
assert_contains "$OUTPUT" "drill.stays-unreachable: locked by root@"
host_sh 'pkill -9 ^keel-agent || true; pkill -9 -x boot || true'
SOON=60 soon none_left
assert_contains "$(host tail -n 1 /var/lib/evenkeel/drills)" "its time is over"
assert_eq "" "$(laptop locks web1)"

# A slow network is slow: by netem where this kernel has it; else by a token bucket, as fast as a packet in the time of the delay (122 kbit/s).
# Ctrl-C takes it back at once.
begun stays-slow
is_slow() { queue=$(host tc qdisc show dev host0 root) && [[ $queue == *" 6b65: root"* ]]; }
soon is_slow
if host_sh 'tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root' 2>/dev/null; then
    assert_contains "$queue" "delay 100ms loss 1%"
else
    assert_contains "$queue" "tbf 6b65: root refcnt"
    assert_contains "$(host nft list table inet keel_drill)" 'oifname "host0" numgen random mod 100 < 1'
    start=$(date +%s%N)
    assert_eq 40000 "$(host head -c 40000 /dev/urandom | wc -c)"
    took=$((($(date +%s%N) - start) / 1000000))
    ((took > 2000)) || { echo "40000 bytes took $took ms" >&2; exit 1; }
fi
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

# The power fails in the middle of a drill, and whoever asked for it is gone: the fault is taken back at the boot.
begun motd-stays-changed
is_changed() { [[ $(host cat /etc/motd) != "Evenkeel keeps this." ]]; }
soon is_changed
kill -9 "$drilling"
power_cycle
SOON=60 soon none_left
assert_contains "$(host tail -n 1 /var/lib/evenkeel/drills)" "the machine was booted: /etc/motd has its own end again"
assert_eq "$before" "$(fingerprint /etc/motd /etc/systemd/system)"

# A reboot: a system that goes down starts no cron any more, and does not wait for whoever would.
assert_exit 0 laptop apply web1 --yes
begun cron-stays-stopped
is_stopped() { [[ $(host systemctl is-active cron) == inactive ]]; }
soon is_stopped
kill -9 "$drilling"
boot_id() { host cat /proc/sys/kernel/random/boot_id; }
is_back() { [[ $(boot_id 2>/dev/null) != "$1" ]] && host true 2>/dev/null; }
first=$(boot_id)
host systemctl reboot || true
SOON=60 soon is_back "$first"
SOON=60 soon none_left
assert_contains "$(host tail -n 1 /var/lib/evenkeel/drills)" "cron-stays-stopped ends, the machine was booted"
assert_eq "$before" "$(fingerprint /etc/motd /etc/systemd/system)"

# With an agent: it is the agent that repairs, and it is told to have done it. One that is paused does not, and that is told before anything is done.
put site /root/site
assert_exit 0 keel agent install --local --site /root/site --host web1 --yes
corrected() { host_sh 'grep -c "\"event\":\"corrected\",\"id\":\"$1\"" /var/lib/evenkeel/agent/reports.jsonl || true' "$1"; }
starts() { host_sh 'grep -q "\"cause\":\"start\"" /var/lib/evenkeel/agent/reports.jsonl'; }
soon starts
assert_eq "0 0" "$(corrected file./etc/motd) $(corrected service.cron)"
assert_exit 0 laptop drill web1 agent-repairs-motd agent-repairs-cron --yes
assert_contains "$OUTPUT" "the agent made run "
assert_eq 2 "$(grep -c ' by agent$' <<<"$OUTPUT")"
assert_eq "1 1" "$(corrected file./etc/motd) $(corrected service.cron)"
assert_eq "" "$(left)"
assert_exit 0 keel agent pause --reason "moving" --for 1h
assert_exit 1 laptop drill web1 agent-repairs-motd --yes
assert_contains "$OUTPUT" "cannot be told here: the agent is paused by"
assert_eq "" "$(left)"

# In the booted box services were stopped and died as on a host, and after applies in the middle of drills it was raw again.
status=0; wait "$boxed" || status=$?
OUTPUT=$(<"$LAPTOP/boxed")
assert_eq 0 "$status" "of the box: $OUTPUT"
for part in "lookout-stops: passed" "lookout-dies: passed" "file-is-changed: passed" "unreachable: skipped, cannot be told here: nft is not on this host: the package nftables has it" "raw again" "1 test passed, 1 drill skipped"; do
    assert_contains "$OUTPUT" "$part"
done
assert_contains "$(<"$LAPTOP/junit.xml")" 'skipped="1"'
