# Somebody changes things by hand. The plan shows it, files as a diff; apply repairs it; `rollback` brings back the very
# bytes, modes and owners that the hand had left, and a rollback of that the repaired state.
. "$LAB/lab.sh"

file=site/host.toml
paths=("/srv/ship" /etc/systemd/system/lookout.service /etc/systemd/system/multi-user.target.wants)

# state: all that a user sees of what is managed.
state() {
    fingerprint "${paths[@]}" | sed '/\/srv\/ship\/notes/d'
    host_sh 'getent passwd sailor || true; getent group crew || true
        systemctl is-active lookout || true; systemctl is-enabled lookout 2>&1 || true'
}

put site /root/site
empty=$(state)
assert_exit 0 keel_on_host apply -f $file --yes
good=$(state)
assert_eq "Z3Jvw58NCm9obmUgWmVpbGVuZW5kZQ==" "$(host base64 /srv/ship/größe)" "bytes, CRLF and no final newline"
assert_eq "644 sailor:crew" "$(host stat -c '%a %U:%G' /srv/ship/orders)"

host_sh '
    cd /srv/ship
    sed -i s/north/south/ orders; chown root:root orders; chmod 4755 orders
    echo "Trust me." > "private orders"
    printf "\xff\x00\xfe" > größe; chmod 0666 größe
    rm empty; ln -s /etc/passwd empty
    ln -sfn /tmp today
    chmod 0777 "log book"; chown sailor "log book"
    usermod -s /bin/bash -c "Captain, says he" -G "" sailor
    systemctl -q disable --now lookout
    sed -i s/infinity/1000/ /etc/systemd/system/lookout.service
    echo mine > "log book/private"'
bad=$(state) notes=$(host cat /srv/ship/notes)

# A link where a file belongs is somebody's doing too: without `force` it is refused, and nothing else is held up by it.
assert_exit 1 keel_on_host plan -f $file
assert_contains "$OUTPUT" "symlink stands at /srv/ship/empty"
host rm /srv/ship/empty
# Whoever takes the name of another in the journal is not believed.
as admin host logger -t sudo "root : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/forged /srv/ship/orders"
host logger -t sudo "root : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/forged /srv/ship/orders"
as admin host logger -t usermod "change user 'sailor' shell from '/bin/sh' to '/bin/forged'"
as admin host sudo chmod 4755 /srv/ship/orders
bad=$(state)

assert_exit 2 keel_on_host plan -f $file
plan=$OUTPUT
assert_eq "$bad" "$(state)" "the plan changed something"
for part in "-Steer south." "+Steer north." "0777 -> 0700" "root -> sailor" "/tmp -> log book" \
    "-ExecStart=/bin/sleep 1000" "/bin/bash -> /bin/sh" "Captain, says he" "exec.note will be refreshed"; do
    assert_contains "$plan" "$part" "the plan lacks"
done
assert_lacks "$plan" "Trust" "what not everybody may read is no part of the plan:"
assert_contains "$plan" "private orders" "but that it changes is:"
assert_lacks "$plan" "directory./srv/ship " "what is right is no part of the plan:"

# Who was it? What the host knows is told, with where it comes from.
assert_contains "$(host journalctl -q -t sudo --no-pager)" "COMMAND=/usr/bin/forged"
assert_contains "$(host journalctl -q -t sudo --no-pager)" "COMMAND=/usr/bin/chmod 4755 /srv/ship/orders"
assert_exit 2 keel_on_host drift -f $file
assert_contains "$OUTPUT" "~ file./srv/ship/orders drifted"
assert_contains "$OUTPUT" "mode: was 0644, is 4755"
assert_contains "$OUTPUT" "admin ran /usr/bin/chmod with it  [the journal, sudo]"
assert_contains "$OUTPUT" "shell: was /bin/sh, is /bin/bash"
assert_contains "$OUTPUT" "change user 'sailor' shell from '/bin/sh' to '/bin/bash'"
assert_lacks "$OUTPUT" "Trust" "a secret is in what drifted:"
assert_lacks "$OUTPUT" "forged" "who took the name of another is believed:"
assert_eq "$bad" "$(state)" "looking for drift changed something"
assert_contains "$plan" "  [drift]" "a plan marks it:"

assert_exit 0 keel_on_host apply -f $file --yes
assert_eq "$good" "$(state | sed '/book\/private/d')" "not repaired"
assert_eq "$notes"$'\n'"read" "$(host cat /srv/ship/notes)" "the command was notified once"
assert_eq mine "$(host cat '/srv/ship/log book/private')"
assert_exit 0 keel_on_host plan -f $file

assert_exit 0 keel_on_host drift -f $file
assert_contains "$OUTPUT" "no drift"

# Back to what the hand had left, and forth again: to the byte. Only of the command's undo nobody knows the undo.
assert_exit 2 keel_on_host rollback --plan
assert_contains "$OUTPUT" "+Steer south."
assert_exit 0 keel_on_host rollback --yes
assert_eq "$bad" "$(state)" "not rolled back"
assert_eq forgotten "$(host tail -n 1 /srv/ship/notes)" "the command's undo"
assert_exit 1 keel_on_host rollback --yes
assert_contains "$OUTPUT" "it ran a command that nothing undoes"
assert_contains "$OUTPUT" " 1 failed"
assert_eq "$good" "$(state | sed '/book\/private/d')" "not rolled forth"

# What somebody changed since is not run over: it is said, and stays, unless it is forced.
host_sh 'echo "Mine now." >> /srv/ship/orders'
assert_exit 1 keel_on_host rollback --yes
assert_contains "$OUTPUT" "/srv/ship/orders"
assert_contains "$(host cat /srv/ship/orders)" "Mine now."
