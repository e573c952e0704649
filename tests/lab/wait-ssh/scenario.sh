# A host that is still booting: nobody answers yet, or users are not yet let in. Both are waited for where that is asked for, and nothing else is.
# hosts: 1
. "$LAB/laptop.sh"

LAPTOP_SITE=$LAPTOP
laptop_knows web
booting="System is booting up. Unprivileged users are not permitted to log in yet. Please come back later."

# in_time SECONDS COMMAND…: the host does this by itself, later.
in_time() { host systemd-run --quiet --on-active="$1" --timer-property=AccuracySec=100ms -- "${@:2}"; }

for transport in ssh2 openssh; do
    in_time 8 systemctl start ssh.service
    host systemctl stop ssh.service
    assert_exit 4 laptop facts --no-keep --transport "$transport" web
    assert_exit 0 laptop facts --no-keep --transport "$transport" --wait-ssh 1m web
    assert_contains "$OUTPUT" "waiting for it, 60 s at most"

    host_sh 'echo "$1" >/run/nologin' "$booting"
    in_time 8 rm /run/nologin
    assert_exit 4 laptop facts --no-keep --transport "$transport" web
    assert_exit 0 laptop facts --no-keep --transport "$transport" --wait-ssh 1m web
    assert_contains "$OUTPUT" "waiting for it, 60 s at most"
done

# A host with another key than the known one is none that boots.
sed -i 's/ssh-ed25519 .*/ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/' "$LAPTOP_HOME/.ssh/known_hosts"
assert_exit 4 laptop facts --wait-ssh 5m web
assert_lacks "$OUTPUT" "waiting for it"
