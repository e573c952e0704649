# What a rehearsal tells is what a run then does: on a host with systemd the list of a rehearsal is compared, name by
# name, with what an apply really changes; and before that the host is exactly as it was.
. "$LAB/lab.sh"

put site /root/site

# everything PATH…: each name with type, mode, owner, target, and the digest of each file.
everything() {
    host_sh 'find "$@" -xdev -printf "%p\t%y %m %U:%G %l\n"; find "$@" -xdev -type f -exec sha256sum {} + |
        sed -E "s/^([0-9a-f]+) [ *](.*)$/\2\t\1/"' "$@" | LC_ALL=C sort
}
# What a rehearsal cannot know is left out of both sides: what nginx itself makes when it starts. So is what it
# folds: caches, logs, the databases of dpkg and systemd, packages' own files.
changed() {
    diff <(echo "$1") <(echo "$2") | sed -nE 's/^[<>] ([^\t]+)\t.*/\1/p' | LC_ALL=C sort -u | grep -vE "$QUIET" || true
}
QUIET='^/var/lib/nginx/|^/var/(cache|log|backups|tmp)/|^/var/lib/(apt|dpkg|systemd|ucf|evenkeel)(/|$)|^/etc/(ld.so.cache|.pwd.lock|(passwd|shadow|group|gshadow|subuid|subgid)-)$|^/etc/rc.\.d/'

places=(/etc /srv /usr /var /opt /root)
keel facts --local >/dev/null   # copies keel to the host
before=$(everything "${places[@]}")
assert_exit 2 keel_on_host rehearse -f site/page.toml
told=$(sed -nE 's/^  [+~-] (\/[^ ]*[^ /])\/?(  \(.*)?$/\1/p' <<<"$OUTPUT" | LC_ALL=C sort -u)
assert_contains "$OUTPUT" "+ nginx-light "
assert_contains "$OUTPUT" "nginx.service: enabled, start"
assert_contains "$OUTPUT" "+<h1>It sails</h1>"
assert_eq "" "$(diff <(echo "$before") <(everything "${places[@]}") | grep -vE '/(evenkeel|apt|systemd|log|cache)' | grep '^[<>]' || true)" "the rehearsal changed the host"
assert_eq inactive "$(host systemctl is-active nginx.service || true)"

# The same for real.
assert_exit 0 keel_on_host apply -y -f site/page.toml
after=$(everything "${places[@]}")
owned=$(host_sh 'cat /var/lib/dpkg/info/{nginx*,libnginx*}.list | sed -E "s,^/(bin|sbin|lib|lib64)/,/usr/\1/," | LC_ALL=C sort -u')
named='^/etc/nginx/sites-enabled/default$|^/srv/page|^/etc/nginx/conf.d/page.conf$'
did=$(changed "$before" "$after" | LC_ALL=C comm -23 - <(echo "$owned" | grep -vE "$named"))
assert_eq "$did" "$told" "the rehearsal told something else than the apply did"
assert_contains "$(fetch /)" "It sails"
assert_exit 0 keel_on_host rehearse -f site/page.toml
