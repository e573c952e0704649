# The first half, in the login user's shell: becomes root and hands over to root.sh. Only positional arguments vary.
# Both halves are joined to one line and put between single quotes, so that bash, zsh, fish and csh all hand them over as they
# are: no single quote, no exclamation mark, and nothing that needs a line's end.
# 1: root.sh  2: way (quiet, password, doas)  3: pace (go, or pause: until a line comes)  4: nonce  5: a path that root alone owns
# 6: state directory  7: PATH  8: spare, see root.sh  9...: agents
set -u
umask 077
export LC_ALL=C
root=$1
way=$2
pace=$3
shift 3
nonce=$1
PATH=${PATH:-/bin}:$4
say() { printf "%s\n" "KEEL-$nonce $*"; }
pause() { if [ "$pace" = pause ]; then read -r pace || exit 1; fi; }
if [ -O "$2" ]; then
say here root
pause
eval "$root"
exit 1
fi
tools=
if command -v sudo >/dev/null; then tools=sudo; fi
if command -v doas >/dev/null; then tools="$tools doas"; fi
say here $tools
pause
[ -n "$tools" ] || exit 1
if [ "$tools" = " doas" ]; then way=doas; fi
if [ "$way" = doas ]; then
exec doas -n /bin/sh -c "$root" sh "$@"
fi
if [ "$way" = password ]; then
exec sudo -S -k -p "KEEL-$nonce password " -- /bin/sh -c "$root" sh "$@"
fi
exec sudo -n -- /bin/sh -c "$root" sh "$@"
