# Somebody else's apt is waited for, by name. A dpkg, an apt or a script of a package that was killed is brought to its end by the
# next run of whatever packages, before anything else; configuration files stay as they are.
. "$LAB/lab.sh"

put site /root/site
host_write /root/offer 0755 <offer
host /root/offer 1
assert_exit 0 keel --version
version() { host_sh 'dpkg-query -W -f "\${db:Status-Abbrev}\${Version}" odd 2>&- || echo none'; }
absent() { ! host test -e "$1"; }

# ---- a lock that is held -------------------------------------------------------------------------------------------------------

# hold SECONDS FILE: a unit of the host has the lock for so long, as dpkg and apt have theirs (fcntl).
hold() {
    host systemd-run --quiet --collect --unit=holder perl -e '
        use Fcntl; open(my $file, "+>>", $ARGV[1]) or die; my $lock = pack("s s x4 q q i x4", F_WRLCK, SEEK_SET, 0, 0, 0);
        fcntl($file, F_SETLK, $lock) or die $!; open(my $mark, ">", "/run/held"); sleep $ARGV[0]' "$1" "$2"
    soon host test -e /run/held
    host rm /run/held
}
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/cache/apt/archives/lock; do
    hold 10 "$file"
    inode=$(host stat -c %i "$file")
    assert_exit 0 keel_on_host apply --yes -f site/odd.toml
    assert_contains "$OUTPUT" "waiting for the package manager, held by process"
    assert_contains "$OUTPUT" "perl"
    assert_contains "$OUTPUT" "of holder.service"
    assert_eq "ii 1" "$(version)"
    assert_eq "$inode" "$(host stat -c %i "$file")" "the lock file is left alone"
    host_sh 'dpkg --purge odd >/dev/null'
done
hold 600 /var/lib/dpkg/lock-frontend
assert_exit 1 keel_on_host apply --yes -f site/lock.toml
assert_contains "$OUTPUT" "of holder.service"
assert_contains "$OUTPUT" "took longer than 20 s"
assert_eq none "$(version)"
host test -e /var/lib/dpkg/lock-frontend
host systemctl stop holder
assert_exit 0 keel_on_host apply --yes -f site/lock.toml
assert_eq "ii 1" "$(version)"

# ---- killed in the middle ------------------------------------------------------------------------------------------------------

# interrupt SCRIPT VICTIM: keel is killed, or what it had started, while the package's script runs.
interrupt() {
    host_sh 'touch /run/odd.hold.$1; rm -f /run/odd.in.*
        setsid keel apply --local --yes -f /root/site/odd.toml </dev/null >/root/killed.log 2>&1 &
        for try in {1..600}; do [[ ! -e /run/odd.in.$1 ]] || break; sleep 0.05; done
        [[ -e /run/odd.in.$1 ]] || { cat /root/killed.log; exit 1; }
        case $2 in
            all) pkill -9 -x keel; pkill -9 -x apt-get; pkill -9 -x dpkg; pkill -9 -f "odd\.$1|tmp.ci/$1" ;;
            script) pkill -9 -f "odd\.$1|tmp.ci/$1" ;;
            *) pkill -9 -x "$2" ;;
        esac || true
        rm /run/odd.hold.$1' "$1" "$2"
    soon at_rest
}
at_rest() { ! host_sh 'pgrep -x keel || pgrep -x apt-get || pgrep -x dpkg' >/dev/null; }

for script in preinst postinst; do
    for victim in keel apt-get dpkg script all; do
        host_sh 'dpkg --purge odd >/dev/null 2>&1; rm -f /run/odd.log'
        interrupt "$script" "$victim"
        # Now and then it takes what the first run says to know what to do; never more than that.
        assert_exit 0 keel_on_host apply --yes -f site/odd.toml
        assert_eq "ii 1" "$(version)" "$victim killed in $script"
        assert_eq "" "$(host dpkg --audit)" "$victim killed in $script"
        assert_exit 0 keel_on_host plan -f site/odd.toml
    done
done

# A run that has nothing to do with that package finds it, says it and repairs it.
host dpkg --purge odd
interrupt postinst dpkg
assert_exit 2 keel_on_host plan -f site/other.toml
assert_contains "$OUTPUT" "packages finish (interrupted: odd half configured -> absent)"
assert_exit 0 keel_on_host apply --yes -f site/other.toml
assert_eq "ii 1" "$(version)"
assert_contains "$(host_sh 'keel show --local 2>&1 || keel history --local')" "packages finish" "the journal"
assert_exit 0 keel_on_host plan -f site/other.toml

# The configuration of the host's owner stays, whatever the new version brings.
host_sh 'echo mine >/etc/odd.conf; /root/offer 2'
interrupt postinst dpkg
assert_exit 0 keel_on_host apply --yes -f site/odd.toml
assert_eq "ii 2 mine" "$(version) $(host cat /etc/odd.conf)"

# Records of dpkg that a power cut left empty are out of its way; what is merely odd is for a human to judge.
host_sh 'head -c 512 /dev/zero >/var/lib/dpkg/updates/0001; ! dpkg --configure -a 2>&-'
assert_exit 0 keel_on_host apply --yes -f site/other.toml
assert_contains "$OUTPUT" "/var/lib/dpkg/updates/0001 held nothing but zeros"
absent /var/lib/dpkg/updates/0001
assert_exit 0 keel_on_host plan -f site/other.toml
host_sh 'echo Pakcage >/var/lib/dpkg/updates/0001'
assert_exit 1 keel_on_host apply --yes -f site/other.toml
assert_contains "$OUTPUT" "updates/0001"
host rm /var/lib/dpkg/updates/0001
assert_exit 0 keel_on_host apply --yes -f site/other.toml
