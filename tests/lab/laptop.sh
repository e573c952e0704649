# What a scenario of pushing may use besides lab.sh, which it brings in: this machine is the laptop. The laptop has a home
# of its own in a scratch folder; for what runs there it is the home of root, also in /etc/passwd (ssh looks there and not at
# HOME), and nothing of this machine's own ~/.ssh is read or written.

. "$LAB/lab.sh"

LAPTOP=$(mktemp -d)
LAPTOP_HOME=$LAPTOP/home
LAPTOP_ENV=()
LAPTOP_PID=$LAPTOP/pid
trap 'laptop_ends' EXIT

mkdir -m 0700 "$LAPTOP_HOME" "$LAPTOP_HOME/.ssh"
install -m 0600 "$LAB_KEY" "$LAPTOP_HOME/.ssh/id_ed25519"
install -m 0644 "$LAB_KEY.pub" "$LAPTOP_HOME/.ssh/id_ed25519.pub"
awk -F: -v OFS=: -v home="$LAPTOP_HOME" '$3 == 0 { $6 = home } 1' /etc/passwd >"$LAPTOP/passwd"
sed 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf >"$LAPTOP/nsswitch.conf"

laptop_ends() {
    if [[ -n ${LAPTOP_AGENT:-} ]]; then kill "$LAPTOP_AGENT"; fi
    rm -rf "$LAPTOP"
}

# laptop_knows NAME…: the laptop's ~/.ssh/config calls the first host so, the second so …, and logs in as admin; their
# keys are in known_hosts. Hosts that are `behind` others are reached through them.
laptop_knows() {
    local names=("$@") number address
    for ((number = 1; number <= $#; number++)); do
        address=$(on $number address)
        printf '%s %s\n' "$address" "$(host_key $number)" >&3
        printf 'Host %s\n    HostName %s\n    User admin\n' "${names[number - 1]}" "$address"
        [[ -z ${LAB_BEHIND[number]:-} ]] || printf '    ProxyJump %s\n' "${names[LAB_BEHIND[number] - 1]}"
    done >"$LAPTOP_HOME/.ssh/config" 3>"$LAPTOP_HOME/.ssh/known_hosts"
}

# host_key N: the public key of the N-th host's sshd, without a comment.
host_key() { cut -d' ' -f1,2 "$(on "$1" folder)/root/etc/ssh/ssh_host_ed25519_key.pub"; }

# laptop ARG…: keel on the laptop, in the scenario's folder `site`, or in $LAPTOP_SITE.
laptop() { laptop_runs "${KEEL_BIN:?is not set: run scenarios with cargo xtask test}" "$@"; }

# laptop_runs ARGV…: another program there.
laptop_runs() {
    laptop_words "$@"
    "${LAPTOP_WORDS[@]}"
}

# laptop_words ARGV…: leaves in LAPTOP_WORDS what starts a program there; its pid will be in the file $LAPTOP_PID. Names are looked
# up in /etc/hosts alone: nothing leaves this machine.
laptop_words() {
    LAPTOP_WORDS=(env -i "--chdir=${LAPTOP_SITE:-site}" "PATH=$PATH" "HOME=$LAPTOP_HOME" USER=root LOGNAME=root LANG=C.UTF-8
        TERM=dumb "${LAPTOP_ENV[@]}" unshare --mount --propagation private
        bash -ec 'cd "$0"; mount --bind passwd /etc/passwd; mount --bind nsswitch.conf /etc/nsswitch.conf
            echo $$ >pid; cd "$OLDPWD"; exec "$@"' "$LAPTOP" "$@")
}

# typed ['PROMPT' TEXT …] -- ARG…: keel on the laptop's terminal. Each text is typed once its prompt has been shown; a text `!NAME`
# calls this function and types what it prints. All that the terminal showed goes to standard output; the status is keel's.
typed() {
    local words=() shown='' byte status=0 in out pid
    while [[ $1 != -- ]]; do words+=("$1"); shift; done
    laptop_words "$KEEL_BIN" "${@:2}"
    coproc TERMINAL { SHELL=/bin/bash exec script -qefc "$(printf '%q ' "${LAPTOP_WORDS[@]}")" /dev/null 2>&1; }
    pid=$TERMINAL_PID
    exec {in}>&"${TERMINAL[1]}" {out}<&"${TERMINAL[0]}"
    while IFS= read -r -d '' -n 1 -t 100 -u "$out" byte; do
        shown+=$byte
        [[ $byte != $'\n' ]] || { printf '%s' "$shown"; shown=''; }
        if ((${#words[@]})) && [[ $shown == *"${words[0]}"* ]]; then
            printf '%s' "$shown"
            shown=''
            unechoed
            if [[ ${words[1]} == !* ]]; then "${words[1]#!}"; else printf '%s\n' "${words[1]}"; fi >&"$in"
            words=("${words[@]:2}")
        fi
    done
    printf '%s' "$shown"
    exec {in}>&- {out}<&-
    wait "$pid" || status=$?
    return "$status"
}

# unechoed: waits until keel's terminal no longer shows what is typed, half a second at most: questions that are no secret are shown.
unechoed() {
    for _ in {1..25}; do
        [[ $(stty -F "/proc/$(cat "$LAPTOP_PID")/fd/0" -a 2>&-) != *" -echo "* ]] || return 0
        sleep 0.02
    done
}
