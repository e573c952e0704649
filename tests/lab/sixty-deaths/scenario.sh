# The main job on a raw host, killed with -9 sixty-three times, also while apt and dpkg work: alone, or with everything that it has
# started. After each death every file is whole or not there; after each round the host is what an undisturbed run makes of one.
. "$LAB/lab.sh"

paths=(/srv/example /etc/nginx/sites-available/example.conf /etc/nginx/sites-enabled /etc/systemd/system/example-alive.service
    /etc/systemd/system/example-alive.timer)
# What a timer of the site writes by itself.
prints() { fingerprint "${paths[@]}" | grep -v /srv/example/state/; }

# What one death looks like, N times, each a STEP of a millisecond later; says how often a package manager was at work.
die() {
    host_sh '
        declare -A whole
        while read -r sum path; do whole[$path]=$sum; done </root/whole
        busy=0
        for ((at = 1; at <= $1; at++)); do
            rm -f /run/keel.pid
            setsid bash -c "echo \$\$ >/run/keel.pid; exec keel apply --local --yes -f /root/web/site.toml" \
                </dev/null >/root/killed.log 2>&1 &
            until [[ -s /run/keel.pid ]]; do sleep 0.01; done
            pid=$(cat /run/keel.pid)
            sleep "$(printf "%d.%03d" $((at * $2 / 1000)) $((at * $2 % 1000)))"
            ! { pgrep -x apt-get || pgrep -x dpkg; } >/dev/null || busy=$((busy + 1))
            if ((at % 2)); then kill -9 "$pid" || true; else pkill -9 -s "$pid" || true; fi
            wait
            for path in "${!whole[@]}"; do
                [[ ! -e $path ]] || [[ $(sha256sum <"$path") == "${whole[$path]} "* ]] ||
                    { echo "$path is neither absent nor whole, death $at" >&2; exit 1; }
            done
        done
        echo "$busy"' "$1" "$2"
}

# Back to a raw host, by hand.
undo() {
    host_sh 'systemctl disable --now --quiet example-alive.timer example-alive.service nginx 2>/dev/null || true
        DEBIAN_FRONTEND=noninteractive apt-get purge -qq -y nginx-light nginx-common >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get autoremove -qq -y --purge >/dev/null
        rm -rf /srv/example /etc/nginx /etc/systemd/system/example-alive.* /var/lib/evenkeel
        ! id example >/dev/null 2>&1 || userdel example
        systemctl daemon-reload; systemctl reset-failed'
}

put "$LAB_WORKSPACE/examples/web" /root/web
assert_exit 0 keel_on_host apply -f web/site.toml --yes
wanted=$(prints)
host_sh 'find /srv/example/pages /etc/nginx/sites-available/example.conf /etc/systemd/system/example-alive.* -type f -exec sha256sum {} + >/root/whole'
undo
during_apt=0
for step in 35 90 170; do
    busy=$(die 21 "$step")
    during_apt=$((during_apt + busy))
    assert_exit 0 keel_on_host apply -f web/site.toml --yes
    soon fetch :8080/style.css >/dev/null
    assert_contains "$(fetch :8080/)" "<h1>On an even keel</h1>"
    assert_eq "$wanted" "$(prints)" "after the round of $step ms"
    assert_eq "" "$(host dpkg --audit)"
    assert_eq "" "$(host systemctl --failed --no-legend)" "failed units"
    assert_eq "" "$(host find /srv/example /etc/nginx /etc/systemd/system /var/lib/evenkeel/runs -name '.*')" "left behind"
    assert_exit 0 keel_on_host plan -f web/site.toml
    [[ $step == 170 ]] || undo
done
echo "63 deaths, $during_apt of them while a package manager was at work"
((during_apt >= 10)) || lab_fail "only $during_apt deaths while a package manager was at work"
