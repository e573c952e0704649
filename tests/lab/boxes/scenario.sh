# Boxes of podman, docker, LXC and Vagrant, of systemd-nspawn where systemd runs the machine, and a host that is there already: services run in each, a plain program in it sees what was asked for,
# a box that is kept can be entered until it is removed, one whose keel is killed is gone, and nothing else is left.
# needs: vagrant
. "$LAB/lab.sh"

home=$(mktemp -d)
cp -r site "$home/site"
inits=(/var/cache/keel-lab/*[0-9a-f]/sbin/init)
base=${inits[-1]%/sbin/init}
# at_home ARG…: keel on this machine, with a home of its own; boxed ARG…: keel test.
at_home() {
    (cd "$home/site" && env -i "PATH=${LAB_DOCKER:+$LAB_DOCKER/usr/bin:}$PATH" DOCKER_HOST="unix://$home/docker.sock" HOME="$home" USER=root LANG=C.UTF-8 VAGRANT_HOME="$home/vagrant.d" VAGRANT_CHECKPOINT_DISABLE=1 \
        VAGRANT_DEFAULT_PROVIDER=lxc "$KEEL_BIN" "$@" --site .)
}
boxed() { at_home test "$@"; }
ends() {
    local status=$?
    boxed --destroy >/dev/null 2>&1 || true
    [[ -z ${dockerd:-} ]] || { kill "$dockerd" && wait "$dockerd"; } 2>/dev/null || true
    find /sys/fs/cgroup -depth -type d -path "*/keel-docker-$$*" -exec rmdir {} + 2>/dev/null || true
    lxc-ls -1 | grep -F "$LAB_BOX_PREFIX" | xargs -rn1 lxc-destroy -f -n || true
    rm -rf "$home"
    exit "$status"
}
trap ends EXIT
# What the host is to have later takes its time.
host_sh 'apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd-container >/dev/null 2>&1' &
installing=$!
# steps WORD…: these were told, in this order, of box.demo.
steps() {
    assert_eq "$*" "$(awk '/^[^ ]/ { is_meant = $2 == "box.demo" } is_meant' <<<"$OUTPUT" | sed -nE 's/^       ([a-z]+) .*/\1/p' | paste -sd' ')"
}
all=(create converge again checks suite rollback destroy)

# ---- LXC: two at once ---------------------------------------------------------------------------------------

assert_exit 0 boxed --box lxc --box-base "$base" --parallel 2
steps "${all[@]}"
assert_contains "$OUTPUT" "changed; raw again"
assert_contains "$OUTPUT" "2 tests passed"

# ---- kept, entered, removed ---------------------------------------------------------------------------------

assert_exit 0 boxed box.again --box lxc --box-base "$base" --keep
name=$(sed -nE 's/.* enter (keel-box-[0-9]+-[0-9]+) by .*/\1/p' <<<"$OUTPUT")
assert_eq demo "$(lxc-attach -P /var/cache/keel-boxes/lxc -n "$name" -- cat /etc/keel-demo.conf </dev/null)"
assert_exit 0 boxed --destroy "$name"
assert_eq "" "$(ls /var/cache/keel-boxes/lxc | grep -F "$name" || true)" "a box is left"

# ---- podman, where there is one -----------------------------------------------------------------------------

if command -v podman >/dev/null; then
    assert_exit 0 boxed box.demo --box podman --box-base "$base"
    steps "${all[@]}"
    # The same by its image. A keel that is killed leaves no box.
    sed -i 's/4711/4712/; $a [exec.long]\ncommand = ["sleep", "4713"]' "$home/site/demo.toml"
    image=$(podman images --format '{{.Repository}}:{{.Tag}}' | grep -F "localhost/keel-box:$(basename "$base")")
    boxed box.again --box "podman:$image" >/dev/null 2>&1 &
    soon pgrep -fx "sleep 4713" >/dev/null
    killed=$(pgrep -f "^$KEEL_BIN test box.again --box podman:")
    kill -9 "$killed"
    gone() { [[ -z $(podman ps --all --quiet --filter "name=^keel-box-$killed-") ]]; }
    soon gone
    cp site/demo.toml "$home/site/demo.toml"
fi

# ---- docker, where there is one: an engine of the scenario's own, with a network, mounts and a /run of its own, which nobody else notices ----

if [[ -n ${LAB_DOCKER:-} ]]; then
    PATH="$LAB_DOCKER/usr/sbin:$LAB_DOCKER/usr/bin:$PATH" setpriv --pdeathsig TERM unshare --mount --net --propagation private sh -euc '
        mkdir "$1/etc" "$1/work"
        mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" none /etc
        mount -t tmpfs none /run
        exec dockerd --host "unix://$1.sock" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --cgroup-parent "$2" \
            --bridge=none --iptables=false --ip6tables=false --ip-forward=false
    ' sh "$(mkdir "$home/docker" && echo "$home/docker")" "keel-docker-$$" </dev/null >"$home/docker.log" 2>&1 &
    dockerd=$!
    docker() { env HOME="$home" "$LAB_DOCKER/usr/bin/docker" --host "unix://$home/docker.sock" "$@"; }
    answers() { docker ps >/dev/null 2>&1; }
    soon answers
    assert_exit 0 boxed --box docker --box-base "$base" --parallel 2
    steps "${all[@]}"
    assert_contains "$OUTPUT" "changed; raw again"
    assert_contains "$OUTPUT" "2 tests passed"
    assert_eq "" "$(docker ps --all --quiet)" "a container is left"
    # An image of several layers, kept.
    image=$(docker images --format '{{.Repository}}:{{.Tag}}')
    id=$(docker create --network=none "$image" true)
    docker cp "$home/site/keel.toml" "$id:/etc/more"
    docker commit "$id" more/layers >/dev/null
    docker rm "$id" >/dev/null
    assert_exit 0 boxed box.demo --box docker:more/layers --keep
    assert_contains "$OUTPUT" "raw again"
    name=$(sed -nE 's/.* enter (keel-box-[0-9]+-[0-9]+) by .*/\1/p' <<<"$OUTPUT")
    assert_eq systemd "$(docker exec "$name" cat /proc/1/comm)"
    assert_exit 0 boxed --destroy "$name"
    assert_eq "" "$(docker ps --all --quiet)" "a container is left"
    # What is wrong is told with what to type.
    assert_exit 1 boxed box.demo --box docker:no/such
    assert_contains "$OUTPUT" 'there is no image `no/such` here'
    kill "$dockerd"
    wait "$dockerd" || true
    dockerd=
    assert_exit 1 boxed box.demo --box docker:more/layers
    assert_contains "$OUTPUT" "Docker's daemon does not answer at unix://$home/docker.sock; \`sudo systemctl start docker\` starts it"
fi

# ---- a host that is there -----------------------------------------------------------------------------------

# As the inventory has it: with a host on the way, and further down by the system's ssh; in between as ~/.ssh/config has it.
key=$(cut -d' ' -f2- <"$(folder)/known_hosts" | head -n 1)
cat >"$home/site/hosts.toml" <<INVENTORY
[host.hop]
address  = "$(address)"
host_key = "$key"
[host.inner]
address    = "127.0.0.1"
proxy_jump = "hop"
host_key   = "$key"
[host.open]
address   = "$(address)"
transport = "openssh"
host_key  = "$key"
INVENTORY
cat >"$home/config" <<CONFIG
Host boxed
  HostName $(address)
Host *
  User admin
  IdentityFile $LAB_KEY
  StrictHostKeyChecking accept-new
  UserKnownHostsFile $home/known
CONFIG
wait "$installing"
before=$(host_sh 'ls -A /etc /etc/systemd/system | sha256sum')
assert_exit 0 boxed box.demo --box ssh:inner --ssh-config "$home/config"
assert_contains "$OUTPUT" "inner is a host of yours"
assert_exit 0 boxed --box ssh:boxed --ssh-config "$home/config"
assert_contains "$OUTPUT" "2 tests passed"
# What is kept there is brought back by what is told, typed as it is told.
assert_exit 0 boxed box.again --box ssh:boxed --ssh-config "$home/config" --keep
assert_contains "$OUTPUT" "boxed is a host of yours: what is done to it stays"
host test -e /etc/keel-demo.conf
read -ra typed <<<"$(sed -nE 's/.*`keel (rollback [^`]*)` brings it back.*/\1/p' <<<"$OUTPUT")"
assert_exit 0 at_home "${typed[@]}" --ssh-config "$home/config" --yes
assert_eq "$before" "$(host_sh 'ls -A /etc /etc/systemd/system | sha256sum')" "the host is not what it was"
# What fails is rolled back as well; what was there before stays.
printf '[exec.fails]\ncommand = ["false"]\nrequire = ["service.keel-demo"]\n' >>"$home/site/demo.toml"
host touch /etc/keel-own
assert_exit 1 boxed box.again --box ssh:open --ssh-config "$home/config"
host_sh 'test -e /etc/keel-own && ! test -e /etc/keel-demo.conf && ! systemctl is-active keel-demo'
cp site/demo.toml "$home/site/demo.toml"

# ---- systemd-nspawn and an overlay, where systemd runs the machine: on the host, over its own system ---------------------

put "$home/site" /root/site
host_write "/usr/local/bin/keel-agent-$(uname -m)" 0755 <"$(dirname "$KEEL_BIN")/keel-agent-$(uname -m)"
scopes() { host_sh 'systemctl list-units --plain --no-legend "keel-box-*" | cut -d" " -f1; find /sys/fs/cgroup -type d -name "keel-box-*" | head -n 1'; }
assert_exit 0 keel test box.demo --box nspawn --box-base / --keep --site /root/site
steps create converge again checks suite rollback keep
assert_contains "$OUTPUT" "raw again"
assert_contains "$(scopes)" "keel-box-"
assert_exit 0 keel test --destroy
none_left() { [[ -z $(scopes) ]]; }
soon none_left
assert_exit 0 keel test box.again --box overlay --site /root/site
assert_eq "" "$(host_sh 'ls -d /etc/keel-demo.conf 2>/dev/null || true')" "a test has changed the machine"

# ---- Vagrant: the first machine of the site's Vagrantfile ------------------------------------------------------

cat >"$home/site/Vagrantfile" <<RUBY
Vagrant.configure("2") do |config|
  config.vm.box = "keel/debian"
  config.vm.synced_folder ".", "/vagrant", disabled: true
  # It has to be there, from the Vagrantfile on, though it is not run.
  config.vm.provision "shell", path: "setup.sh"
  config.vm.define "one" do |machine|
    machine.vm.provider :lxc do |lxc|
      lxc.backingstore = "dir"
      lxc.container_name = "${LAB_BOX_PREFIX}one"
      lxc.customize "net.0.type", "veth"
      lxc.customize "net.0.link", "$LAB_BRIDGE"
      lxc.customize "net.0.flags", "up"
      lxc.customize "net.0.ipv4.address", "${LAB_GATEWAY%.*}.250/24"
    end
  end
  config.vm.define "two"
end
RUBY
echo 'exit 1' >"$home/site/setup.sh"
mkdir "$home/vagrant.d"
env HOME="$home" VAGRANT_HOME="$home/vagrant.d" VAGRANT_CHECKPOINT_DISABLE=1 vagrant box add --name keel/debian "$LAB_BOX" >/dev/null
assert_exit 0 boxed box.demo --box vagrant
steps "${all[@]}"
assert_eq "" "$(lxc-ls -1 | grep -F "$LAB_BOX_PREFIX" || true)" "a machine is left"
# A keel that is killed while the machine is started leaves none.
boxed box.demo --box vagrant >/dev/null 2>&1 &
soon pgrep -f "vagrant up --no-provision one" >/dev/null
kill -9 "$(pgrep -f "^$KEEL_BIN test box.demo --box vagrant")"
none_known() { [[ -z $(ls -A "$home/.local/state/evenkeel/machines") ]]; }
soon none_known
assert_eq "" "$(lxc-ls -1 | grep -F "$LAB_BOX_PREFIX" || true)" "a machine is left"
