# Bundles by a bucket of a server that speaks S3, and by a web server, both over TLS with a certificate of our own authority: published from a
# laptop, planned and applied on a host. Who does not trust the authority gets nothing, and is told why.
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
