# A host with an agent: what somebody alters is back at once, what is only observed is told and left, a pause is honoured, who fights is
# left alone, and nothing is done while nothing happens.
. "$LAB/lab.sh"

# back WHAT COMMAND [ARG…]: how many milliseconds after this command the condition `even WHAT` holds again; two seconds at most. A value that was
# changed without a sound has more, and a package.
back() {
    local what=$1; shift
    host_sh '
        what=$1; shift
        even() {
            case $what in
                motd) [[ $(cat /etc/motd 2>/dev/null) == "Evenkeel keeps this." && $(stat -c %a:%U /etc/motd) == 644:root ]] ;;
                unit) systemctl -q is-active lookout ;;
                user) [[ $(getent passwd sailor) == *:/bin/bash ]] ;;
                mount) [[ $(findmnt -no OPTIONS /srv/scratch) == rw,*size=1024k* && $(cat /srv/scratch/note 2>&1) == Here. ]] && grep -q scratch /etc/fstab ;;
                sysctl | unheard) [[ $(cat /proc/sys/net/ipv4/tcp_keepalive_time) == 1234 && -s /etc/sysctl.d/60-keel-net.ipv4.tcp_keepalive_time.conf ]] ;;
                package) dpkg-query -W -f "\${db:Status-Status}" netcat-openbsd 2>/dev/null | grep -qx installed ;;
            esac
        }
        even || { echo "$what was not even before" >&2; exit 1; }
        "$@" >/dev/null 2>&1
        start=$(date +%s%N) limit=400
        [[ $what != package ]] || limit=6000
        [[ $what != unheard ]] || limit=2400
        for ((try = 0; try < limit; try++)); do
            ! even || { echo $((($(date +%s%N) - start) / 1000000)); exit; }
            sleep 0.005
        done
        echo "$what did not come back after $*" >&2; exit 1' "$what" "$@"
}
pid() { host systemctl show -P MainPID evenkeel-agent; }
told() { host cat /var/lib/evenkeel/agent/reports.jsonl; }
# looked_at CAUSE COUNT: the last look was for that, at so many resources.
looked_at() {
    [[ $(host cat /var/lib/evenkeel/agent/status | jq -r '.last | "\(.cause) \([.report | .changed, .unchanged, .failed, .skipped, .unknown] | add)"') == "$1 $2" ]]
}
# has told SOMETHING
says() { [[ $(told) == *"$1"* ]]; }

own=$(cat /proc/sys/net/ipv4/tcp_keepalive_time)
put site /root/site
host apt-get update -qq
assert_exit 0 keel_on_host apply -f site/host.toml --yes
assert_exit 0 keel agent install --local -f site/host.toml --yes
assert_eq active "$(host systemctl is-active evenkeel-agent)"
before=$(snapshot /etc/evenkeel/agent.toml /etc/systemd/system/evenkeel-agent.service) first=$(pid)
assert_exit 0 keel agent install --local --yes
assert_eq "$before" "$(snapshot /etc/evenkeel/agent.toml /etc/systemd/system/evenkeel-agent.service)" "the second install wrote"
assert_eq "$first" "$(pid)" "the second install restarted it"
soon says '"cause":"start"'
assert_exit 0 keel agent status
assert_contains "$OUTPUT" "running       process $first"

# Whatever is done to a file, a unit, an account, a package, a mount or a value of the kernel, it is back: also where no write was heard of, as through
# another mount of proc.
host_sh 'mkdir /run/proc; mount -t proc proc /run/proc'
times="sed $(back motd sed -i s/keeps/kept/ /etc/motd) ms"
# Nobody else was looked at.
soon looked_at event 1
times+=", rm $(back motd rm /etc/motd) ms"
times+=", chmod $(back motd chmod 0600 /etc/motd) ms"
times+=", mv $(back motd bash -c 'echo mine >/etc/other && mv /etc/other /etc/motd') ms"
times+=", unit $(back unit bash -c 'systemctl kill -s KILL lookout; while systemctl -q is-active lookout; do :; done') ms"
times+=", user $(back user usermod -s /bin/sh sailor) ms"
times+=", umount $(back mount umount /srv/scratch) ms"
times+=", on it $(back mount sh -c 'echo mine >/srv/scratch/note') ms"
times+=", remount $(back mount mount -o remount,ro /srv/scratch) ms"
times+=", fstab $(back mount sed -i /scratch/d /etc/fstab) ms"
times+=", value $(back sysctl sh -c 'echo 7201 >/proc/sys/net/ipv4/tcp_keepalive_time') ms"
times+=", its file $(back sysctl rm /etc/sysctl.d/60-keel-net.ipv4.tcp_keepalive_time.conf) ms"
times+=", value unheard $(back unheard sh -c 'echo 7202 >/run/proc/sys/net/ipv4/tcp_keepalive_time') ms"
host umount /run/proc
assert_eq "$own" "$(cat /proc/sys/net/ipv4/tcp_keepalive_time)" "the value of this machine"
times+=", package $(back package dpkg -r netcat-openbsd) ms"
echo "back after: $times"
soon says '"id":"package.netcat-openbsd","because":"drift"'

# What is only observed is told, and left.
host_sh 'echo mine >/etc/issue'
soon says '"event":"drift","id":"file./etc/issue"'
assert_eq mine "$(host cat /etc/issue)"
assert_exit 0 keel agent status
assert_contains "$OUTPUT" "drift         file./etc/issue"
host_sh 'echo "Leave me, and say so." >/etc/issue'
soon says '"event":"even","id":"file./etc/issue"'

# While nothing happens as good as nothing is done: the values of the kernel are read every ten seconds, which wakes it once. The manager of
# units may have something to say of others meanwhile: it counts when nobody did. Little memory is held: of its own, for a program that is not optimized has 40 MB of code alone.
at_rest() {
    local woken ticks
    read -r woken ticks < <(host_sh '
        woken() { cat /proc/"$1"/task/*/status | awk "/^voluntary_ctxt_switches/ { sum += \$2 } END { print sum }"; }
        ticks() { awk "{ print \$14 + \$15 }" "/proc/$1/stat"; }
        sleep 0.5
        before="$(woken "$1") $(ticks "$1")"; sleep 10
        echo "$(woken "$1") $(ticks "$1") $before" | awk "{ print \$1 - \$3, \$2 - \$4 }"' "$(pid)")
    echo "in ten seconds: woken $woken times, $ticks ticks of the processor"
    ((woken <= 3 && ticks <= 1))
}
soon at_rest
own=$(host_sh 'awk "/^RssAnon/ { print \$2 }" "/proc/$1/status"' "$(pid)")
echo "memory: $(host_sh 'grep -E "^(VmRSS|RssAnon|RssFile)" "/proc/$1/status" | tr -s "\n\t " " "' "$(pid)")"
((own < 15 * 1024)) || { echo "$own kB of its own" >&2; exit 1; }

# A pause is honoured, also by an agent that is started anew, and ends when it is told to.
assert_exit 0 keel agent pause --reason "a try" --for 1h
host systemctl restart evenkeel-agent
host rm /etc/fought
sleep 1
assert_exit 1 host test -e /etc/fought
assert_exit 0 keel agent status
assert_contains "$OUTPUT" "a try"
assert_exit 0 keel agent resume
soon host test -e /etc/fought
assert_exit 0 keel agent pause --reason "a moment" --for 3s
host rm /etc/fought
soon host test -e /etc/fought

# So is a lock that ends by itself: nobody waits for the schedule.
assert_exit 0 keel_on_host lock --reason "a try" --for 5s
host rm /etc/fought
sleep 1
assert_exit 1 host test -e /etc/fought
SOON=30 soon host test -e /etc/fought

# Killed, it is there again, and what was altered meanwhile is put right.
host_sh 'kill -9 "$1"; echo mine >/etc/motd' "$(pid)"
soon host grep -qx "Evenkeel keeps this." /etc/motd
assert_eq "" "$(host find /etc -name '.motd*')" "left behind"

# A changed site is no drift.
host sed -i 's/keeps this/keeps that/' /root/site/host.toml
soon host grep -qx "Evenkeel keeps that." /etc/motd
soon says '"id":"file./etc/motd","because":"intended"'

# What somebody rolls back stays so, until the site says something else.
assert_exit 0 keel_on_host rollback --yes
soon says '"event":"held","id":"file./etc/motd","left":"it was rolled back'
assert_eq "Evenkeel keeps this." "$(host cat /etc/motd)"
host sed -i 's/keeps that/keeps what you say/' /root/site/host.toml
soon host grep -qx "Evenkeel keeps what you say." /etc/motd

# A directory that comes into one that is copied is watched as that is.
host_sh 'mkdir /root/site/files/tree/deep; echo ours >/root/site/files/tree/deep/two'
soon host grep -qx ours /srv/tree/deep/two
host_sh 'echo mine >/srv/tree/deep/two'
soon host grep -qx ours /srv/tree/deep/two

# Nor does anybody hide it: what is mounted over a directory makes no sound in there.
host_sh 'mkdir /root/over; mount --bind /root/over /srv/tree/deep'
soon host grep -qx ours /root/over/two
host_sh 'umount /srv/tree/deep; echo mine >/srv/tree/deep/two'
soon host grep -qx ours /srv/tree/deep/two

# Who changes it again and again wins for a while, and is told of.
host_sh 'for ((i = 0; i < 400; i++)); do
    [[ $(cat /etc/fought) == mine ]] || echo mine >/etc/fought
    sleep 0.02
    ! grep -q "\"event\":\"fight\"" /var/lib/evenkeel/agent/reports.jsonl || break
done'
soon says '"event":"fight","id":"file./etc/fought"'
host_sh 'echo mine >/etc/fought'
sleep 1
assert_eq mine "$(host cat /etc/fought)"
assert_exit 0 keel agent status
assert_contains "$OUTPUT" "fight         file./etc/fought"

# The journal of the host knows it by its fields, and the history of runs as any other.
soon host_sh 'journalctl -q EVENKEEL_EVENT=fight EVENKEEL_RESOURCE=file./etc/fought | grep -q corrected'
assert_contains "$(host cat /var/lib/evenkeel/agent/reports.jsonl)" '"event":"corrected","id":"service.lookout","because":"drift"'

# It goes as it came.
assert_exit 0 keel agent uninstall --local --yes
assert_exit 0 host_sh '[[ ! -e /etc/systemd/system/evenkeel-agent.service ]] && ! systemctl -q is-active evenkeel-agent'
assert_exit 0 keel agent status
assert_contains "$OUTPUT" "not running"
