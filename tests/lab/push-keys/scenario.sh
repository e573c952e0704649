# Ways in: an encrypted key, an agent, one key of many; and ways to become root: sudo with a password, doas. What is asked is asked
# once for all hosts, and no secret is to be seen anywhere. What is no way is said as what it is.
# hosts: 2
. "$LAB/laptop.sh"

passphrase='open sesame 7261'
password='aye aye 90417'
secrets=$(mktemp)
printf '%s\n' "$passphrase" "$password" >"$secrets"
trap 'rm -f "$secrets"; laptop_ends' EXIT
times() { grep -o -- "$1" <<<"$OUTPUT" | wc -l; }
both() { on 1 "$@"; on 2 "$@"; }
# pushed TEXT: both hosts have it.
pushed() { assert_eq "$1 on push-keys1"$'\n'"$1 on push-keys2" "$(both host cat /etc/mark)"; }
# user_of NAME: everything is done as this user from now on.
user_of() { sed -i "s/User .*/User $1/" "$LAPTOP_HOME/.ssh/config"; }
# watched COMMAND…: meanwhile all argv and environments on this machine and on the hosts are looked through for the secrets.
watched() {
    local watcher status=0
    while :; do
        cat /proc/[0-9]*/{cmdline,environ} 2>&- | grep -aqFf "$secrets" && touch "$LAPTOP/seen"
        sleep 0.02
    done &
    watcher=$!
    "$@" || status=$?
    kill "$watcher"
    return "$status"
}
# unseen: no secret in what was printed, in what the hosts keep or log, nor in what the laptop keeps.
unseen() {
    [[ ! -e $LAPTOP/seen ]] || lab_fail "a secret was in an argv or environment"
    assert_lacks "$OUTPUT" "$passphrase"
    assert_lacks "$OUTPUT" "$password"
    for number in 1 2; do on $number host_write /run/secrets 0600 <"$secrets"; done
    local leak='cd /; grep -rlaFf /run/secrets var/lib/evenkeel var/log tmp var/tmp home root; journalctl -q | grep -aFf /run/secrets'
    assert_eq "" "$(both host_sh "{ $leak; } 2>&- || true")" "a secret is left on a host"
    assert_eq "" "$(grep -rlaFf "$secrets" "$LAPTOP" || true)" "a secret is left on the laptop"
}
laptop_knows web1 web2

# A key with a passphrase: asked for once. Without a terminal it is said what is missing.
key=$LAPTOP_HOME/.ssh/id_ed25519
laptop_runs ssh-keygen -q -p -N "$passphrase" -f "$key" >&-
assert_exit 0 watched typed "assphrase" "$passphrase" -- apply --yes web1 web2 --set mark.text=encrypted
assert_eq 1 "$(times assphrase)" "asked once"
pushed encrypted
unseen
assert_exit 4 laptop plan web1 </dev/null
assert_contains "$OUTPUT" "passphrase"
assert_exit 4 typed "assphrase" wrong "assphrase" wrong "assphrase" wrong -- plan web1
assert_contains "$OUTPUT" "was not let in"

# An agent has it instead. With a crowd of other keys in it the host hangs up before the right one, unless told which.
mv "$key" "$LAPTOP/kept"
socket=$LAPTOP/agent
ssh-agent -D -a "$socket" >&- &
LAPTOP_AGENT=$!
LAPTOP_ENV=(SSH_AUTH_SOCK="$socket")
soon test -S "$socket"
for number in {1..8}; do
    ssh-keygen -q -t ed25519 -N '' -f "$LAPTOP/other$number"
    laptop_runs ssh-add -q "$LAPTOP/other$number"
done
laptop_runs ssh-add -q "$LAB_KEY"
mv "$key.pub" "$LAPTOP/kept.pub"
assert_exit 4 laptop plan web1
assert_contains "$OUTPUT" "admin"
mv "$LAPTOP/kept.pub" "$key.pub"
sed -i "1i IdentityFile ~/.ssh/id_ed25519\nIdentitiesOnly yes" "$LAPTOP_HOME/.ssh/config"
assert_exit 0 laptop apply --yes web1 web2 --set mark.text=agent
pushed agent
kill "$LAPTOP_AGENT"
LAPTOP_AGENT='' LAPTOP_ENV=()
install -m 0600 "$LAB_KEY" "$key"

# sudo with a password: asked once for both hosts.
for_each_user='for name in ops guest term dora; do
        useradd -m -s /bin/bash "$name"
        install -d -m 0700 -o "$name" "/home/$name/.ssh"
        install -m 0600 -o "$name" /root/.ssh/authorized_keys "/home/$name/.ssh/"
        echo "$name:$1" | chpasswd
    done
    echo "ops ALL=(ALL) ALL" >/etc/sudoers.d/ops
    printf "Defaults:term requiretty\nterm ALL=(ALL) NOPASSWD: ALL\n" >/etc/sudoers.d/tty'
both host_sh "$for_each_user" "$password" 2>&-
user_of ops
assert_exit 0 watched typed "assword" "$password" -- apply --yes --ask-sudo-password web1 web2 --set mark.text=sudo
assert_eq 1 "$(times assword)" "asked once"
pushed sudo
unseen
assert_exit 1 typed "assword" "not that" -- plan web1 --ask-sudo-password
assert_contains "$OUTPUT" "password"
assert_exit 1 laptop plan web1 </dev/null
assert_contains "$OUTPUT" "password"

# No way to root, each in words of its own.
user_of guest
assert_exit 1 typed "assword" "$password" -- plan web1 --ask-sudo-password
assert_contains "$OUTPUT" "sudoers"
user_of term
assert_exit 1 laptop plan web1
assert_contains "$OUTPUT" "requiretty"

# Where there is no sudo there may be doas.
host_sh 'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y opendoas >/dev/null 2>&1
    echo "permit nopass dora" >/etc/doas.conf; chmod 0400 /etc/doas.conf; mv /usr/bin/sudo /usr/bin/sudo.away'
user_of dora
assert_exit 0 laptop apply --yes web1 --set mark.text=doas
assert_eq "doas on push-keys1" "$(host cat /etc/mark)"
user_of guest
assert_exit 1 laptop plan web1
assert_contains "$OUTPUT" "root"
