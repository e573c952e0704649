# A version that no source offers any more comes back from the file that was kept of it, and one whose file is nowhere is told before anything
# is changed. Who holds a package finds it held after a change that died half way. A group comes back with its password and administrators, and
# the home of a user goes with him also where the run died that made both.
. "$LAB/lab.sh"

put site /root/site
# apt-get keeps what it had to fetch, and nothing of a `file:` source.
sed 's,file:/srv,copy:/srv,' ../dpkg/offer | host_write /root/offer 0755
only() { host_sh 'rm -f /srv/odd/odd_*.deb; /root/offer "$1"' "$1"; }
version() { host_sh 'dpkg-query -W -f "\${db:Status-Want} \${db:Status-Status} \${Version} " odd; cat /etc/odd.conf'; }

only 1:1
assert_exit 0 keel_on_host apply --yes -f site/odd.toml
only 1:2
assert_exit 0 keel_on_host apply --yes -f site/odd.toml
assert_eq "install installed 1:2 version 1:2" "$(version)"
host_sh '! apt-cache policy odd | grep -q 1:1'

# ---- from the file that was kept -----------------------------------------------------------------------------------------------

# The cache is cleaned: what was kept is a name of its own.
host apt-get clean
assert_exit 2 keel_on_host rollback --plan
assert_contains "$OUTPUT" "1:1, from the file that was kept"
assert_exit 0 keel_on_host rollback --yes
assert_eq "install installed 1:1 version 1:1" "$(version)"
assert_eq 700 "$(host stat -c %a /var/lib/evenkeel/debs)"

# The rollback is rolled back: that version is still on offer.
assert_exit 2 keel_on_host rollback --plan
assert_contains "$OUTPUT" "1:2, from the package sources"
assert_exit 0 keel_on_host rollback --yes
assert_eq "install installed 1:2 version 1:2" "$(version)"

# ---- from nowhere --------------------------------------------------------------------------------------------------------------

host_sh 'apt-get clean; rm /var/lib/evenkeel/debs/*'
only 1:3
assert_exit 0 keel_on_host apply --yes -f site/odd.toml
assert_exit 1 keel_on_host rollback --yes
assert_contains "$OUTPUT" "no package source offers 1:2 of package odd any more, and its file was not kept"
assert_eq "install installed 1:3 version 1:3" "$(version)"

# ---- held ----------------------------------------------------------------------------------------------------------------------

only 1:4
host_sh 'apt-mark hold odd >/dev/null; touch /run/odd.hold.postinst
    setsid keel apply --local --yes -f /root/site/fourth.toml </dev/null >/root/killed.log 2>&1 &
    for try in {1..600}; do [[ ! -e /run/odd.in.postinst ]] || break; sleep 0.05; done
    for victim in keel apt-get dpkg odd.postinst; do pkill -9 -x "$victim" || true; done; rm /run/odd.hold.postinst'
at_rest() { ! host_sh 'pgrep -x keel || pgrep -x apt-get || pgrep -x dpkg' >/dev/null; }
soon at_rest
assert_lacks "$(host apt-mark showhold)" odd
assert_exit 0 keel_on_host apply --yes -f site/fourth.toml
assert_eq "hold installed 1:4 version 1:4" "$(version)"
assert_exit 0 keel_on_host plan -f site/fourth.toml
# Both runs are taken back, to what was there before the first of them.
assert_exit 0 keel_on_host rollback --yes --to 5
assert_eq "hold installed 1:3 version 1:3" "$(version)"

# ---- accounts ------------------------------------------------------------------------------------------------------------------

secret='$6$salt$thehashofthecrew'
host_sh 'useradd -M boss; groupadd -g 700 crew; gpasswd -A boss crew; gpasswd -M boss crew; echo "crew:$1" | chgpasswd -e' "$secret"
assert_exit 0 keel_on_host apply --yes -f site/crew.toml
assert_eq "" "$(host_sh 'getent group crew || true')"
assert_eq "" "$(host_sh 'grep -rlF thehashofthecrew /var/lib/evenkeel | grep -v /blobs/keyed/ || true')" "it is in the clear"
assert_exit 0 keel_on_host rollback --yes
assert_eq "crew:$secret:boss:boss" "$(host grep ^crew: /etc/gshadow)"
assert_eq "crew:x:700:boss" "$(host grep ^crew: /etc/group)"
assert_lacks "$OUTPUT" thehashofthecrew

# useradd is done, and keel dies before it can say so.
die_adding() {
    host_sh 'printf "#!/bin/sh\n/usr/sbin/useradd.real \"\$@\"\npkill -9 -x keel\n" >/root/dies; chmod 0755 /root/dies
        mv /usr/sbin/useradd /usr/sbin/useradd.real; cp /root/dies /usr/sbin/useradd
        keel apply --local --yes -f /root/site/fresh.toml </dev/null >/root/killed.log 2>&1 || true
        mv /usr/sbin/useradd.real /usr/sbin/useradd; test -e /home/fresh/.bashrc; getent passwd fresh >/dev/null'
}
die_adding
assert_exit 0 keel_on_host rollback --yes
host_sh '! getent passwd fresh; ! getent group fresh; ! test -e /home/fresh'
# What somebody has put there since is his.
die_adding
host_sh 'echo mine >/home/fresh/mine'
assert_exit 1 keel_on_host rollback --yes
assert_contains "$OUTPUT" /home/fresh
assert_eq mine "$(host_sh 'ls -A /home/fresh; ! getent passwd fresh')"
