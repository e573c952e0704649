# No space, no inodes, read-only, immutable: that resource fails and says why, what was there stays whole, the others are done, and the
# next run after a repair arrives. Where the state directory is full nothing begins.
. "$LAB/lab.sh"

head -c 6000 /dev/urandom | base64 -w 75 | head -c 8192 >"$(folder)/app"
put site /root/site
host mkdir -p /root/site/files
host_write /root/site/files/app <"$(folder)/app"
new=$(sha256sum <"$(folder)/app" | cut -d' ' -f1)

# small OPTIONS: a fresh small file system, with an old file of 4 KiB.
small() {
    host_sh 'umount /srv/small 2>&- || true; mkdir -p /srv/small; mount -t tmpfs -o "$1" tmpfs /srv/small
        head -c 4096 /dev/zero | tr "\0" x >/srv/small/app; chmod 0640 /srv/small/app' "$1"
}
left_over() { host find /srv/small /etc -maxdepth 1 -name '.*keel*' -o -maxdepth 1 -name '.app*'; }

# fails WORDS TEXT FILE: the file fails with these words and is as it was; the other one is done.
fails() {
    local before
    before=$(fingerprint /srv/small/app)
    assert_exit 1 keel_on_host apply --yes -f "site/${3:-app}.toml" ${2:+--set "text=$2"}
    assert_contains "$OUTPUT" "$1"
    assert_contains "$OUTPUT" "/srv/small"
    assert_eq "$before" "$(fingerprint /srv/small/app)" "the old file"
    assert_eq "${2:-remounted}" "$(host cat /etc/elsewhere)" "the other file"
    assert_eq "" "$(left_over)" "left behind"
}
arrives() {
    assert_exit 0 keel_on_host apply --yes -f site/app.toml --set "text=$1"
    assert_eq "$new  /srv/small/app" "$(host sha256sum /srv/small/app)"
    assert_eq "" "$(left_over)" "left behind"
    assert_exit 0 keel_on_host plan -f site/app.toml --set "text=$1"
}

# Full: not a byte, and one block less than needed; then enough.
for free in 0 1; do
    small size=64k
    host_sh 'head -c "$((1 << 20))" /dev/zero >/srv/small/filler 2>&- || true; truncate -s "-$(($1 * 4096))" /srv/small/filler' "$free"
    fails "No space left on device" "free $free"
done
host rm /srv/small/filler
arrives full

# No inodes.
small nr_inodes=8
host_sh 'for n in {1..9}; do : >"/srv/small/$n" || break; done 2>&-'
fails "No space left on device" inodes
host_sh 'rm /srv/small/[0-9]*'
arrives inodes

# Read-only from the start, as a whole and by a bind mount; then in the middle of a run.
small size=64k
host mount -o remount,ro /srv/small
fails "Read-only file system" read-only
host mount -o remount,rw /srv/small
arrives read-only
small size=64k
host_sh 'mount --bind /srv/small /srv/small; mount -o remount,bind,ro /srv/small'
fails "Read-only file system" bound
host umount /srv/small
arrives bound
small size=64k
fails "Read-only file system" "" remount
host mount -o remount,rw /srv/small
arrives remounted

# Immutable, and only to be added to: neither is taken off.
truncate -s 8M "$(folder)/root/disk.img"
mkfs.ext4 -q "$(folder)/root/disk.img"
loop=$(losetup --find --show "$(folder)/root/disk.img")
trap 'losetup --detach "$loop"' EXIT
host umount /srv/small
nsenter --mount="/proc/${LAB_INIT_LIST[0]}/ns/mnt" sh -ec 'rm -f /dev/small; mknod /dev/small b "$1" "$2"; mount -t ext4 /dev/small /srv/small' mount \
    "$(stat -c 0x%t "$loop")" "$(stat -c 0x%T "$loop")"
for flag in i a; do
    host_sh 'chattr -ia /srv/small/app 2>&- || true; echo old >/srv/small/app; chattr "+$1" /srv/small/app' "$flag"
    fails "Operation not permitted" "flag $flag"
    assert_contains "$(host lsattr /srv/small/app | cut -d' ' -f1)" "$flag"
done
host chattr -a /srv/small/app
arrives flags
host umount /srv/small
losetup --detach "$loop"
trap - EXIT

# A state directory without room for a journal, or read-only: nothing begins, nothing changes.
small size=64k
for options in size=1m size=16m,nr_inodes=1 ro; do
    host mount -t tmpfs -o "$options" tmpfs /var/lib/evenkeel
    before=$(fingerprint /srv/small /etc/elsewhere)
    assert_exit 1 keel_on_host apply --yes -f site/app.toml --set text=state
    assert_contains "$OUTPUT" "/var/lib/evenkeel"
    assert_eq "$before" "$(fingerprint /srv/small /etc/elsewhere)" "state on $options"
    host umount /var/lib/evenkeel
done
# A full /tmp is nothing to it.
host_sh 'mount -t tmpfs -o size=4k tmpfs /tmp; head -c 9999 /dev/zero >/tmp/filler 2>&- || true'
arrives tmp
host umount /tmp

# No room for what apt fetches: said, and dpkg is sound.
host mount -t tmpfs -o size=16k tmpfs /var/cache/apt/archives
assert_exit 1 keel_on_host apply --yes -f site/tree.toml
assert_contains "$OUTPUT" "enough free space"
assert_eq "" "$(host dpkg --audit)"
host umount /var/cache/apt/archives
assert_exit 0 keel_on_host apply --yes -f site/tree.toml
host test -x /usr/bin/tree
