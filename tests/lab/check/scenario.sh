# The checks of a site and of its modules on a raw host: what is so passes, what is not is told with its place and by the exit code, what
# cannot be told is neither; a check waits for what is to come. Nothing on the host is changed by looking.
# hosts: 1
. "$LAB/laptop.sh"

laptop_knows web1
paths=(/etc /srv /usr/bin /var/lib/dpkg/status /root)
before=$(fingerprint "${paths[@]}")

# What any host of the lab is, inside and from here.
assert_exit 0 laptop check web1 --only 'sshd-*,admin,apt,proc,linux,as-*'
assert_contains "$OUTPUT" "web1: 10 checks passed"
assert_exit 0 laptop check web1 --only apt --format json
assert_contains "$OUTPUT" '"failed":0,"passed":1,"unasked":[],"unknown":0'

# What is not so has a place, and an exit code for everybody.
assert_exit 1 host dpkg-query -W nginx-light
assert_exit 1 laptop check web1
assert_contains "$OUTPUT" "web1: 4 of 15 checks failed, 1 could not be told"
assert_contains "$OUTPUT" "! nginx  tests/wanted.toml:3:8"
assert_contains "$OUTPUT" "pages need a server"
assert_contains "$OUTPUT" "nginx-light: wanted installed, saw no such package"
assert_contains "$OUTPUT" ":80 refuses connections"
assert_contains "$OUTPUT" "saw $(address):443 refuses connections"
assert_contains "$OUTPUT" "? no-tool  tests/wanted.toml:14:8"
assert_contains "$OUTPUT" "! page/is-there  modules/page/tests/page.toml:1:8"
assert_lacks "$OUTPUT" "elsewhere"
assert_exit 0 laptop check web1 --exit monitor --only apt
assert_exit 1 laptop check web1 --exit monitor --only apt,answers
assert_exit 2 laptop check web1 --exit monitor
assert_exit 3 laptop check web1 --exit monitor --only apt,no-tool
assert_exit 3 laptop check web1 --only aptt
assert_contains "$OUTPUT" "did you mean \`apt\`?"

# What others read.
assert_exit 1 laptop check web1 --format junit
assert_contains "$OUTPUT" '<testsuite name="web1" tests="15" failures="4" errors="1"'
assert_exit 1 laptop check web1 --format prometheus
assert_contains "$OUTPUT" 'keel_check_passed{host="web1",check="nginx",subject="package",severity="critical"} 0'
assert_contains "$OUTPUT" 'keel_check_known{host="web1",check="no-tool",subject="command",severity="critical"} 0'

assert_eq "$before" "$(fingerprint "${paths[@]}")" "looking changed something"
assert_eq "" "$(host_sh 'find /var/lib/evenkeel/runs -mindepth 1 2>&- || true')" "looking made a run"

# What is to come is waited for.
printf '[check.comes]\nfile = "/srv/comes"\nwithin = "1m"\n' >"$LAPTOP/comes.toml"
host systemd-run --quiet --on-active=4 --timer-property=AccuracySec=100ms touch /srv/comes
assert_exit 0 laptop check web1 -f "$LAPTOP/comes.toml"
host test -e /srv/comes
host mkdir /srv/page
assert_exit 0 laptop check web1 --only 'page/*'

# The same on the host itself, and a host that is not there.
put site /root/site
assert_exit 0 keel check --local web1 --site site --only 'sshd-*,page/*'
assert_contains "$OUTPUT" "5 checks passed"
host systemctl stop ssh.service
assert_exit 4 laptop check web1 --no-keep --only apt
assert_contains "$OUTPUT" "? web1: could not be asked"
assert_exit 3 laptop check web1 --no-keep --only apt --exit monitor
