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
