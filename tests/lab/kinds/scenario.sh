# What a kind changes besides what it was told to: groups of users, holds, configuration files; values of the kernel, and mounts. All of it comes back.
. "$LAB/lab.sh"

# desired TOML: what is to be, as /root/x.toml.
desired() { host_sh 'printf "%s\n" "$1" > /root/x.toml' "$1"; }
apply() { keel_on_host apply --yes -f x.toml; }
accounts() { fingerprint /etc/passwd /etc/group /etc/gshadow; }

# comes_and_goes: it is applied, nothing is left to do, and a rollback brings the accounts back.
comes_and_goes() {
    local before; before=$(accounts)
    assert_exit 0 apply
    assert_exit 0 keel_on_host plan -f x.toml
    assert_exit 0 keel_on_host rollback --yes
    assert_eq "$before" "$(accounts)" "rollback"
}

# A user in a group of the same run.
desired $'group.crew = { gid = 5500 }\nuser.bob = { groups = ["crew"] }'
comes_and_goes

# A group of the user's name that was there before the user.
host groupadd -g 4455 bob
desired 'user.bob = {}'
comes_and_goes

# A member whom nobody knows any more stays in the group.
host_sh 'groupadd crew; sed -i "s/^crew:.*/&ghost/" /etc/group; sed -i "s/^crew:.*/&ghost/" /etc/gshadow'
desired 'group.crew = { members = ["admin"] }'
assert_exit 0 apply
assert_contains "$(host getent group crew)" ghost
comes_back=$(accounts)
assert_exit 0 apply
assert_eq "$comes_back" "$(accounts)" "the second apply"

# Who administers groups does so again when he is back.
host_sh 'groupadd -f club; useradd eve; gpasswd -A admin,eve club >/dev/null'
assert_contains "$(host_sh 'grep ^club: /etc/gshadow')" admin
desired 'user.eve = { ensure = "absent" }'
comes_and_goes
assert_contains "$(host_sh 'grep ^club: /etc/gshadow')" eve

# A home that cannot be moved leaves the account as it was.
host_sh 'useradd -m al; mkdir /srv/al'
desired 'user.al = { home = "/srv/al" }'
assert_exit 1 apply
assert_contains "$OUTPUT" "set manage_home = false"
assert_contains "$(host getent passwd al)" ":/home/al:"

# A package with a configuration file, in two versions.
host_sh 'mkdir -p /opt/repo /root/deb/DEBIAN /root/deb/etc; cd /root
    echo /etc/keel-lab.conf > deb/DEBIAN/conffiles
    for version in 1 2; do
        printf "Package: keel-lab\nVersion: %s\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n" $version > deb/DEBIAN/control
        echo "version $version" > deb/etc/keel-lab.conf
        dpkg-deb -b deb /opt/repo/$version.deb
        dpkg-deb -f /opt/repo/$version.deb
        printf "Filename: ./%s.deb\nSize: %s\nSHA256: %s\n\n" $version $(stat -c %s /opt/repo/$version.deb) \
            $(sha256sum < /opt/repo/$version.deb | cut -d" " -f1)
    done | grep -v ^dpkg-deb > /opt/repo/Packages
    echo "deb [trusted=yes] file:/opt/repo ./" > /etc/apt/sources.list.d/keel-lab.list
    apt-get update -qq 2> /dev/null; apt-get install -qq -y keel-lab=1; apt-mark hold keel-lab' > /dev/null
state() { host_sh 'dpkg-query -W -f "\${db:Status-Abbrev}\${Version}" keel-lab; cat /etc/keel-lab.conf'; }

# A held package goes up, and comes back down still held.
desired 'package.keel-lab = { version = "2" }'
assert_exit 0 apply
assert_eq $'hi 2version 2' "$(state)"
assert_exit 0 keel_on_host rollback --yes
assert_eq $'hi 1version 1' "$(state)" "rollback"

# Configuration that somebody changed stays, unless the options say otherwise.
host_sh 'echo mine > /etc/keel-lab.conf'
assert_exit 0 apply
assert_eq $'hi 2mine' "$(state)"
assert_exit 0 keel_on_host rollback --yes
desired 'package.keel-lab = { version = "2", options = ["-oDPkg::Options::=--force-confnew"] }'
assert_exit 0 apply
assert_eq $'hi 2version 2' "$(state)"

# A value of the kernel: a rehearsal leaves it alone, a run sets it and keeps it for the next boot, a rollback brings back the one before.
value() { host cat /proc/sys/net/ipv4/tcp_keepalive_time; }
kept=/etc/sysctl.d/60-keel-net.ipv4.tcp_keepalive_time.conf
before=$(value) own=$(cat /proc/sys/net/ipv4/tcp_keepalive_time)
desired 'sysctl."net.ipv4.tcp_keepalive_time" = { value = 1234 }'
assert_exit 2 keel_on_host rehearse -f x.toml
assert_contains "$OUTPUT" "set_sysctl net.ipv4.tcp_keepalive_time = 1234"
assert_eq "$before" "$(value)" "the rehearsal"
assert_exit 0 apply
assert_eq 1234 "$(value)"
assert_contains "$(host cat "$kept")" "net.ipv4.tcp_keepalive_time = 1234"
assert_exit 0 keel_on_host plan -f x.toml
host_sh 'echo 4321 > /proc/sys/net/ipv4/tcp_keepalive_time'
assert_exit 2 keel_on_host plan -f x.toml
assert_contains "$OUTPUT" "live: 4321 -> 1234"
assert_lacks "$OUTPUT" persisted
assert_exit 0 apply
assert_eq 1234 "$(value)"
assert_exit 0 keel_on_host rollback --yes
assert_eq 4321 "$(value)" "rollback"
assert_eq "$own" "$(cat /proc/sys/net/ipv4/tcp_keepalive_time)" "the value of this machine"

# A secret value stands in a file for root alone, and nowhere else.
key=01234567-89abcdef-01234567-89abcdef kept=/etc/sysctl.d/60-keel-net.ipv4.tcp_fastopen_key.conf
fastopen() { host cat /proc/sys/net/ipv4/tcp_fastopen_key; }
before=$(fastopen)
desired $'[sysctl."net.ipv4.tcp_fastopen_key"]\nvalue = "'"$key"'"'
assert_exit 3 keel_on_host plan -f x.toml
assert_contains "$OUTPUT" "net.ipv4.tcp_fastopen_key is a secret"
assert_lacks "$OUTPUT" "$key"
desired "sysctl.\"net.ipv4.tcp_fastopen_key\" = { value = \"$key\", sensitive = true }"
assert_exit 2 keel_on_host plan -f x.toml
assert_lacks "$OUTPUT" "$key"
assert_exit 0 apply
assert_lacks "$OUTPUT" "$key"
assert_eq "$key 600" "$(fastopen) $(host stat -c %a "$kept")"
assert_contains "$(host cat "$kept")" "net.ipv4.tcp_fastopen_key = $key"
assert_exit 1 host grep -rlF "$key" /var/lib/evenkeel
assert_exit 0 keel_on_host plan -f x.toml
host_sh 'echo 1-2-3-4 > /proc/sys/net/ipv4/tcp_fastopen_key'
assert_exit 2 keel_on_host plan -f x.toml
assert_contains "$OUTPUT" "live: <secret> -> <secret>"
assert_exit 0 apply
assert_exit 0 keel_on_host rollback --yes
assert_lacks "$OUTPUT" "00000001-00000002"
assert_eq 00000001-00000002-00000003-00000004 "$(fastopen)" "rollback of a secret"

# What a container may not set is a failure, and is not kept for a boot either.
desired 'sysctl."kernel.domainname" = { value = "lab" }'
assert_exit 1 apply
assert_contains "$OUTPUT" "as in a container"
assert_exit 1 host test -e /etc/sysctl.d/60-keel-kernel.domainname.conf

# A file system: a rehearsal mounts nothing, a run mounts it before what lies there, other options do not unmount it, and who uses it is named.
scratch() { desired "mount.\"/srv/scratch\" = { device = \"tmpfs\", fstype = \"tmpfs\", options = [\"size=$1\", \"mode=0750\"] }
directory.\"/srv/scratch\" = { mode = \"0700\" }
file.\"/srv/scratch/a\" = { content = \"a\" }"; }
host_sh '[[ -e /etc/fstab ]] || echo "# nothing" >/etc/fstab'
before=$(fingerprint /etc/fstab)
scratch 1m
assert_exit 2 keel_on_host rehearse -f x.toml
assert_contains "$OUTPUT" "mount /srv/scratch tmpfs tmpfs size=1m,mode=0750"
assert_contains "$OUTPUT" "nothing is mounted at /srv/scratch in a rehearsal"
assert_contains "$OUTPUT" "below a mount that was not made"
assert_exit 1 host test -e /srv/scratch
assert_exit 0 apply
assert_eq "tmpfs 700 a" "$(host_sh 'echo "$(findmnt -no FSTYPE /srv/scratch) $(stat -c %a /srv/scratch) $(cat /srv/scratch/a)"')"
assert_contains "$(host cat /etc/fstab)" "tmpfs /srv/scratch tmpfs size=1m,mode=0750 0 0"
assert_exit 0 keel_on_host plan -f x.toml
# What was made for it goes with it, though what is seen there is the root of what is mounted.
assert_exit 0 keel_on_host rollback --yes
assert_exit 1 host test -e /srv/scratch
assert_eq "$before" "$(fingerprint /etc/fstab)" "fstab after the rollback"
assert_exit 0 apply
scratch 2m
assert_exit 0 apply
assert_contains "$OUTPUT" "remount /srv/scratch"
assert_contains "$(host findmnt -no OPTIONS /srv/scratch)" "size=2048k"
assert_eq a "$(host cat /srv/scratch/a)"
desired 'mount."/srv/scratch" = { ensure = "absent" }'
user=$(host_sh 'cd /srv/scratch; sleep 300 >/dev/null 2>&1 & echo $!')
assert_exit 1 apply
assert_contains "$OUTPUT" "in use by sleep ($user)"
host kill "$user"
assert_exit 0 apply
assert_exit 1 host findmnt /srv/scratch
assert_eq "$before" "$(fingerprint /etc/fstab)" "fstab"
assert_exit 0 keel_on_host rollback --yes
assert_contains "$(host findmnt -no OPTIONS /srv/scratch)" "size=2048k"

# A directory that is seen at a second place: what is written at one is at the other. Made for reading only, and back, it is that place alone.
bound() { desired "mount.\"/srv/here\" = { device = \"/srv/there\", fstype = \"none\", options = [$1] }
directory.\"/srv/there\" = {}${2-}"; }
seen() { host_sh 'echo "$(findmnt -no FSROOT /srv/here) $(findmnt -no OPTIONS /srv/here | cut -d, -f1) $(findmnt -no OPTIONS / | cut -d, -f1)"'; }
host_sh 'mkdir -p /srv/there'
bound '"bind"' $'\nfile."/srv/here/x" = { content = "x" }'
assert_exit 2 keel_on_host rehearse -f x.toml
assert_contains "$OUTPUT" "below a mount that was not made"
assert_exit 0 apply
assert_eq "/srv/there rw rw x" "$(seen) $(host cat /srv/there/x)"
assert_exit 0 keel_on_host plan -f x.toml
bound '"bind", "ro"'
assert_exit 0 apply
assert_contains "$OUTPUT" "remount /srv/here bind,ro"
assert_eq "/srv/there ro rw" "$(seen)"
assert_exit 0 keel_on_host plan -f x.toml
assert_exit 0 keel_on_host rollback --yes
assert_eq "/srv/there rw rw" "$(seen)" "rollback of the options"
desired 'mount."/srv/here" = { ensure = "absent" }'
assert_exit 0 apply
assert_exit 1 host test -e /srv/here/x
assert_exit 0 keel_on_host rollback --yes
assert_eq "/srv/there rw rw x" "$(seen) $(host cat /srv/here/x)" "rollback of the unmounting"
assert_contains "$(host cat /etc/fstab)" "/srv/there /srv/here none bind 0 0"

# A file system on a disk, by its label and by its UUID: other names of the same are the same, other options need no unmounting, another one takes
# its place, and all of it comes back. The disk is a loop device of this machine, which the host gets a node of.
truncate -s 16M "$(folder)/root/disk.img"
uuid=6f1d2c1e-8d1f-4a55-9d0c-1f2e3d4c5b6a
mkfs.ext4 -q -L "keel data" -U $uuid "$(folder)/root/disk.img"
loop=$(losetup --find --show "$(folder)/root/disk.img")
trap 'losetup --detach "$loop"' EXIT
nsenter --mount="/proc/${LAB_INIT_LIST[0]}/ns/mnt" mknod "$loop" b "$(stat -c 0x%t "$loop")" "$(stat -c 0x%T "$loop")"
disk() { desired "mount.\"/srv/disk\" = { device = \"$1\", fstype = \"ext4\", options = [$2] }${3-}"; }
mounted() { host findmnt -no "$1" /srv/disk; }
disk 'LABEL=keel data' '"noatime"' $'\nfile."/srv/disk/x" = { content = "x" }'
assert_exit 0 apply
assert_eq "$loop ext4" "$(mounted SOURCE,FSTYPE | tr -s ' ')"
assert_contains "$(mounted OPTIONS)" noatime
assert_exit 0 keel_on_host plan -f x.toml
disk "UUID=$uuid" '"noatime"'
assert_exit 0 apply
assert_lacks "$OUTPUT" "mount /srv/disk"
assert_contains "$(host cat /etc/fstab)" "UUID=$uuid /srv/disk ext4 noatime 0 0"
disk "UUID=$uuid" '"ro", "errors=remount-ro"'
user=$(host_sh 'cd /srv/disk; sleep 300 >/dev/null 2>&1 & echo $!')
assert_exit 0 apply
assert_contains "$(mounted OPTIONS)" "ro,relatime"
assert_contains "$(mounted OPTIONS)" "errors=remount-ro"
assert_exit 0 keel_on_host plan -f x.toml
assert_exit 0 keel_on_host rollback --yes
assert_contains "$(mounted OPTIONS)" "rw,noatime"
assert_lacks "$(mounted OPTIONS)" "errors=remount-ro"
desired 'mount."/srv/disk" = { device = "tmpfs", fstype = "tmpfs" }'
assert_exit 1 apply
assert_contains "$OUTPUT" "in use by sleep ($user)"
assert_eq x "$(host cat /srv/disk/x)" "what is in use"
host kill "$user"
assert_exit 0 apply
assert_eq tmpfs "$(mounted FSTYPE)"
# What cannot make room is not hidden by what was there before.
user=$(host_sh 'cd /srv/disk; sleep 300 >/dev/null 2>&1 & echo $!')
run=$(host_sh 'ls /var/lib/evenkeel/runs | sort -n | tail -1')
assert_exit 1 keel_on_host rollback --yes "$run"
assert_eq "tmpfs 1" "$(mounted FSTYPE) $(host grep -c ' /srv/disk ' /proc/self/mountinfo)"
host kill "$user"
assert_exit 0 keel_on_host rollback --yes "$run"
assert_eq "x ext4" "$(host cat /srv/disk/x) $(mounted FSTYPE)" "rollback of another one in its place"
host umount /srv/disk
losetup --detach "$loop"
trap - EXIT

# Options that mount(8) turns into others are there after one run; those that a mounted file system keeps are not fought over.
opted() { desired "mount.\"/srv/opted\" = { device = \"tmpfs\", fstype = \"tmpfs\", options = [$1] }"; }
opted '"defaults", "uid=admin", "mode=0700", "size=1m", "users", "exec", "strictatime", "nofail", "_netdev", "x-a=b", "comment=c"'
assert_exit 0 apply
assert_eq "tmpfs admin 700" "$(host findmnt -no FSTYPE /srv/opted) $(host stat -c '%U %a' /srv/opted)"
assert_contains "$(host findmnt -no OPTIONS /srv/opted)" "rw,nosuid,nodev"
assert_exit 0 keel_on_host plan -f x.toml
opted '"uid=root", "size=1m"'
assert_exit 0 keel_on_host rollback --yes
opted '"uid=admin", "mode=0700", "size=1m"'
assert_exit 0 apply
opted '"uid=admin", "mode=0750", "size=1m"'
assert_exit 1 apply
assert_contains "$OUTPUT" "with mode=700, which it keeps"
host mount -t tmpfs tmpfs /srv/opted
desired 'mount."/srv/opted" = { ensure = "absent" }'
assert_exit 1 apply
assert_contains "$OUTPUT" "hides another mount at /srv/opted"
host umount /srv/opted
assert_exit 0 apply
assert_exit 1 host findmnt /srv/opted

# The kernel knows places without the links that lead there.
host_sh 'mkdir /srv/truly; ln -s truly /srv/linked'
desired 'mount."/srv/linked/x" = { device = "tmpfs", fstype = "tmpfs" }'
assert_exit 1 apply
assert_contains "$OUTPUT" "a link on the way to /srv/linked/x leads to /srv/truly/x"
assert_exit 1 host test -e /srv/truly/x

# A rollback leaves alone what a file system that is gone had hidden.
host_sh 'mkdir /srv/over; printf mine > /srv/over/x'
desired $'mount."/srv/over" = { device = "tmpfs", fstype = "tmpfs" }\nfile."/srv/over/x" = { content = "mine" }'
assert_exit 0 apply
host umount /srv/over
assert_exit 1 keel_on_host rollback --yes --force
assert_contains "$OUTPUT" "on another file system than the run's"
assert_eq mine "$(host cat /srv/over/x)"
assert_lacks "$(host cat /etc/fstab)" /srv/over
