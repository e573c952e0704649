# An agent is brought to a raw host over SSH, with keel itself: checked, in one step, and a second time changes nothing. It is paused and resumed
# from there. A newer keel that comes while a run goes on waits for its end where it is brought, and where somebody else puts it there; then
# the agent is the newer one, and settings that came with it are its own business.
# hosts: 1
. "$LAB/laptop.sh"

LAPTOP_SITE=$LAPTOP
laptop_knows web1
sha() { sha256sum "$1" | cut -d' ' -f1; }
there() { host sha256sum /usr/local/bin/keel | cut -d' ' -f1; }
pid() { host systemctl show -P MainPID evenkeel-agent; }
runs() { [[ $(host_sh 'sha256sum "/proc/$1/exe" | cut -d" " -f1' "$(pid)" 2>&1) == "$1" ]]; }
files=(/usr/local/bin/keel /etc/evenkeel /etc/evenkeel/agent.toml /etc/systemd/system/evenkeel-agent.service)

put site/host.toml /srv/site.toml
host touch /run/go
assert_exit 0 laptop agent install --yes -f /srv/site.toml web1
assert_eq "$(sha "$KEEL_BIN")" "$(there)"
assert_eq "755 root root" "$(host stat -c '%a %U %G' /usr/local/bin/keel)"
assert_eq active "$(host systemctl is-active evenkeel-agent)"
# However often it is started anew.
assert_eq 0 "$(host systemctl show -P StartLimitIntervalUSec evenkeel-agent)"
soon host grep -qx ended /run/ended
assert_eq kept "$(host cat /etc/kept)"

# Again: nothing is written, nothing is started anew.
before=$(snapshot "${files[@]}") first=$(pid)
assert_exit 0 laptop agent install --yes -f /srv/site.toml web1
assert_exit 0 laptop agent install --yes web1
assert_lacks "$OUTPUT" orphan "what is not said again is an orphan"
assert_eq "$before" "$(snapshot "${files[@]}")" "the second install wrote"
assert_eq "$first" "$(pid)" "the second install restarted it"

# How it is, for people and for programs.
assert_exit 0 laptop agent status web1
assert_contains "$OUTPUT" "running       process $first, since "
assert_contains "$OUTPUT" "source        file /srv/site.toml"
assert_exit 0 laptop agent status --format json web1
assert_eq "$first file /srv/site.toml" "$(jq -r 'select(.event == "agent") | "\(.running.pid) \(.status.source)"' <<<"$OUTPUT")"

# Paused, it leaves what somebody altered, also where it starts anew; resumed, it puts that right.
told() { host cat /var/lib/evenkeel/agent/reports.jsonl; }
paused() { [[ $(told | grep -c '"event":"paused"') == "$1" ]]; }
assert_exit 0 laptop agent pause --reason "moving the database" --for 2h --as ann web1
assert_contains "$OUTPUT" "paused        by ann until $(date -u -d '2 hours' +%Y-%m-%dT)"
assert_contains "$OUTPUT" "Z: moving the database"
soon paused 1
host_sh 'echo drift >/etc/kept'
host systemctl restart evenkeel-agent
soon paused 2
assert_eq drift "$(host cat /etc/kept)"
assert_exit 0 laptop agent resume --format json web1
assert_eq null "$(jq -r 'select(.event == "agent") | .paused' <<<"$OUTPUT")"
soon host grep -qx kept /etc/kept

# slow_run: the agent is in the middle of a run, and somebody alters what it keeps meanwhile.
slow_run() {
    host rm -f /run/go /run/began /run/ended /etc/slow-done
    host systemctl reload evenkeel-agent
    soon host test -e /run/began
    host_sh 'echo drift >/etc/kept'
}
# ended_well NUMBER: the run came to its end, once, and what was altered meanwhile is back.
ended_well() {
    assert_eq ended "$(host cat /run/ended)"
    soon host grep -qx kept /etc/kept
    soon host test -s "/var/lib/evenkeel/runs/$1/events"
    assert_contains "$(host tail -n 1 "/var/lib/evenkeel/runs/$1/events")" '"failed":0'
}
last_run() { host_sh 'ls /var/lib/evenkeel/runs | sort -n | tail -n 1'; }
# newer: another keel, that does the same.
newer() { mkdir -p "$LAPTOP/$1"; cp "$KEEL_BIN" "$(dirname "$KEEL_BIN")"/keel-agent-* "$LAPTOP/$1"; echo "$1" >>"$LAPTOP/$1/keel"; }

# Brought by another install: it waits for the run.
newer two
slow_run
number=$(last_run)
{ KEEL_BIN=$LAPTOP/two/keel laptop agent install --yes web1 >"$LAPTOP/out" 2>&1 && echo 0 >"$LAPTOP/status" || echo $? >"$LAPTOP/status"; } &
soon grep -q "agent" "$LAPTOP/out"
assert_eq "$(sha "$KEEL_BIN")" "$(there)" "it did not wait"
host touch /run/go
wait
assert_eq 0 "$(cat "$LAPTOP/status")" "$(cat "$LAPTOP/out")"
assert_eq "$(sha "$LAPTOP/two/keel")" "$(there)"
soon runs "$(there)"
ended_well "$number"

# Put there by somebody else, as a package would: the agent notices, ends its run, and starts anew.
newer three
put "$LAPTOP/three/keel" /usr/local/bin/keel.new
slow_run
number=$(last_run) second=$(pid)
host_sh 'mv /usr/local/bin/keel.new /usr/local/bin/keel; printf "\n[fights]\ncorrections = 7\n" >>/etc/evenkeel/agent.toml'
sleep 1
assert_eq "$second" "$(pid)" "it did not end its run"
host touch /run/go
soon runs "$(sha "$LAPTOP/three/keel")"
ended_well "$number"
assert_contains "$(told)" "another keel is in the place of this one"
assert_lacks "$(told)" "the settings were altered" "the older one read them"
assert_exit 0 host cmp /etc/evenkeel/agent.toml /var/lib/evenkeel/orders/settings.toml

# What the command line does not name stays as people wrote it.
assert_exit 0 laptop agent install --yes -f /srv/site.toml --every 1h web1
assert_exit 0 laptop agent install --yes --mode observe web1
assert_eq 'mode    = "observe"|every   = "3600s"|file = "/srv/site.toml"|corrections = 7' \
    "$(host grep -E '^(mode|every|file|corrections)' /etc/evenkeel/agent.toml | paste -sd'|')"
# What was said can be taken away; what was set for one site is not set for another, and that is told.
assert_exit 0 laptop agent install --yes --set port=80 --set motd=hunter2 --window 'Mon 02:00-04:00' web1
assert_exit 0 laptop agent install --yes --unset port --no-window web1
assert_eq 'windows = []|"motd" = "hunter2"' "$(host grep -E '^(windows|"?port|"?motd)' /etc/evenkeel/agent.toml | paste -sd'|')"
host cp /srv/site.toml /srv/other.toml
assert_exit 0 laptop agent install --yes -f /srv/other.toml web1
assert_contains "$OUTPUT" "what was set for the site before is no longer set: motd"
assert_lacks "$OUTPUT" hunter2
assert_exit 1 host grep -q motd /etc/evenkeel/agent.toml
assert_exit 0 laptop agent install --yes -f /srv/site.toml web1
assert_lacks "$OUTPUT" "no longer set"
# Settings that cannot be told are not taken for none.
host_sh 'mv /etc/evenkeel/agent.toml /root/kept; mkdir /etc/evenkeel/agent.toml'
assert_exit 3 laptop agent install --yes -f /srv/site.toml web1
assert_contains "$OUTPUT" "cannot tell its settings, /etc/evenkeel/agent.toml: "
host_sh 'rmdir /etc/evenkeel/agent.toml; mv /root/kept /etc/evenkeel/agent.toml'

# The password of sudo is asked for once, though the host is asked for its settings first.
password=$(tr -dc a-z0-9 </dev/urandom | head -c 16 || true)
host_sh 'useradd -m -s /bin/bash ops; install -d -m 0700 -o ops /home/ops/.ssh
    install -m 0600 -o ops /root/.ssh/authorized_keys /home/ops/.ssh/; echo "ops:$1" | chpasswd
    echo "ops ALL=(ALL) ALL" >/etc/sudoers.d/ops' "$password"
assert_exit 0 typed "assword" "$password" -- agent install --yes --ask-sudo-password --user ops --every 2h web1
assert_eq 1 "$(grep -o assword <<<"$OUTPUT" | wc -l)" "asked once"
assert_eq 'every   = "7200s"' "$(host grep '^every' /etc/evenkeel/agent.toml)"

# It goes as it came.
assert_exit 0 laptop agent uninstall --yes web1
assert_exit 0 host_sh '[[ ! -e /usr/local/bin/keel && ! -e /etc/systemd/system/evenkeel-agent.service && ! -e /etc/evenkeel/agent.toml ]]'
assert_exit 1 host pgrep -x keel
assert_exit 0 laptop agent status web1
assert_contains "$OUTPUT" "not running"

# Who has no settings there has to say them, and brings nothing.
assert_exit 1 laptop agent install --yes web1
assert_contains "$OUTPUT" "no agent was set up here before: say where the catalog comes from"
assert_exit 1 host test -e /usr/local/bin/keel
