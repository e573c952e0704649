# What makes one configuration changes together: nginx sees all of it before anybody else does. What it rejects was never there,
# and is served on as it was; what it accepts is read once. Killed while it is asked, and killed before the restart, the next run
# ends right; a restart that a later check kept back is made up for, whatever the run is for.
. "$LAB/lab.sh"

# Counts every start, and starts as often as it is asked to. The check can be held up, and shows by /run/asked that it has begun.
host mkdir -p /etc/systemd/system/nginx.service.d
printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStartPost=/bin/sh -c "echo start >> /root/starts"\n' |
    host_write /etc/systemd/system/nginx.service.d/count.conf
host_write /usr/local/bin/check-nginx 0755 <<'CHECK'
#!/bin/sh
echo asked >> /run/asked
while [ -e /run/hold ]; do sleep 0.05; done
exec nginx -t -q
CHECK
put site /root/site
starts() { host_sh 'grep -c start /root/starts'; }
apply() { keel_on_host apply -f site/web.toml --yes "$@"; }
old=(--set zone=one --set uses=one --set page=first) new=(--set zone=two --set uses=two --set page=second)
places=(/etc/nginx/conf.d /etc/nginx/snippets /etc/nginx/sites-available /etc/nginx/sites-enabled)
nothing_left() { assert_eq "" "$(host find /etc/nginx -name '.*keel*')" "left behind"; }
begin() {
    host_sh 'rm -f /run/asked /run/gate; setsid bash -c "echo \$\$ > /run/keel.pid; exec keel apply --local --yes \"\$@\"" keel "$@" \
        </dev/null >/root/killed.log 2>&1 &' -f /root/site/web.toml "$@"
}
kill_it() { host_sh 'kill -9 "$(cat /run/keel.pid)"; while kill -0 "$(cat /run/keel.pid)" 2>&-; do sleep 0.05; done'; }
until_there() { host_sh 'for try in {1..200}; do [[ -s $1 ]] && exit; sleep 0.05; done; cat /root/killed.log; exit 1' "$1"; }

# A raw host. The package starts nginx by itself; then it reads the new configuration once.
assert_exit 0 apply "${old[@]}"
soon serves first /
host_sh ': > /root/starts'
assert_exit 0 apply "${old[@]}"
assert_eq "as desired: 7 unchanged" "$OUTPUT"

# A pair that does not fit: nothing of it was ever in place, and nothing was restarted.
assert_exit 2 keel_on_host plan -f site/web.toml --set zone=two --set uses=three --set page=second
assert_contains "$OUTPUT" "all or nothing, once it is checked: file./etc/nginx/conf.d/zone.conf"
before=$(snapshot "${places[@]}" | grep -vP '\td\t') pid=$(host systemctl show -P MainPID nginx)
assert_exit 1 apply --set zone=two --set uses=three --set page=second
assert_contains "$OUTPUT" 'zero size shared memory zone "three"'
assert_eq "$before" "$(snapshot "${places[@]}" | grep -vP '\td\t')" "something changed"
assert_eq "$pid 0" "$(host systemctl show -P MainPID nginx) $(starts || true)" "restarted"
nothing_left
serves first /

# One that fits changes all at once, and is read once.
assert_exit 0 apply "${new[@]}"
soon serves second /
assert_eq 1 "$(starts)" "the restarts after one change"
nothing_left
assert_exit 0 keel_on_host plan -f site/web.toml "${new[@]}"

# Killed while nginx is asked: nothing was in place yet. The next run gets there, and leaves nothing lying about.
host touch /run/hold
before=$(fingerprint "${places[@]}" | grep -v keel)
begin "${old[@]}"
until_there /run/asked
kill_it
assert_eq "$before" "$(fingerprint "${places[@]}" | grep -v keel)" "in place before it was accepted"
assert_contains "$(host find /etc/nginx -name '.*keel*')" keel "it was killed in the middle:"
host rm /run/hold
assert_exit 0 apply "${old[@]}"
soon serves first /
assert_eq 2 "$(starts)"
nothing_left

# Killed between the files and the restart: that is owed, and kept back by a check that fails for another reason; once that is
# mended, a run that is for something else answers it.
begin --set late=true "${new[@]}"
until_there /run/gate
kill_it
assert_eq 2 "$(starts)" "not restarted yet"
host_sh 'echo nonsense > /etc/nginx/conf.d/foreign.conf'
assert_exit 1 apply "${new[@]}"
assert_contains "$OUTPUT" 'unexpected end of file'
assert_eq 2 "$(starts)" "restarted on a bad configuration"
serves first /
host rm /etc/nginx/conf.d/foreign.conf
assert_exit 2 keel_on_host plan -f site/web.toml "${new[@]}"
assert_exit 2 keel_on_host plan -f site/other.toml
assert_contains "$OUTPUT" "service.nginx is owed a refresh"
assert_exit 0 keel_on_host apply -f site/other.toml --yes
soon serves second /
assert_eq 3 "$(starts)" "the owed restart"
assert_exit 0 apply "${new[@]}"
assert_eq 3 "$(starts)" "restarted once more"

# The way back brings back every file, and nginx reads them.
assert_exit 0 keel_on_host rollback --yes 3
soon serves first /
assert_eq 4 "$(starts)"
nothing_left
