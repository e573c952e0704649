# The module users: people log in with their keys, in their groups, and become root where they may; who has left is gone
# and can no longer; no password hash is seen in anything that keel says or keeps.
. "$LAB/lab.sh"

put site /root/site
key=$(ssh-keygen -y -f "$LAB_KEY")
apply() { keel_on_host apply -f site/host.toml --yes --set "key=$key" "$@"; }

assert_exit 0 apply
assert_eq "ann:x:4001:4001:Ann Example:/home/ann:/bin/bash" "$(host getent passwd ann)"
assert_eq "crew:x:4000:ann" "$(host getent group crew)"
assert_eq "/srv/bob:/bin/sh" "$(host getent passwd bob | cut -d: -f6,7)"
assert_contains "$(host getent shadow bob)" 'bob:$6$keel$Gq2X'
assert_eq "700 ann:ann" "$(host stat -c '%a %U:%G' /home/ann/.ssh)"
assert_eq "600 bob:bob" "$(host stat -c '%a %U:%G' /srv/bob/.ssh/authorized_keys)"
assert_eq "adm ann crew" "$(as ann host id -Gn | tr ' ' '\n' | sort | paste -sd' ')"
assert_eq 0 "$(as ann host sudo -n id -u)"
assert_eq bob "$(as bob host id -un)"
assert_exit 1 as bob host sudo -n true
assert_eq "440 root:root" "$(host stat -c '%a %U:%G' /etc/sudoers.d/keel-users)"
host visudo -cq

# The hash is in /etc/shadow, and in the store from which a rollback takes it, for root alone; and nowhere else.
assert_lacks "$OUTPUT" 'Gq2X'
assert_lacks "$(keel_on_host plan -f site/host.toml --format json --set key=x --set bob=absent || true)" 'Gq2X'
assert_exit 1 host grep -rqa Gq2X /var/lib/evenkeel --exclude-dir=keyed
assert_eq "" "$(host find /var/lib/evenkeel -perm /077)" "others may look"

paths=(/etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/sudoers.d /home/ann/.ssh /srv/bob/.ssh)
before=$(snapshot "${paths[@]}")
assert_exit 0 apply
assert_eq "$before" "$(snapshot "${paths[@]}")" "the second apply wrote"

# Bob leaves, Ann is root no more: nobody is, and the file that said so is gone.
assert_exit 0 apply --set bob=absent --set ann=no
assert_exit 2 host getent passwd bob
assert_exit 255 as bob host true
assert_exit 1 as ann host sudo -n true
assert_exit 1 host test -e /etc/sudoers.d/keel-users
assert_exit 0 apply --set bob=absent --set ann=no
