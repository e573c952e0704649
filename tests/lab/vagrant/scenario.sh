# Vagrant boots raw boxes, and the plugin makes them what the site says: a broken site stops the up; then all three of examples/vagrant
# converge, the page is served through the balancer, a second time nothing is written, and keel finds the machines by itself.
# hosts: none
# needs: vagrant
. "$LAB/lab.sh"

home=$(mktemp -d)
project=$home/project
began=0
ends() {
    local status=$?
    ((began == 0)) || vagrant destroy -f >/dev/null 2>&1 || lxc-ls -1 | grep -F "$LAB_BOX_PREFIX" | xargs -rn1 lxc-destroy -f -n
    rm -rf "$home"
    exit "$status"
}
trap ends EXIT

# here ARGV…: a program on this machine, in the project, with a home of its own; Vagrant asks nobody outside whether there is a newer one.
here() {
    (cd "$project" && env -i "PATH=$(dirname "$KEEL_BIN"):$PATH" HOME="$home" USER=root LANG=C.UTF-8 VAGRANT_HOME="$home/vagrant.d" \
        VAGRANT_CHECKPOINT_DISABLE=1 VAGRANT_DEFAULT_PROVIDER=lxc BOX=keel/debian LXC_BRIDGE="$LAB_BRIDGE" \
        BOXES_NET="${LAB_GATEWAY%.*}" "$@")
}
vagrant() { here vagrant "$@"; }
# inside MACHINE PATH…: files of a machine, as snapshots; looked at from outside.
inside() {
    local root=/var/lib/lxc/$LAB_BOX_PREFIX$1/rootfs paths=("${@:2}")
    find "${paths[@]/#/$root}" -printf "%p\t%y\tino=%i\t%m\t%U:%G\t%s\tm=%T@\tc=%C@\t%l\n" | LC_ALL=C sort
}
state() { inside web /srv /etc/nginx /etc/passwd && inside db /etc/redis && inside lb /etc/nginx; }
page() { curl --noproxy '*' --silent --show-error --fail --max-time 10 "http://${LAB_GATEWAY%.*}.$1/"; }
page_is() { [[ $(page "$1" 2>&1) == "$2" ]]; }

# ---- the plugin, as it is given to people --------------------------------------------------------------------

cp -r "$LAB_WORKSPACE/vagrant" "$home/gem"
cp -r "$LAB_WORKSPACE/examples/vagrant" "$project"
mkdir "$home/vagrant.d"
(cd "$home/gem" && gem build --quiet vagrant-keel.gemspec >/dev/null 2>&1)
assert_exit 0 here ruby -I"$home/gem/lib" "$home/gem/test/all.rb"
assert_contains "$OUTPUT" " 0 failures, 0 errors, 0 skips"
assert_exit 0 vagrant plugin install --plugin-clean-sources "$home"/gem/vagrant-keel-*.gem
assert_exit 0 vagrant box add --name keel/debian "$LAB_BOX"
# What is of this machine and not of the example: names by which the lab finds its containers, and the way to packages.
cat >"$home/vagrant.d/Vagrantfile" <<RUBY
Vagrant.configure("2") do |config|
  %w[web db lb].each do |name|
    config.vm.define name do |machine|
      machine.vm.provider :lxc do |lxc|
        lxc.backingstore = "dir"
        lxc.container_name = "$LAB_BOX_PREFIX#{name}"
      end
    end
  end
  config.vm.provision "proxy", type: :shell, inline: <<-SHELL
    echo 'Acquire::http::Proxy "http://$LAB_GATEWAY:3142";' >/etc/apt/apt.conf.d/99proxy
  SHELL
  # Of the guide, the way without the plugin; the folder is shared under another name.
  config.vm.synced_folder "$project", "/site"
  config.vm.provision "keel-file", type: :file, run: "never", source: "$KEEL_BIN", destination: "/tmp/keel"
  config.vm.provision "plain", type: :shell, run: "never", inline: <<-SHELL
    install -m 0755 /tmp/keel /usr/local/bin/keel
    keel apply --local --yes --site /site --role page
  SHELL
end
RUBY

# ---- what is wrong is said before anything has begun ------------------------------------------------------------

cp "$project/Vagrantfile" "$home/right"
sed -i 's/keel.site = "."/keel.rolls = "page"; keel.format = "xml"/' "$project/Vagrantfile"
assert_exit 1 vagrant validate
for part in "keel provisioner:" "The following settings shouldn't exist: rolls" '`rolls` is no option: did you mean `roles`?' \
    "Nothing says what to apply. Set \`site\`" '`format` must be "human" or "json", not "xml".'; do
    assert_contains "$OUTPUT" "$part"
done
cp "$home/right" "$project/Vagrantfile"
assert_exit 3 here keel plan --inventory vagrant
assert_contains "$OUTPUT" "no machine of the Vagrantfile in . runs: web (not created), db (not created), lb (not created); start one with \`vagrant up\`"

# ---- a broken site stops the up ---------------------------------------------------------------------------------

sed -i 's/greeting }}/greetings }}/' "$project/roles/page.toml"
began=1
assert_exit 1 vagrant up web
assert_contains "$OUTPUT" "error[bad-template]: \`inputs\` has no \`greetings\`"
assert_contains "$OUTPUT" "keel ended with exit code 3 on the machine 'web': the site or the command line is wrong; nothing was changed."
sed -i 's/greetings }}/greeting }}/' "$project/roles/page.toml"

# ---- all of it converges ----------------------------------------------------------------------------------------

store=${LAB_GATEWAY%.*}.252
assert_exit 0 vagrant provision web
assert_exit 0 vagrant up
soon page_is 251 "Hello from web, store $store"
soon page_is 253 "Hello from web, store $store"
exec {redis}<>"/dev/tcp/$store/6379"
printf 'PING\r\n' >&"$redis"
read -r -t 10 answer <&"$redis"
assert_eq "+PONG" "${answer%$'\r'}"
exec {redis}>&-

# ---- a second time nothing is written ---------------------------------------------------------------------------

before=$(state)
assert_exit 0 vagrant provision
assert_eq 3 "$(grep -c 'as desired: ' <<<"$OUTPUT")"
assert_eq "$before" "$(state)" "the second provision wrote"
assert_lacks "$OUTPUT" "recorded its" "a key that was known was taken again:"

# ---- a change, by the one provisioner ---------------------------------------------------------------------------

sed -i 's/"page.store" =>/"page.greeting" => "Good day", &/' "$project/Vagrantfile"
sed -i 's/keel.site = "."/&; keel.plan_only = true/' "$project/Vagrantfile"
assert_exit 0 vagrant provision web --provision-with keel
assert_contains "$OUTPUT" "web: 1 to change, 6 unchanged"
page_is 253 "Hello from web, store $store"
sed -i 's/; keel.plan_only = true//' "$project/Vagrantfile"
assert_exit 0 vagrant provision web --provision-with keel --color
assert_lacks "$OUTPUT" "proxy"
assert_contains "$OUTPUT" $'\e[0;33m    web: ~ file./srv/page/index.html' "a change has no colour:"
soon page_is 253 "Good day from web, store $store"

# ---- the machines as an inventory, without the plugin -----------------------------------------------------------

assert_exit 0 here keel plan --inventory vagrant lb --set balancer.backend="${LAB_GATEWAY%.*}.251"
assert_exit 2 here keel plan --inventory vagrant web
assert_contains "$OUTPUT" "+Hello from web, store none"
assert_exit 0 here keel facts --inventory vagrant --format json
assert_eq '"db" "lb" "web"' "$(sed -n 's/^{"host":\("[a-z]*"\).*/\1/p' <<<"$OUTPUT" | sort -u | paste -sd' ')"
assert_exit 3 here keel plan --inventory vagrant wbe
assert_contains "$OUTPUT" 'no host of the inventory is called `wbe`: did you mean `web`?'
# Who says no values has the defaults, which are of use as well.
assert_exit 0 here keel apply --yes --inventory vagrant db

# ---- without the plugin: keel in the box -------------------------------------------------------------------------

assert_exit 0 vagrant provision web --provision-with keel-file,plain
soon page_is 253 "Hello from web, store none"

# ---- and all of it goes -----------------------------------------------------------------------------------------

assert_exit 0 vagrant destroy -f
assert_eq "" "$(lxc-ls -1 | grep -F "$LAB_BOX_PREFIX" || true)" "a container is left"
assert_eq "" "$(find "$home/.ssh" -name 'known_hosts*' 2>&1 | grep -v 'No such file' || true)" "the user's known_hosts was written"
began=0
