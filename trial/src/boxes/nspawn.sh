# The first process of a booted box, in namespaces of its own: everything that is mounted and started here ends with it. It ends when its
# input does, unless that says `keep`; then it has none of our streams any more. 1: the base  2: where the box is laid out  3: its name
base=$1 place=$2 name=$3
ip link set lo up
mount -t tmpfs -o mode=0700,nodev keel-box "$place"
mkdir -m 0755 "$place/upper" "$place/root"
mkdir -m 0700 "$place/work"
chmod --reference="$base" "$place/upper"
mount -t overlay -o "lowerdir=$base,upperdir=$place/upper,workdir=$place/work" keel-box "$place/root"
echo "$name" >"$place/root/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost\n' "$name" >"$place/root/etc/hosts"
# There is no network to wait for.
ln -sf /dev/null "$place/root/etc/systemd/system/systemd-networkd-wait-online.service"
[ -e /sys/fs/cgroup/cgroup.controllers ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
group=
if [ -d /run/systemd/system ]; then
    # All of this is in a scope of its own, as what started it has seen to: nobody here could ask for one, as processes have other numbers
    # outside. Of unified groups only the innermost have processes (cgroups(7)).
    own=$(sed -n 's/^0:://p' /proc/self/cgroup)
    [ "$own" = "${own%/around}" ] || group=/sys/fs/cgroup${own%/around}/box/cgroup.procs
else
    # Without a service manager nobody makes a group for the box, and systemd-nspawn wants a bus all the same.
    for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        [ -e "$top/cgroup.procs" ] || continue
        mkdir "$top/$name"
        echo 0 >"$top/$name/cgroup.procs"
    done
    export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$place/bus"
    dbus-daemon --config-file=/usr/share/dbus-1/system.conf --nofork --nopidfile --address="$DBUS_SYSTEM_BUS_ADDRESS" </dev/null >/dev/null 2>&1 &
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -e "$place/bus" ] && break
        sleep 0.1
    done
fi
sh -c '[ -z "$0" ] || echo 0 >"$0"; exec "$@"' "$group" \
    systemd-nspawn --quiet -D "$place/root" -M "$name" --hostname="$name" --register=no --keep-unit --console=read-only \
    --resolv-conf=off --timezone=off --link-journal=no --capability=all --boot </dev/null >"$place/log" 2>&1 &
echo made
read -r word || word=
[ "$word" = keep ] || exit 0
exec >/dev/null 2>&1 </dev/null
# Signals that end other processes are nothing to the first one of a namespace.
trap 'exit 0' TERM
while :; do
    sleep 86400 &
    wait "$!"
done
