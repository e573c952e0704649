#!/bin/busybox sh
# The only process of the guest. What it says begins with KEEL, LOOK, OP or OUT; the rest of the console is the kernel's.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# The BIOS has left the cursor in a line of its own.
echo
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
    insmod /modules/$module.ko || echo "KEEL-BROKEN insmod $module"
done
mount -t ext4 /dev/vda /mnt || echo "KEEL-BROKEN mount"
mode=cut
for word in $(cat /proc/cmdline); do
    case $word in keel.mode=*) mode=${word#keel.mode=} ;; esac
done

# Everything below /mnt/host, a line each: when, what, which, where.
look() {
    cd /mnt/host
    find . -mindepth 1 -type d | sed "s|^|LOOK $1 dir - |"
    find . -type l | while read -r path; do echo "LOOK $1 link $(readlink "$path") $path"; done
    find . -type f -print0 | xargs -0 -r sha256sum | sed "s|^|LOOK $1 file |"
    cd /
}

apply() {
    /keel apply --local --state-dir /mnt/state --yes -f /site.toml 2>&1 | sed 's/^/OUT /'
}

set -o pipefail
case $mode in
cut)
    echo KEEL-READY
    apply
    echo "KEEL-DONE $?"
    sleep 3600
    ;;
after)
    look start
    /keel show --local --state-dir /mnt/state --format json 2>/dev/null | sed 's/^/OP /'
    apply
    echo "KEEL-FIRST $?"
    look first
    apply
    echo "KEEL-SECOND $?"
    look second
    echo KEEL-END
    poweroff -f
    ;;
clock)
    # A day ahead, and then a day behind: each time all is done, and taken back.
    for jump in 0 86400 -172800; do
        date -s "@$(($(date +%s) + jump))" >/dev/null
        apply
        echo "KEEL-APPLY $?"
        look "done$jump"
        apply
        echo "KEEL-AGAIN $?"
        /keel rollback --local --state-dir /mnt/state --yes 2>&1 | sed 's/^/OUT /'
        echo "KEEL-BACK $?"
        look "back$jump"
    done
    /keel history --local --state-dir /mnt/state --format json | sed 's/^/RUN /'
    echo KEEL-END
    poweroff -f
    ;;
esac
