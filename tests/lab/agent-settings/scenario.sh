# What an agent is set to: by a timer, in windows, at its own time, observing or correcting; what could lock people out waits; who fights is
# named; where the kernel watches no more the schedule takes over. Settings are read again when they are altered, and bad ones are told.
. "$LAB/lab.sh"

status() { host cat /var/lib/evenkeel/agent/status | jq -r "$1"; }
status_is() { [[ $(status "$1" 2>/dev/null) == "$2" ]]; }
told() { [[ $(host cat /var/lib/evenkeel/agent/reports.jsonl) == *"$1"* ]]; }
# What is told first is written into its status a moment later.
shows() { [[ $(keel agent status) == *"$1"* ]]; }
is() { [[ $(host cat "$1" 2>/dev/null) == "$2" ]]; }
# settings LINE…: what stands in agent.toml from now on, besides where the site is.
settings() {
    { printf '%s\n' "$@"; printf '[source]\nsite = "/root/site"\nroles = ["web"]\n'; } >"$SCRATCH"
    host_write /etc/evenkeel/agent.toml 0600 <"$SCRATCH"
}
# Starts it anew, and waits until it has looked: what the one before has left says nothing of that.
anew() {
    host_sh 'systemctl stop evenkeel-agent; rm -f /var/lib/evenkeel/agent/status; systemctl start evenkeel-agent'
    soon status_is '.last.cause' start
}
SCRATCH=$(mktemp)
trap 'rm -f "$SCRATCH"' EXIT

put site /root/site
host mkdir -p /etc/evenkeel

# By a timer: nobody is there in between.
assert_exit 0 keel agent install --local --site /root/site --role web --every 1h --timer --yes
assert_eq "active 1h enabled" "$(host_sh 'systemctl is-active evenkeel-agent.timer; systemctl show -P RandomizedDelayUSec evenkeel-agent.timer; systemctl is-enabled evenkeel-agent.timer' | paste -sd' ')"
assert_exit 0 keel agent install --local --timer --yes
assert_contains "$OUTPUT" "as desired: " "the second install changed something"
assert_exit 0 host systemctl start evenkeel-agent.service
assert_eq "Evenkeel keeps this." "$(host cat /etc/motd)"
host_sh 'echo mine >/etc/motd'
sleep 1
assert_eq "mine" "$(host cat /etc/motd)"
assert_eq "inactive 0" "$(host_sh 'systemctl is-active evenkeel-agent.service || true; pgrep -c -x keel || true' | paste -sd' ')"
assert_exit 0 host systemctl start evenkeel-agent.service
assert_eq "Evenkeel keeps this." "$(host cat /etc/motd)"

# A mistake in the settings fails its unit, which says where it is; nothing is looked at, and `status` knows.
host cp /etc/evenkeel/agent.toml /root/agent.toml
host_sh 'echo mine >/etc/always; sed -i "s/^every .*/every = \"soon\"/" /etc/evenkeel/agent.toml'
assert_exit 1 host systemctl start evenkeel-agent.service
assert_eq "failed 3" "$(host_sh 'systemctl is-failed evenkeel-agent.service; systemctl show -P ExecMainStatus evenkeel-agent.service' | paste -sd' ')"
soon host_sh 'journalctl -q -u evenkeel-agent.service | grep -q "this is no duration"'
soon shows "bad settings  /etc/evenkeel/agent.toml:3:9: this is no duration"
assert_eq "mine" "$(host cat /etc/always)"
host mv /root/agent.toml /etc/evenkeel/agent.toml
assert_exit 0 host systemctl start evenkeel-agent.service
assert_eq "always ours" "$(host cat /etc/always)"
assert_exit 0 keel agent status
assert_lacks "$OUTPUT" "bad settings"

# As a service, which looks at a time of its own: the same after a restart, and none of its own without splay.
settings 'every = "1h"'
assert_exit 0 keel agent install --local --yes
soon host_sh '! systemctl -q is-active evenkeel-agent.timer && systemctl -q is-active evenkeel-agent'
soon status_is '.last.cause' start
own=$(date -d "$(status .next)" +%s)
anew
assert_eq $((own % 3600)) $(($(date -d "$(status .next)" +%s) % 3600))
settings 'every = "1h"' 'splay = false'
soon told "the settings were altered, and are in force"
soon host_sh '(($(date -d "$(sed "s/.*\"next\":\"\([^\"]*\)\".*/\1/" /var/lib/evenkeel/agent/status)" +%s) % 3600 == 0))'

# Outside of the windows nothing is put right, and is as soon as there is none.
altered() { host grep -c "the settings were altered, and are in force" /var/lib/evenkeel/agent/reports.jsonl; }
before=$(altered)
more() { (($(altered) > before)); }
settings "windows = [\"$(date -u -d '2 days' +%a) 03:00-03:01\"]"
soon more
host_sh 'echo mine >/etc/motd'
soon status_is '.drift["file./etc/motd"].left' "it is outside the maintenance windows"
assert_eq "mine" "$(host cat /etc/motd)"
assert_eq "$(date -u -d '2 days' +%F)T03:00:00Z" "$(status .opens)"
settings
soon is /etc/motd "Evenkeel keeps this."

# A mistake is told at its place, and what stood there before stays in force.
settings 'mode = "observe"' 'every = "soon"'
soon told "/etc/evenkeel/agent.toml:2:9: this is no duration"
host_sh 'echo mine >/etc/motd'
soon is /etc/motd "Evenkeel keeps this."
host_sh 'echo "# a comment" >>/root/site/roles/web.toml'
soon shows "bad settings  /etc/evenkeel/agent.toml:2:9: this is no duration"
assert_exit 0 keel agent status
assert_lacks "$OUTPUT" "stays in force: "

# So it is for an agent that starts anew meanwhile.
anew
soon status_is '.bad_settings' "/etc/evenkeel/agent.toml:2:9: this is no duration"
host_sh 'echo mine >/etc/always'
soon is /etc/always "always ours"

# What is observed: of a module, of the host; and what is corrected all the same.
settings
soon status_is .bad_settings null
host_sh 'echo mine >/etc/of-a-module'
soon status_is '.drift["file./etc/of-a-module"].left' "it is only observed"
settings 'mode = "observe"'
soon status_is .mode observe
host_sh 'echo mine >/etc/motd; echo mine >/etc/always'
soon is /etc/always "always ours"
soon status_is '.drift["file./etc/motd"].left' "it is only observed"
assert_eq "mine mine" "$(host cat /etc/motd /etc/of-a-module | paste -sd' ')"
settings
soon is /etc/motd "Evenkeel keeps this."

# What could lock people out waits for somebody who would notice.
host_sh 'printf "\n[file.\"/etc/ssh/sshd_config.d/late.conf\"]\ncontent = \"LoginGraceTime 33\\\\n\"\non_removal = \"remove\"\n" >>/root/site/roles/web.toml'
soon told '"event":"held","id":"file./etc/ssh/sshd_config.d/late.conf"'
assert_exit 1 host test -e /etc/ssh/sshd_config.d/late.conf
soon shows "waits         file./etc/ssh/sshd_config.d/late.conf: it could lock people out"
settings 'delicate = "apply"'
soon is /etc/ssh/sshd_config.d/late.conf "LoginGraceTime 33"
settings
soon told '"event":"corrected","id":"file./etc/ssh/sshd_config.d/late.conf"'
host sed -i '/late.conf/,$d' /root/site/roles/web.toml
soon shows "waits         file./etc/ssh/sshd_config.d/late.conf: it could lock people out"
assert_exit 0 host test -e /etc/ssh/sshd_config.d/late.conf
settings 'delicate = "apply"'
soon host test ! -e /etc/ssh/sshd_config.d/late.conf

# Who fights is named: its process and its command.
host_write /usr/local/bin/fighter 0755 <<'END'
#!/bin/sh
while sleep 0.05; do
    read -r line </etc/fought
    [ "$line" = mine ] || echo mine >/etc/fought
done
END
host systemd-run --quiet --unit=fighter /usr/local/bin/fighter
soon told '"event":"fight","id":"file./etc/fought"'
fighter=$(host systemctl show -P MainPID fighter)
named() { other=$(status '.fights["file./etc/fought"].other') && [[ $other != null ]]; }
soon named
assert_contains "$other" "$fighter"
assert_contains "$other" "fighter"
host systemctl stop fighter

# Where the kernel watches no more that is said, and the schedule takes over. The limit is that of a user namespace of its own.
host systemctl stop evenkeel-agent
settings 'every = "2s"' 'splay = false'
host_sh 'mkdir -p /run/proc; mount -t proc proc /run/proc'
unwatched() { # LIMIT VALUE
    host rm -f /var/lib/evenkeel/agent/reports.jsonl
    host_sh "systemd-run --quiet --unit=few-$1 unshare --user --map-root-user sh -c '
        echo $2 >/run/proc/sys/user/max_inotify_$1 && exec /usr/local/bin/keel agent run'"
    soon told '"event":"unwatched"'
    soon told '"cause":"start"'
    soon shows "raise fs.inotify.max_user_$1"
    host_sh 'echo mine >/etc/motd'
    soon is /etc/motd "Evenkeel keeps this."
    soon told '"cause":"schedule"'
    host systemctl stop "few-$1"
}
unwatched watches 2
unwatched instances 0

# One that ran all the time runs by the timer alone then, also where it was disabled before.
all_the_time() { assert_exit 0 keel agent install --local --yes; soon host systemctl -q is-active evenkeel-agent; }
by_timer() { assert_exit 0 keel agent install --local --timer --yes; assert_eq inactive "$(host_sh 'systemctl is-active evenkeel-agent || true')"; }
settings
all_the_time
by_timer
all_the_time
host systemctl disable --quiet evenkeel-agent
by_timer
assert_exit 0 keel agent install --local --timer --yes
assert_contains "$OUTPUT" "as desired: "
