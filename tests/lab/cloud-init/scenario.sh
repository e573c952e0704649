# A fresh instance with real cloud-init and nothing but user-data of `keel cloud-init`: it fetches keel, takes its site as a bundle, and serves the
# page of its role in the end, with nobody logging in.
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

laptop cloud-init --role web --source "$from" --name shop --allowed-signers "$LAPTOP/allowed_signers" \
    --keel-url "$from/keel" --keel-digest "$(sha256sum "$place/keel" | cut -d' ' -f1)" >"$LAPTOP/user-data"
echo "user-data: $(stat -c %s "$LAPTOP/user-data") bytes"
(($(stat -c %s "$LAPTOP/user-data") < 16384))

# An image that has cloud-init and has never booted. Its network and its keys are the lab's.
host apt-get update -qq
host env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends cloud-init >/dev/null
printf '%s\n' 'datasource_list: [NoCloud]' 'network: {config: disabled}' 'ssh_deletekeys: false' 'disable_root: false' 'users: []' \
    'preserve_hostname: true' 'locale: false' 'apt: {preserve_sources_list: true}' | host_write /etc/cloud/cloud.cfg.d/99-lab.cfg
host mkdir -p /var/lib/cloud/seed/nocloud
printf 'instance-id: i-1\n' | host_write /var/lib/cloud/seed/nocloud/meta-data
host_write /var/lib/cloud/seed/nocloud/user-data <"$LAPTOP/user-data"
assert_exit 0 host cloud-init schema --config-file /var/lib/cloud/seed/nocloud/user-data
assert_exit 1 host test -e /usr/local/bin/keel
power_cycle

SOON=240 soon serves "served by $(cat "$(folder)/root/etc/hostname")" /
soon host test -e /run/cloud-init/result.json
assert_eq "[]" "$(host cat /run/cloud-init/result.json | jq -c .v1.errors)"
assert_eq "$(sha256sum "$place/keel" | cut -d' ' -f1)" "$(host sha256sum /usr/local/bin/keel | cut -d' ' -f1)"
assert_eq enabled "$(host systemctl is-enabled evenkeel-agent)"
