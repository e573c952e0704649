#!/bin/bash
# On the host: alters what is managed, at random by a seed, and says how long each took to be repaired, a line each: `KIND MILLISECONDS`.
# Some are altered one by one, some three at once. What is not back within a minute is missed.
#   alter.sh SEED ALTERATIONS SECONDS        over so many seconds
set -Eeuo pipefail
trap 'echo "failed at line $LINENO: $BASH_COMMAND" >&2' ERR
RANDOM=$1
alterations=$2 seconds=$3
names=()
for n in {1..12}; do names+=("file-$n"); done
for n in {1..6}; do names+=("symlink-$n" "directory-$n"); done
for n in {1..4}; do names+=("line-$n"); done
for n in {1..3}; do names+=("service-$n" "unit-$n" "user-$n"); done
names+=(group-1 group-2 cron-1 sysctl-1)
declare -A pids

now() { echo "${EPOCHREALTIME/./}"; }
pid() { systemctl show -P MainPID "soak$1"; }

# alter NAME: one of several ways, by chance.
alter() {
    local n=${1#*-} way=$((RANDOM % 3))
    case ${1%-*}-$way in
        file-0) echo mine >>"/srv/soak/file-$n" ;;
        file-1) rm "/srv/soak/file-$n" ;;
        file-2) chmod 0600 "/srv/soak/file-$n" ;;
        symlink-0) rm "/srv/soak/link-$n" ;;
        symlink-*) ln -sfn /tmp "/srv/soak/link-$n" ;;
        directory-0) rmdir "/srv/soak/dir-$n" ;;
        directory-1) chmod 0777 "/srv/soak/dir-$n" ;;
        directory-2) chown daemon "/srv/soak/dir-$n" ;;
        line-*) sed -i "/^line $n\$/d" /srv/soak/conf ;;
        service-0) pids[$n]=$(pid "$n"); systemctl stop "soak$n" ;;
        service-1) pids[$n]=$(pid "$n"); systemctl kill -s KILL "soak$n" ;;
        service-2) systemctl -q disable "soak$n" ;;
        unit-0) rm "/etc/systemd/system/soak$n.service" ;;
        unit-*) echo "# mine" >>"/etc/systemd/system/soak$n.service" ;;
        user-*) usermod -s /bin/false "soaker$n" ;;
        group-*) groupdel "soakers$n" ;;
        cron-*) echo "* * * * * root true" >>/etc/cron.d/soak ;;
        sysctl-*) sed -i s/0/1/ /etc/sysctl.d/soak.conf ;;
    esac
}

# even NAME: whether it is as it is to be.
even() {
    local n=${1#*-} stat
    case ${1%-*} in
        file) [[ $(cat "/srv/soak/file-$n" 2>&1) == "file $n" && $(stat -c %a:%U "/srv/soak/file-$n" 2>&1) == 644:root ]] ;;
        symlink) [[ $(readlink "/srv/soak/link-$n") == "file-$n" ]] ;;
        directory) [[ $(stat -c %F:%a:%U "/srv/soak/dir-$n" 2>&1) == directory:750:root ]] ;;
        line) grep -qx "line $n" /srv/soak/conf ;;
        service) systemctl -q is-active "soak$n" && systemctl -q is-enabled "soak$n" && [[ $(pid "$n") != "${pids[$n]:-none}" ]] ;;
        unit) stat=$(cat "/etc/systemd/system/soak$n.service") && [[ $stat == "[Service]"*sleep* && $stat != *mine* ]] ;;
        user) [[ $(getent passwd "soaker$n") == *:/bin/sh ]] ;;
        group) getent group "soakers$n" >/dev/null ;;
        cron) [[ $(cat /etc/cron.d/soak) == "# nothing to do" ]] ;;
        sysctl) [[ $(cat /etc/sysctl.d/soak.conf) == "kernel.sysrq = 0" ]] ;;
    esac 2>/dev/null
}

for name in "${names[@]}"; do
    even "$name" || { echo "$name was not even before" >&2; exit 1; }
done
done=0 begin=$(now)
while ((done < alterations)); do
    # Three at once each fourth time.
    chosen=("${names[RANDOM % ${#names[@]}]}")
    if ((RANDOM % 4 == 0)); then
        for more in 1 2; do
            other=${names[RANDOM % ${#names[@]}]}
            # A unit that is gone takes its service with it.
            [[ " ${chosen[*]} " == *"-${other#*-} "* ]] || chosen+=("$other")
        done
    fi
    declare -A since=()
    for name in "${chosen[@]}"; do alter "$name"; since[$name]=$(now); done
    while ((${#since[@]})); do
        for name in "${!since[@]}"; do
            took=$((($(now) - since[$name]) / 1000))
            if even "$name"; then
                echo "${name%-*} $took"
                unset "since[$name]"
            elif ((took > 60000)); then
                echo "$name was not repaired within a minute" >&2
                exit 1
            fi
        done
        sleep 0.01
    done
    done=$((done + ${#chosen[@]}))
    # Evenly over the time.
    wait=$((begin + done * seconds * 1000000 / alterations - $(now)))
    ((wait <= 0)) || sleep "$((wait / 1000000)).$(printf %06d $((wait % 1000000)))"
done
