# The module nginx on a raw host: sites are served, one directly and one through another; a site that nginx would refuse
# never comes into place and the old one is served on; sites that leave the catalog leave the host.
. "$LAB/lab.sh"

put site /root/site
apply() { keel_on_host apply -f site/host.toml --yes "$@"; }

assert_exit 0 apply
soon serves first /
soon serves first :8080/
assert_eq "active enabled" "$(host systemctl is-active nginx) $(host systemctl is-enabled nginx)"
assert_eq $'front.conf\npages.conf' "$(host ls /etc/nginx/sites-enabled)"
host nginx -t -q

before=$(snapshot /etc/nginx /srv/pages) pid=$(host systemctl show -P MainPID nginx)
assert_exit 0 apply
assert_eq "$before" "$(snapshot /etc/nginx /srv/pages)" "the second apply wrote"

# A setting that nginx knows is reloaded, not restarted.
assert_exit 0 apply --set 'extra=add_header X-Ship keel;'
has_header() { [[ $(curl --noproxy '*' -sSI "http://$(address)/") == *"X-Ship: keel"* ]]; }
soon has_header
assert_eq "$pid" "$(host systemctl show -P MainPID nginx)" "a reload keeps the process"

# One that it does not know is refused before anything is in place.
before=$(fingerprint /etc/nginx)
assert_exit 1 apply --set 'extra=no_such_thing on;'
assert_contains "$OUTPUT" 'unknown directive "no_such_thing"'
assert_eq "$before" "$(fingerprint /etc/nginx)" "something is in place"
soon serves first /
assert_eq "" "$(host find /etc/nginx /tmp -name '.*' -type f)" "left behind"

# A port of its own for a site that leaves: it is served no longer.
assert_exit 0 apply
host_sh 'sed -i "/^\[module.nginx.sites.front\]/,/^proxy/d" /root/site/host.toml'
assert_exit 0 apply
assert_eq pages.conf "$(host ls /etc/nginx/sites-enabled)"
assert_exit 1 host test -e /etc/nginx/sites-available/front.conf
soon serves first /
