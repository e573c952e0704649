# A fresh instance with real cloud-init and nothing but user-data of `keel cloud-init`: it fetches keel, takes its site as a bundle, and serves the
# page of its role in the end, with nobody logging in. Where keel is another one than the user-data wants it is not taken, and cloud-init tells.
. "$LAB/laptop.sh"

LAPTOP_SITE=$LAPTOP/site
cp -r site "$LAPTOP_SITE"
place=$LAPTOP/place
mkdir "$place"
cp "$KEEL_BIN" "$place/keel"
printf 'ann@example.org namespaces="evenkeel-bundle" %s\n' "$(cat "$LAPTOP_HOME/.ssh/id_ed25519.pub")" >"$LAPTOP/allowed_signers"
laptop bundle build --counter 1 -o b.bundle
laptop bundle sign b.bundle
laptop bundle publish b.bundle "$place"
sh -c 'echo $$ >"$0/server"; exec python3 -m http.server --bind "$1" --directory "$2" 8097' "$LAPTOP" "$LAB_GATEWAY" "$place" >&/dev/null &
trap 'kill "$(cat "$LAPTOP/server")"; laptop_ends' EXIT
from=http://$LAB_GATEWAY:8097
soon curl --noproxy '*' -fsS -o /dev/null "$from/shop.latest"

digest=$(sha256sum "$place/keel" | cut -d' ' -f1)
user_data() { laptop cloud-init --source "$from" --name shop --keel-url "$from/keel" "$@"; }
user_data --role web --allowed-signers "$LAPTOP/allowed_signers" --keel-digest "$digest" >"$LAPTOP/user-data"
echo "user-data: $(stat -c %s "$LAPTOP/user-data") bytes"
other=$(printf 'another keel' | sha256sum | cut -d' ' -f1)
user_data --role web --allowed-signers "$LAPTOP/allowed_signers" --keel-digest "$other" >"$LAPTOP/other"

# As much as anybody would say fits; what does not is refused before it comes to a cloud.
signers() { for ((at = 0; at < $1; at += 1)); do cat "$LAPTOP/allowed_signers"; done >"$LAPTOP/many"; }
much=(--keel-digest "$digest" --allowed-signers "$LAPTOP/many" --mode correct --every 30m --prometheus /var/lib/prometheus/node-exporter/evenkeel.prom)
for at in {1..8}; do much+=(--role "role-with-a-long-name-$at" --window "Mon-Fri 0$at:00-0$at:30"); done
for at in {1..20}; do much+=(--set "module.input-with-a-long-name-$at=https://a-value-that-is-long.example.org/$at"); done
signers 40
user_data "${much[@]}" >"$LAPTOP/much"
echo "at most: $(stat -c %s "$LAPTOP/much") bytes"
(($(stat -c %s "$LAPTOP/much") < 16384))
signers 120
assert_exit 3 user_data "${much[@]}"
assert_contains "$OUTPUT" "bytes, and clouds take 16384 at most: name fewer signers"

# An image that has cloud-init and has never booted. Its network and its keys are the lab's.
host apt-get update -qq
host env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends cloud-init >/dev/null
printf '%s\n' 'datasource_list: [NoCloud]' 'network: {config: disabled}' 'ssh_deletekeys: false' 'disable_root: false' 'users: []' \
    'preserve_hostname: true' 'locale: false' 'apt: {preserve_sources_list: true}' | host_write /etc/cloud/cloud.cfg.d/99-lab.cfg
host mkdir -p /var/lib/cloud/seed/nocloud
# boots_as NAME FILE: the instance of this name, with this user-data.
boots_as() {
    printf 'instance-id: %s\n' "$1" | host_write /var/lib/cloud/seed/nocloud/meta-data
    host_write /var/lib/cloud/seed/nocloud/user-data <"$2"
    assert_exit 0 host cloud-init schema --config-file /var/lib/cloud/seed/nocloud/user-data
    assert_exit 1 host test -e /usr/local/bin/keel
    power_cycle
}
put "$LAPTOP/much" /root/much
assert_exit 0 host cloud-init schema --config-file /root/much

# Another keel is there than is wanted.
boots_as i-0 "$LAPTOP/other"
soon host_sh 'grep -qs scripts.user /run/cloud-init/result.json'
assert_exit 1 host cloud-init status --long
assert_contains "$OUTPUT" "status: error"
assert_contains "$(host cat /var/log/cloud-init-output.log)" "keel is not taken from $from/keel: it has the SHA-256 $digest, and $other is wanted"
assert_exit 0 host_sh '[[ ! -e /usr/local/bin/keel && ! -e /usr/local/bin/keel.new ]]'
assert_eq disabled "$(host_sh 'systemctl is-enabled evenkeel-agent || true')"
host rm -f /run/cloud-init/result.json

# Now it is.
boots_as i-1 "$LAPTOP/user-data"

SOON=240 soon serves "served by $(cat "$(folder)/root/etc/hostname")" /
soon host test -e /run/cloud-init/result.json
assert_eq "[]" "$(host cat /run/cloud-init/result.json | jq -c .v1.errors)"
assert_eq "$digest" "$(host sha256sum /usr/local/bin/keel | cut -d' ' -f1)"
assert_eq enabled "$(host systemctl is-enabled evenkeel-agent)"
