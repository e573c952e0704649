# Bundles by a bucket of a server that speaks S3, and by a web server, both over TLS with a certificate of our own authority: published from a
# laptop, planned and applied on a host. Who does not trust the authority gets nothing, and is told why. Then the host's agent takes them from a
# bucket, from the web server, and from git over https and over ssh: a newer one counts, one that is older or unsigned does not, and where the
# place is gone the last good one stays.
# needs: moto
. "$LAB/laptop.sh"

LAPTOP_SITE=$LAPTOP/site
cp -r site "$LAPTOP_SITE"
web=$LAPTOP/web
mkdir "$web"
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; laptop_ends' EXIT
key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${key[@]}" -days 2 -subj /CN=lab -addext basicConstraints=critical,CA:TRUE -keyout "$LAPTOP/ca.key" -out "$LAPTOP/ca.pem" 2>/dev/null
openssl req "${key[@]}" -subj /CN=server -keyout "$LAPTOP/server.key" -out "$LAPTOP/server.csr" 2>/dev/null
openssl x509 -req -in "$LAPTOP/server.csr" -CA "$LAPTOP/ca.pem" -CAkey "$LAPTOP/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=IP:$LAB_GATEWAY") -out "$LAPTOP/server.pem" 2>/dev/null
host_write /root/ca.pem <"$LAPTOP/ca.pem"

PYTHONPATH=$LAB_MOTO python3 -m moto.server -H "$LAB_GATEWAY" -p 5443 --ssl-cert "$LAPTOP/server.pem" --ssl-key "$LAPTOP/server.key" &>/dev/null &
servers+=($!)
python3 web.py "$web" 5444 "$LAPTOP/server.pem" "$LAPTOP/server.key" &>/dev/null &
servers+=($!)
ask() { curl --noproxy '*' --cacert "$LAPTOP/ca.pem" -fs --aws-sigv4 aws:amz:us-east-1:s3 --user lab:lab "$@"; }
soon ask -o /dev/null "https://$LAB_GATEWAY:5443/moto-api/"
soon ask -o /dev/null "https://$LAB_GATEWAY:5444/"
ask -X PUT -o /dev/null "https://$LAB_GATEWAY:5443/bundles"

reach=(AWS_ACCESS_KEY_ID=lab AWS_SECRET_ACCESS_KEY=lab AWS_REGION=us-east-1 "AWS_ENDPOINT_URL=https://$LAB_GATEWAY:5443")
LAPTOP_ENV=("${reach[@]}" "SSL_CERT_FILE=$LAPTOP/ca.pem")
printf 'ann@example.org namespaces="evenkeel-bundle" %s\n' "$(cat "$LAPTOP_HOME/.ssh/id_ed25519.pub")" >"$LAPTOP/allowed_signers"
host mkdir -p /etc/evenkeel
host_write /etc/evenkeel/allowed_signers <"$LAPTOP/allowed_signers"
host true && keel --version >/dev/null

# takes PLACE VERB ARG…: keel on the host, with what reaches the place.
takes() { host env "${reach[@]}" SSL_CERT_FILE="${TRUSTED:-/root/ca.pem}" keel "$2" --local "${@:3}" --role shop --bundle "$1" --name shop; }

counter=1
for place in s3://bundles/site "https://$LAB_GATEWAY:5444"; do
    echo "by $place" >"$LAPTOP_SITE/files/page"
    laptop bundle build --counter $counter -o b.bundle
    laptop bundle sign b.bundle
    assert_exit 0 laptop bundle publish b.bundle "$place"
    assert_exit 2 takes "$place" plan
    assert_exit 0 takes "$place" apply --yes
    assert_eq "by $place" "$(host cat /etc/shop/page)"
    ((counter += 1))
done
ask -o "$LAPTOP/pointer" "https://$LAB_GATEWAY:5443/bundles/site/shop.latest"
assert_eq 1 "$(jq .counter "$LAPTOP/pointer")"

# Whoever trusts others gets nothing from there.
TRUSTED=/etc/ssl/certs/ca-certificates.crt assert_exit 0 takes "https://$LAB_GATEWAY:5444" apply --yes
assert_contains "$OUTPUT" "invalid peer certificate: UnknownIssuer"

# offer PLACE COUNTER [unsigned]: a bundle, by the laptop's own checkout where that is a branch of git.
checkout=$LAPTOP/checkout
run_git() { laptop_runs git -C "$checkout" -c user.name=ann -c user.email=ann@example.org -c init.defaultBranch=main "$@" >/dev/null; }
git init --quiet --bare "$web/shop.git"
mkdir "$checkout"
run_git init --quiet
offer() {
    echo "$2 by $1" >"$LAPTOP_SITE/files/page"
    laptop bundle build --counter "$2" -o b.bundle
    laptop bundle sign b.bundle
    case $1 in
        git+*)
            laptop bundle publish --back b.bundle "$checkout"
            if [[ ${3:-} == unsigned ]]; then
                jq '.signature = ""' "$checkout/shop.latest" >"$LAPTOP/pointer"
                cp "$LAPTOP/pointer" "$checkout/shop.latest"
            fi
            run_git add -A
            run_git commit --quiet -m "$2"
            run_git push --quiet "$web/shop.git" HEAD:refs/heads/main
            put "$web/shop.git" /srv/shop.git
            ;;
        *) laptop bundle publish --back b.bundle "$1" ;;
    esac
}
is_page() { [[ $(host cat /etc/shop/page 2>&1) == "$1" ]]; }
says() { [[ $(host cat /var/lib/evenkeel/agent/reports.jsonl 2>&1) == *"$1"* ]]; }
shows() { [[ $(keel agent status 2>&1) == *"$1"* ]]; }
look() { host systemctl reload evenkeel-agent; }
# refused WHY PAGE: what is offered is told, and what was in force stays.
refused() {
    look
    soon says "$1"
    assert_eq "$2" "$(host cat /etc/shop/page)"
}

# git is the host's own, with what is set up for it: whom it trusts, and the key of a deployment.
host apt-get update -qq
host env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends git >/dev/null
host git config --global http.sslCAInfo /root/ca.pem
host_sh 'ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/deploy; cat /root/.ssh/deploy.pub >>/root/.ssh/authorized_keys'
ssh="ssh -i /root/.ssh/deploy -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
printf '%s\n' "${reach[@]}" SSL_CERT_FILE=/root/ca.pem "GIT_SSH_COMMAND=\"$ssh\"" | host_write /etc/evenkeel/agent.env 0600

counter=10
for place in "git+https://$LAB_GATEWAY:5444/shop.git#main" "https://$LAB_GATEWAY:5444" "git+ssh://root@127.0.0.1/srv/shop.git#main" s3://bundles/agent; do
    offer "$place" "$counter"
    assert_exit 0 keel agent install --local --source "$place" --name shop --role shop --yes
    soon is_page "$counter by $place"
    offer "$place" $((counter + 1))
    look
    page="$((counter + 1)) by $place"
    soon is_page "$page"
    case $place in
        git+https*)
            offer "$place" $((counter + 2)) unsigned
            refused "the signature cannot be read" "$page"
            ;;
        *)
            offer "$place" $((counter - 1))
            refused "the bundle has the counter $((counter - 1)), and one with $((counter + 1)) was here already" "$page"
            ;;
    esac
    # Nobody is there any more.
    case $place in
        git+https*) git -C "$web/shop.git" config http.uploadpack false ;;
        https*) kill "${servers[1]}" ;;
        git+ssh*) host mv /srv/shop.git /srv/away ;;
        *) kill "${servers[0]}" ;;
    esac
    refused "cannot fetch ${place%%#*}" "$page"
    host systemctl restart evenkeel-agent
    host_sh 'echo drift >/etc/shop/page'
    soon is_page "$page"
    # Nobody has waited for that place.
    soon shows "not taken     since 20"
    assert_contains "$(keel agent status)" "counter $((counter + 1)), sha256"
    ((counter += 10))
done
