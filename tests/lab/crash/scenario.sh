# keel is killed in the middle of a run. What it had written is whole; the next run takes up what is left, whatever its
# catalog says of it: a restart that was owed is still owed. Killed while apt works, it ends with a sound system.
# hosts: 2
. "$LAB/lab.sh"

# begin ARG…: keel apply in the background on the host; its process is in /run/keel.pid.
begin() {
    host_sh 'setsid bash -c "echo \$\$ > /run/keel.pid; exec keel apply --local --yes \"\$@\"" keel "$@" \
        </dev/null >/root/killed.log 2>&1 &' "$@"
}
kill_it() { host_sh 'kill -9 "$(cat /run/keel.pid)"; while kill -0 "$(cat /run/keel.pid)" 2>&-; do sleep 0.05; done'; }
until_there() { host_sh 'for try in {1..200}; do [[ -s $1 ]] && exit; sleep 0.05; done; cat /root/killed.log; exit 1' "$1"; }

put site /root/site
host touch /run/go
assert_exit 0 keel_on_host apply -f site/app.toml --set answer=one --yes
assert_eq one "$(host cat /run/app.answer)"
host rm -f /run/go /run/gate

# Killed when the file is new, and the service not yet restarted.
begin -f /root/site/app.toml --set answer=two
until_there /run/gate
kill_it
assert_eq "answer=two" "$(host cat /etc/app.conf)"
assert_eq "answer=one" "$(host cat /etc/app.done)"
assert_eq one "$(host cat /run/app.answer)" "not restarted yet"

# The next run finds the file as it should be, and restarts all the same; the one after that has nothing to do.
host touch /run/go
assert_exit 2 keel_on_host plan -f site/app.toml --set answer=two
assert_contains "$OUTPUT" "service.app will be refreshed"
assert_exit 0 keel_on_host apply -f site/app.toml --set answer=two --yes
host_sh 'for try in {1..100}; do [[ $(cat /run/app.answer) == two ]] && exit; sleep 0.05; done'
assert_eq two "$(host cat /run/app.answer)" "the owed restart"
assert_eq "answer=two" "$(host cat /etc/app.done)"
before=$(snapshot /etc/app.conf /etc/app.done) started=$(host systemctl show -P ActiveEnterTimestampMonotonic app)
assert_exit 0 keel_on_host apply -f site/app.toml --set answer=two --yes
assert_eq "$before" "$(snapshot /etc/app.conf /etc/app.done)"
assert_eq "$started" "$(host systemctl show -P ActiveEnterTimestampMonotonic app)" "restarted once more"

# The main job, killed again and again, each time later; apt and dpkg are in the middle of their work in some of them.
on_second() {
    put "$LAB_WORKSPACE/examples/web" /root/web
    assert_exit 0 keel --version
    for delay in 0.05 0.1 0.2 0.4 0.8 1.5; do
        begin -f /root/web/site.toml
        until_there /run/keel.pid
        sleep "$delay"
        kill_it || true
        host rm /run/keel.pid
    done
    assert_exit 0 keel_on_host apply -f web/site.toml --yes
    soon fetch :8080/style.css >/dev/null
    assert_contains "$(fetch :8080/)" "<h1>On an even keel</h1>"
    assert_eq "" "$(host dpkg --audit)"
    assert_eq "" "$(host systemctl --failed --no-legend)" "failed units"
    assert_eq "" "$(host find /srv/example /etc/nginx /etc/systemd/system -name '.*')" "left behind"
    assert_exit 0 keel_on_host plan -f web/site.toml
}
on 2 on_second
