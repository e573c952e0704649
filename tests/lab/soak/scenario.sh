# A host with an agent and some forty resources, which are altered again and again at random: each is repaired, none is missed, and the
# agent stays as large as it was. SOAK_MINUTES, SOAK_ALTERATIONS and SOAK_SEED make more of it: `cargo xtask soak`.
. "$LAB/lab.sh"

alterations=${SOAK_ALTERATIONS:-30} seconds=$((${SOAK_MINUTES:-0} * 60)) seed=${SOAK_SEED:-1}
echo "seed $seed, $alterations alterations over $seconds s at least"

site() {
    local n
    for n in {1..12}; do printf '[file."/srv/soak/file-%s"]\ncontent = "file %s\\n"\nmode = "0644"\n' "$n" "$n"; done
    for n in {1..6}; do
        printf '[symlink."/srv/soak/link-%s"]\ntarget = "file-%s"\n' "$n" "$n"
        printf '[directory."/srv/soak/dir-%s"]\nmode = "0750"\nowner = "root"\n' "$n"
    done
    printf '[file."/srv/soak/conf"]\n'
    for n in {1..4}; do printf '[line.n%s]\npath = "/srv/soak/conf"\nline = "line %s"\n' "$n" "$n"; done
    for n in {1..3}; do
        printf '[systemd_unit."soak%s.service"]\ncontent = "[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"\n' "$n"
        printf '[service.soak%s]\nrunning = true\nenabled = true\n' "$n"
        printf '[user.soaker%s]\nshell = "/bin/sh"\n' "$n"
    done
    printf '[group.soakers1]\n[group.soakers2]\n[directory."/etc/cron.d"]\n[directory."/srv/soak"]\n'
    printf '[file."/etc/cron.d/soak"]\ncontent = "# nothing to do\\n"\n'
    printf '[file."/etc/sysctl.d/soak.conf"]\ncontent = "kernel.sysrq = 0\\n"\n'
}
# sizes PID: memory in KiB, and time of processors in ticks of 10 ms.
sizes() {
    host_sh 'sed -n "s/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$1/status"; sed "s/.*) //" "/proc/$1/stat" | cut -d " " -f 12,13 | tr " " +' "$1"
}
pid() { host systemctl show -P MainPID evenkeel-agent; }
looked() { [[ $(host cat /var/lib/evenkeel/agent/reports.jsonl) == *'"cause":"start"'* ]]; }

# back file|unit TRIES: so often a file is altered, or a unit killed; the middle one of the milliseconds until it is back and was reported,
# which who did not see it cannot have done. All is measured on the host, by one clock.
back() {
    host_sh '
        reports=/var/lib/evenkeel/agent/reports.jsonl
        now() { now=${EPOCHREALTIME/./}; }
        alter_file() { echo mine >/srv/soak/file-1; }
        even_file() { read -r line </srv/soak/file-1 && [[ $line == "file 1" ]]; } 2>/dev/null
        # Several in turn: what is started too often in a short time is not started any more.
        alter_unit() { n=$((try % 3 + 1)); kill -9 "$(systemctl show -P MainPID "soak$n")"; }
        even_unit() { tail -c "+$((before + 1))" "$reports" | grep -q "\"corrected\",\"id\":\"service.soak$n\"" && systemctl -q is-active "soak$n"; }
        for ((try = 0; try < $2; try++)); do
            before=$(stat -c %s "$reports")
            "alter_$1"; now; start=$now
            until "even_$1"; do sleep 0.002; now; ((now < start + 60000000)) || { echo "$1 is not back" >&2; exit 1; }; done
            now; echo $(((now - start) / 1000))
            # What that woke it for is over by then.
            sleep 1
        done | sort -n | sed -n "$((($2 + 1) / 2))p"' "$@"
}
# within MILLISECONDS file|unit TRIES: as fast as that, on a machine of its own; where others want its processors, as many times that as they are
# shared by.
within() {
    local took load
    took=$(back "$2" "$3")
    read -r load _ </proc/loadavg
    echo "$2: back after $took ms, the middle one of $3; $1 ms are allowed at load $load of $(nproc) processors"
    awk -v most="$1" -v took="$took" -v load="$load" -v processors="$(nproc)" \
        'BEGIN { share = load / processors; exit !(took <= most * (share > 1 ? share : 1)) }'
}

site | host_write /root/soak.toml
host_write /root/alter.sh 0755 <alter.sh
assert_exit 0 keel_on_host apply -f soak.toml --yes
assert_exit 0 keel agent install --local -f soak.toml --yes
# Who alters so much at random is no fight.
host_sh 'printf "\n[fights]\ncorrections = 100000\n" >>/etc/evenkeel/agent.toml; systemctl restart evenkeel-agent'
soon looked
agent=$(pid)
# What it needs once it has, is there after the first few.
host /root/alter.sh 1 10 0 >/dev/null
soon within 100 file 11
soon within 1000 unit 9
mapfile -t before < <(sizes "$agent")
start=$SECONDS
if ! times=$(host /root/alter.sh "$seed" "$alterations" "$seconds"); then
    host journalctl -u evenkeel-agent -n 30 --no-pager >&2
    echo "an alteration was missed; seed $seed" >&2
    exit 1
fi
mapfile -t after < <(sizes "$agent")
assert_eq "$agent" "$(pid)" "the agent was started again"
assert_lacks "$(host cat /var/lib/evenkeel/agent/reports.jsonl)" '"event":"fight"' "the breaker tripped:"
assert_exit 0 keel_on_host drift -f soak.toml

echo "| kind | altered | median ms | worst ms |"
echo "|---|---|---|---|"
for kind in $(cut -d ' ' -f 1 <<<"$times" | sort -u) .; do
    grep "^$kind" <<<"$times" | cut -d ' ' -f 2 | sort -n |
        awk -v kind="${kind/./all}" '{ all[NR] = $1 } END { printf "| %s | %d | %d | %d |\n", kind, NR, all[int((NR + 1) / 2)], all[NR] }'
done
cpu=$((10 * (${after[1]} - (${before[1]}))))
echo "in $((SECONDS - start)) s; resident memory of the agent ${before[0]} KiB at the start, ${after[0]} KiB at the end; $cpu ms of a processor"
((after[0] <= before[0] * 5 / 4 + 1024)) || { echo "the agent grew" >&2; exit 1; }
