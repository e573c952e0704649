# What a scenario may use; sourced by every tests/lab/*/scenario.sh, run by the runner with
#   LAB            the folder tests/lab          LAB_ADDRESSES  the hosts' addresses, in order
#   LAB_KEY        the lab's private key         LAB_FOLDERS    the hosts' folders on this machine, in order
#   LAB_WORKSPACE  the project                   LAB_INITS      the pids of the hosts' first processes, in order
#   KEEL_BIN       the built keel, to be put on a host
# It looks at hosts with the hosts' plain tools only; whatever keel says about itself proves nothing.

set -Eeuo pipefail
trap '[[ ${BASH_SOURCE[0]} == */lab.sh ]] || echo "FAILED ${BASH_SOURCE[0]}:$LINENO: $BASH_COMMAND" >&2' ERR

read -ra LAB_ADDRESS_LIST <<<"$LAB_ADDRESSES"
read -ra LAB_FOLDER_LIST <<<"$LAB_FOLDERS"
read -ra LAB_INIT_LIST <<<"$LAB_INITS"
LAB_BEHIND=()
LAB_HOST=1
LAB_USER=root
LAB_AFRESH=

# ---- reaching hosts ----------------------------------------------------------------------------------------

# on N COMMAND…: the helper or function COMMAND on the N-th host (the first is the default).
on() { local LAB_HOST=$1; shift; "$@"; }

# as USER COMMAND…: the same as another user, `admin` (who has sudo without a password).
as() { local LAB_USER=$1; shift; "$@"; }

# afresh COMMAND…: the same with a login of its own for each call, where it is that which matters.
afresh() { local LAB_AFRESH=yes; "$@"; }

# lets_go: root's line ends; what comes next logs in anew. Before the network fails: a line that nobody answers on is waited for.
lets_go() { lab_ssh -O exit 2>/dev/null || true; }

# address: the address of the host, for curl and the like.
address() { echo "${LAB_ADDRESS_LIST[LAB_HOST - 1]}"; }

# folder: the host's folder on this machine; its file system is in folder/root.
folder() { echo "${LAB_FOLDER_LIST[LAB_HOST - 1]}"; }

# network ARGV…: a program of this machine (ip, iptables, ss) with the network of the host.
network() { nsenter --net="/proc/${LAB_INIT_LIST[LAB_HOST - 1]}/ns/net" "$@"; }

# power_cycle: the host loses its power, as if its plug were pulled, and boots again.
power_cycle() {
    local mark proc pid=
    mark="KEEL_LAB_INIT=$(folder)"
    for proc in /proc/[0-9]*; do
        [[ $(sed -n 's/^NSpid:.*\t//p' "$proc/status" 2>/dev/null) == 1 ]] || continue
        ! tr '\0' '\n' 2>/dev/null <"$proc/environ" | grep -qxF "$mark" || pid=${proc#/proc/}
    done
    touch "$(folder)/boots-again"
    lets_go
    kill -9 "${pid:?the host does not run}"
}

# behind OUTER INNER NET: the host INNER leaves the lab's network for one that it shares with the host OUTER alone; it gets the
# address NET.2 there, OUTER gets NET.1. Helpers reach it all the same.
behind() {
    local outer=$1 inner=$2 net=$3 pids=("${LAB_INIT_LIST[@]}")
    ip link add netns "${pids[outer - 1]}" name "to$inner" type veth peer netns "${pids[inner - 1]}" name "from$outer"
    on "$outer" network sh -ec "ip address add $net.1/24 dev to$inner; ip link set to$inner up"
    on "$inner" network sh -ec "ip link del host0; ip address add $net.2/24 dev from$outer; ip link set from$outer up"
    sed -i "s/^[^ ]*/$net.2/" "$(on "$inner" folder)/known_hosts"
    LAB_ADDRESS_LIST[inner - 1]=$net.2
    LAB_BEHIND[inner]=$outer
}

# The line of root is kept for what comes next; another user logs in each time.
lab_ssh() {
    local through=() line=()
    [[ -z ${LAB_BEHIND[LAB_HOST]:-} ]] || through=(network)
    [[ $LAB_USER != root || -n $LAB_AFRESH ]] ||
        line=(-o ControlMaster=auto -o ControlPath="$(folder)/%h" -o ControlPersist=20 -o ServerAliveInterval=10)
    "${through[@]}" \
    ssh -F none "${line[@]}" -i "$LAB_KEY" -o UserKnownHostsFile="$(folder)/known_hosts" -o GlobalKnownHostsFile=none \
        -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=10 \
        -o LogLevel=ERROR "$LAB_USER@$(address)" "$@"
}

# host ARGV…: runs exactly this argv on the host. Standard input is not passed on.
host() { lab_ssh -n -- "$(printf '%q ' "$@")"; }

# host_sh 'SCRIPT' [ARG…]: runs a shell script on the host, with ARGs as $1….
host_sh() { host bash --norc -euo pipefail -c "$1" host_sh "${@:2}"; }

# host_write PATH [MODE]: standard input becomes a file of the host.
host_write() { lab_ssh -- "$(printf 'umask 077 && cat > %q && chmod %q %q' "$1" "${2:-0644}" "$1")"; }

# put SOURCE TARGET: copies a file, or the content of a folder, of this machine to the host.
put() {
    if [[ -d $1 ]]; then
        host mkdir -p "$2"
        tar -C "$1" --owner=0 --group=0 -cf - . | lab_ssh -- "$(printf 'tar -C %q -xf -' "$2")"
    else
        host_write "$2" "$(stat -c %a "$1")" <"$1"
    fi
}

# ---- keel --------------------------------------------------------------------------------------------------

# keel ARG…: keel on the host, in /root; it is copied there once.
keel() {
    local bin=${KEEL_BIN:?is not set: run scenarios with cargo xtask test} mark
    mark=/usr/local/bin/keel
    host test -x "$mark" || { host_write "$mark.new" 0755 <"$bin" && host mv "$mark.new" "$mark"; }
    host "$mark" "$@"
}

# keel_on_host VERB ARG…: the same with --local, for the host itself.
keel_on_host() { keel "$1" --local "${@:2}"; }

# ---- looking -----------------------------------------------------------------------------------------------

# snapshot PATH…: everything that a write would change, of all files below: inode, links, mode, owner, size,
# mtime, ctime, target. Two equal snapshots mean that nothing was written in between.
snapshot() {
    host_sh 'find "$@" -printf "%p\t%y\tino=%i\tn=%n\t%m\t%U:%G\t%s\tm=%T@\tc=%C@\t%l\n" | LC_ALL=C sort' "$@"
}

# fingerprint PATH…: what a user sees of the same files: type, mode, owner, target, bytes. A path that is not
# there is said to be absent.
fingerprint() {
    host_sh 'for path in "$@"; do
        [[ -e $path || -L $path ]] || { printf "%s\tabsent\n" "$path"; continue; }
        find "$path" -printf "%p\t%y\t%m\t%U:%G\t%l\n"
        find "$path" -type f -exec sha256sum {} +
    done | LC_ALL=C sort' "$@"
}

# fetch URL-PATH: the page that the host's web server gives.
fetch() { curl --noproxy '*' --silent --show-error --fail --max-time 10 "http://$(address)$1"; }

# serves TEXT URL-PATH: whether the page is this text.
serves() { [[ $(fetch "$2" 2>&1) == "$1" ]]; }

# soon COMMAND…: repeats the command until it succeeds; fails when it has not within two minutes, or as many seconds as SOON says.
soon() {
    local limit=${SOON:-120}
    local end=$((SECONDS + limit))
    until "$@"; do
        ((SECONDS < end)) || lab_fail "not within $limit seconds: $*"
        sleep 0.1
    done
}

# ---- judging -----------------------------------------------------------------------------------------------

lab_fail() {
    local caller=1
    [[ -z ${BASH_SOURCE[2]:-} ]] || caller=2
    printf 'ASSERTION %s:%s: %s\n' "${BASH_SOURCE[caller]}" "${BASH_LINENO[caller - 1]}" "$1" >&2
    exit 1
}

# assert_eq WANTED FOUND [WHAT]: equal texts; a difference is shown as a diff.
assert_eq() {
    [[ $1 == "$2" ]] && return
    diff -u --label wanted --label found <(printf '%s\n' "$1") <(printf '%s\n' "$2") >&2 || true
    lab_fail "${3:-not equal}"
}

# assert_contains TEXT PART [WHAT] and its opposite.
assert_contains() { [[ $1 == *"$2"* ]] || { printf '%s\n' "$1" >&2; lab_fail "${3:-the text above lacks} '$2'"; }; }
assert_lacks() { [[ $1 != *"$2"* ]] || { printf '%s\n' "$1" >&2; lab_fail "${3:-the text above holds} '$2'"; }; }

# assert_exit CODE COMMAND…: the command ends with exactly this status; its output is left in $OUTPUT.
assert_exit() {
    local wanted=$1 found=0
    shift
    OUTPUT=$("$@" 2>&1) || found=$?
    [[ $found == "$wanted" ]] || { printf '%s\n' "$OUTPUT" >&2; lab_fail "exit $found, not $wanted: $*"; }
}
