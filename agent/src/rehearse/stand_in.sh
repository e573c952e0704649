#!/bin/sh
# In place of systemctl in a copy of a machine where no service manager runs: links are made as the real one makes them, and what is
# started or stopped is written down. Nothing is started.
real=/usr/bin/systemctl
state=/run/keel-box-units
verb=
units=
for word; do
    case $word in
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else
        case $word in *.*) ;; *) word=$word.service ;; esac
        units="$units $word"
    fi ;;
    esac
done
mkdir -p "$state"
link() { "$real" --root=/ is-enabled -- "$1" 2>/dev/null; }
has_reload() {
    for place in /etc /run /usr/local/lib /usr/lib /lib; do
        if [ -e "$place/systemd/system/$1" ]; then grep -q '^ExecReload=' "$place/systemd/system/$1" && return 0; fi
    done
    return 1
}
show() {
    link=$(link "$1")
    load=loaded active=inactive reload=no
    case $link in '' | not-found) load=not-found link= ;; masked*) load=masked ;; esac
    if [ -e "$state/$1" ]; then active=active; fi
    if has_reload "$1"; then reload=yes; fi
    printf '%s\n' "Id=$1" "LoadState=$load" "ActiveState=$active" "UnitFileState=$link" NeedDaemonReload=no "CanReload=$reload"
}
case $verb in
show)
    first=yes
    for unit in $units; do
        [ -n "$first" ] || echo
        first=
        show "$unit"
    done
    ;;
start | restart | reload-or-restart)
    for unit in $units; do
        case $(link "$unit") in
        '' | not-found) echo "Failed to $verb $unit: Unit $unit not found." >&2 && exit 5 ;;
        masked*) echo "Failed to $verb $unit: Unit $unit is masked." >&2 && exit 1 ;;
        esac
        : >"$state/$unit"
    done
    ;;
stop | kill) for unit in $units; do rm -f "$state/$unit"; done ;;
is-active) for unit in $units; do if [ -e "$state/$unit" ]; then echo active; else echo inactive && exit 3; fi; done ;;
enable | disable | mask | unmask | preset | is-enabled | is-system-running | cat | list-unit-files) exec "$real" --root=/ "$@" ;;
*) ;;
esac
