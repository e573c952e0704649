# A site: its inventory gives a host roles and values, layer upon layer; the roles and modules of the library and those
# of the site come together in one run. Then the same roles for a machine that is in no inventory.
# hosts: 2
. "$LAB/lab.sh"

put site /root/site
assert_exit 0 keel_on_host apply --site site web1 --yes
soon serves "$(host cat /srv/www/web1/index.html)" /
assert_eq active "$(host systemctl is-active ssh nginx chrony | sort -u)"
assert_eq 192.0.2.7 "$(host chronyc -n -c sources | cut -d, -f3)" "the host wins over its group"
assert_contains "$(host_sh 'tr "\0" " " < /proc/$(systemctl show -P MainPID chrony)/cmdline')" " -x" "and the group over the default:"
assert_eq "Ann of all" "$(host getent passwd ann | cut -d: -f5)"
assert_eq no "$(host /usr/sbin/sshd -T | awk '$1 == "x11forwarding" { print $2 }')"
assert_eq web "$(host cat /etc/motd)"

# The first page is the user's from then on; nothing else has anything to do.
host_sh 'echo mine > /srv/www/web1/index.html'
assert_exit 0 keel_on_host plan --site site web1
assert_exit 0 keel_on_host apply --site site web1 --yes
soon serves mine /

# The role alone.
on_second() {
    put site /root/site
    assert_exit 0 keel_on_host apply --site site --role web --set web.root=/srv/here --set chrony.steer_clock=false --yes
    soon serves "$(host cat /srv/here/index.html)" /
    assert_exit 0 keel_on_host plan --site site --role web --set web.root=/srv/here --set chrony.steer_clock=false
}
on 2 on_second
