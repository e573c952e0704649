# The checks of a site and of its modules on a raw host, inside and by its servers: what is so passes, what is not is told with its place and by the exit code, what
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

# TLS of a real server: what its certificate is, and how long it lasts. DNS of somebody who knows, and of nobody. A port that is shut, and one that says
# nothing: of that it is not known that it is shut.
host_sh 'cd /root
    printf "[req]\ndistinguished_name=d\n[d]\n[e]\nsubjectAltName=DNS:right.example.org\nbasicConstraints=critical,CA:FALSE\n" >c
    openssl req -x509 -config c -extensions e -subj /CN=x -newkey rsa:2048 -nodes -keyout tls.key -out tls.pem -days 10 2>/dev/null
    systemd-run -q openssl s_server -accept 8443 -key /root/tls.key -cert /root/tls.pem -www
    systemd-run -q perl -MIO::Socket::INET -e "$1"' \
    'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 5353, Proto => "udp") or die;
    while (defined $s->recv(my $q, 512)) {
        my ($id, $name) = (substr($q, 0, 2), substr($q, 12));
        my ($head, $end) = $name =~ /^\x03www/ ? ("\x85\x80\0\1\0\1\0\0\0\0", "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7") : ("\x85\x83\0\1\0\0\0\0\0\0", "");
        $s->send($id . $head . $name . $end);
    }'
network iptables -A INPUT -p tcp --dport 81 -j DROP
{
    https() { printf '[check.%s]\nhttp = { url = "https://%s.example.org:8443/", body = "s_server", tls = { %s } }\n' "$@"; }
    ca="ca = \"\"\"$(host cat /root/tls.pem)\"\"\""
    printf '[check.up]\nport = 8443\nwithin = "10s"\n[check.named]\nport = { number = 5353, protocol = "udp" }\nwithin = "10s"\n'
    https lasts right "$ca, valid_for = \"7d\""
    https ends right "$ca, valid_for = \"14d\""
    https called wrong "$ca"
    https trusted right ""
    printf '[check.%s]\nport = { number = %s, state = "%s" }\ntimeout = "1s"\n' filtered 81 closed silent 81 open shut 82 closed
    printf '[check.%s]\ndns = { server = "127.0.0.1:%s", name = "%s.example.org", %s }\n' \
        record 5353 www 'contains = ["192.0.2.7"]' other 5353 www 'contains = ["192.0.2.8"]' none 5353 gone 'absent = true' nobody 5354 gone 'absent = true'
} >"$LAPTOP/seen.toml"
assert_exit 0 laptop check web1 -f "$LAPTOP/seen.toml" --only up,named
assert_exit 1 laptop check web1 -f "$LAPTOP/seen.toml"
for part in "web1: 5 of 13 checks failed, 2 could not be told" "certificate: wanted valid for 14 days more, saw its end on " \
    "certificate: wanted for wrong.example.org, saw for right.example.org" "certificate: wanted by one whom this machine trusts, saw by somebody else" \
    "? filtered " "! silent " "no answer from 127.0.0.1:81" "www.example.org A: wanted 192.0.2.8, saw 192.0.2.7" "? nobody "; do
    assert_contains "$OUTPUT" "$part"
done

# What is to come is waited for.
printf '[check.comes]\nfile = "/srv/comes"\nwithin = "1m"\n' >"$LAPTOP/comes.toml"
host systemd-run --quiet --on-active=4 --timer-property=AccuracySec=100ms touch /srv/comes
assert_exit 0 laptop check web1 -f "$LAPTOP/comes.toml"
host test -e /srv/comes
host mkdir /srv/page
assert_exit 0 laptop check web1 --only 'page/*'

# A file system that does not answer, where this kernel can have one: its daemon takes each question and says nothing, so that whoever asked cannot even
# be killed. In time, nothing can be told of what is there, and of all else it can; no agent and no keel is left behind.
if [[ -e /dev/fuse ]]; then
    host mkdir /srv/dead
    exec 9<>/dev/fuse
    nsenter --mount="/proc/${LAB_INIT_LIST[0]}/ns/mnt" mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 dead /srv/dead
    perl -e 'open my $fuse, "+<&=", 9 or die; while (sysread $fuse, my $question, 1 << 20) {
        my ($operation, $number) = unpack "x4 L Q", $question;
        next if $operation != 26;  # FUSE_INIT
        my $says = pack "L4 S2 L2 S2 L x28", 7, 31, unpack("x48 L", $question), 0, 12, 10, 4096, 1, 0, 0, 0;
        syswrite $fuse, pack("L l Q", 16 + length $says, 0, $number) . $says;
    }' &
    daemon=$!
    printf '[check.dead]\nfile = "/srv/dead/x"\ntimeout = "2s"\n[check.srv]\nfile = "/srv"\n[check.mounted]\nmount = "/srv/dead"\n' >"$LAPTOP/dead.toml"
    put "$LAPTOP/dead.toml" /root/dead.toml
    for look in "laptop check web1 --no-keep -f $LAPTOP/dead.toml" "keel check --local -f dead.toml"; do
        SECONDS=0
        assert_exit 1 $look
        ((SECONDS < 30)) || lab_fail "$look took $SECONDS s"
        assert_contains "$OUTPUT" "1 of 3 checks could not be told"
        assert_contains "$OUTPUT" "cannot tell the state of /srv/dead/x: it did not answer within 2 s"
    done
    assert_exit 3 laptop check web1 --no-keep -f "$LAPTOP/dead.toml" --exit monitor
    all_gone() { host_sh '! pgrep ^keel >/dev/null'; }
    soon all_gone
    assert_contains "$(host_sh 'ps -eo stat,args')" "stat -L -- /srv/dead/x" "nobody waits for the daemon:"
    kill "$daemon"
    exec 9<&-
    all_woke() { host_sh '! pgrep -x stat >/dev/null'; }
    soon all_woke
fi

# The same on the host itself, and a host that is not there.
put site /root/site
assert_exit 0 keel check --local web1 --site site --only 'sshd-*,page/*'
assert_contains "$OUTPUT" "5 checks passed"
host systemctl stop ssh.service
assert_exit 4 laptop check web1 --no-keep --only apt
assert_contains "$OUTPUT" "? web1: could not be asked"
assert_exit 3 laptop check web1 --no-keep --only apt --exit monitor
