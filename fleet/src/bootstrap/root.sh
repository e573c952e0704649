# The second half, as root: finds or takes the agent, checks it, and becomes it. What it says goes to standard output, a line
# each, that begins with a nonce of ours; the agent's frames follow the line `run`. Nothing is run before its digest is right.
# 1: nonce  2: a path that root alone owns  3: state directory  4: PATH  5: 0, or how many seconds the agent waits for its first word at most; then
# it is not taken where it is missing  6...: machine and digest of each agent
set -u
set -f
umask 077
export LC_ALL=C
nonce=$1
mark=$2
state=$3
bin=$state/bin
export PATH="$4"
spare=$5
shift 5
say() { printf "%s\n" "KEEL-$nonce $*"; }
# Unquoted, so that the words of programs become one line.
dead() { say $*; exit 1; }
[ -O "$mark" ] || dead notroot
say root
for place in "$state" "$bin"; do
if [ -e "$place" ] || [ -L "$place" ]; then
[ -d "$place" ] || dead nodirectory "$place"
else
words=$(mkdir -m 0700 "$place" 2>&1) || [ -d "$place" ] || dead cannot "$words"
fi
done
machine=
digest=
pick() { while [ "$#" -gt 1 ]; do if [ "$1" = "$machine" ]; then digest=$2; fi; shift 2; done; [ -n "$digest" ]; }
# On old kernels there is no such file, and on some machines it is less precise than uname(1), which is a process more.
{ read -r machine </proc/sys/kernel/arch; } 2>/dev/null
if pick "$@"; then :; else
machine=$(uname -m 2>&1) || dead cannot "$machine"
pick "$@" || dead machine "$machine"
fi
agent=$bin/keel-agent-$digest
is_there=
if [ -e "$agent" ] || [ -L "$agent" ]; then is_there=yes; fi
# Who owns them, and that nobody else can write: links, group and others are in the mode that ls shows.
for place in "$state" "$bin" ${is_there:+"$agent"}; do
[ -O "$place" ] || dead owner "$place"
done
look=$(ls -ldn "$state" "$bin" ${is_there:+"$agent"} 2>&1) || dead cannot "$look"
tight() { case "$1,${10},${19:-none}" in d????-??-*,d????-??-*,none|d????-??-*,d????-??-*,-????-??-*) return 0;; *) return 1;; esac; }
tight $look || dead loose "$look"
has() { for tool in "$@"; do command -v "$tool" >/dev/null || dead tool "$tool"; done; }
has sha256sum
how=warm
if [ -n "$is_there" ]; then
sum=$(sha256sum <"$agent" 2>&1) || dead cannot "$sum"
[ "${sum%% *}" = "$digest" ] || dead tampered "${sum%% *}" "$digest"
else
how=cold
[ "$spare" = 0 ] || exit 1
has head gzip chmod sync mv rm find
part=$bin/.part-$nonce
drop() { rm -f "$part"; }
trap drop EXIT
trap "exit 1" HUP INT TERM PIPE
# What a power cut left of uploads. An agent removes that too, but where it fills the disk none comes. A failure is no harm.
find "$bin" -name ".part-*" -type f -mmin +60 -exec rm -f {} + 2>/dev/null
say need "$machine"
read -r size || dead cut
[ "$size" -gt 0 ] 2>/dev/null || dead cut
words=$({ head -c "$size" | gzip -dc >"$part"; } 2>&1) || dead upload "$words"
sum=$(sha256sum <"$part" 2>&1) || dead cannot "$sum"
[ "${sum%% *}" = "$digest" ] || dead mismatch "${sum%% *}"
# Else a power cut could leave the name without the bytes.
words=$({ chmod 0700 "$part" && sync "$part" && mv -f "$part" "$agent"; } 2>&1) || dead cannot "$words"
trap - EXIT HUP INT TERM PIPE
fi
[ -x "$agent" ] || dead noexec
say run "$how"
if [ "$spare" = 0 ]; then
exec "$agent" serve
fi
exec "$agent" serve spare "$spare"
