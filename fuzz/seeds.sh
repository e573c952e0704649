#!/bin/sh
# Makes the seeds in fuzz/corpus. Of `compile`: every resources file, template and inventory of the repository, each behind
# the byte that selects its kind. Of `host` and `controller`: the exchanges of the tests. Run it from the root of the repository.
set -eu
out=fuzz/corpus/compile
mkdir -p "$out"
seed() {
    octal=$1
    find "$2" -type f -name "$3" -size -16k | while read -r file; do
        { printf "\\$octal"; cat "$file"; } > "$out/$(echo "$file" | tr '/ ' '__')"
    done
}
for dir in tests/cases modules roles examples; do
    if [ -d "$dir" ]; then
        seed 000 "$dir" '*.toml'
        seed 001 "$dir" '*.hbs'
        seed 002 "$dir" 'hosts.toml'
    fi
done
seed 002 tests/cases/bad/inventory '*.toml'
# Expressions and kinds stand in the sources: the strings of the tests, the examples of the documentation.
sed -n 's/^    ("\(.*\)", .*),$/\1/p' dsl/src/expr/tests.rs | sed 's/\\"/"/g' | nl -w1 -s: | while IFS=: read -r number text; do
    printf '\003%s' "$text" > "$out/expression-$number"
done
for file in agent/src/kinds/*.rs; do
    { printf '\000'; sed -n '/EXAMPLE/,/"#*;/p' "$file" | sed 's/.*r#*"//; s/^"#*;.*//'; } > "$out/kind-$(basename "$file" .rs)"
done
# A journal as lines, behind the byte that has them framed; as it lies on the disk, behind the other. A ledger as it is.
mkdir -p fuzz/corpus/journal fuzz/corpus/ledger
for file in tests/cases/state/*.jsonl; do
    { printf '\001'; cat "$file"; } > "fuzz/corpus/journal/$(basename "$file" .jsonl)-lines"
done
for file in tests/cases/state/*.journal; do
    { printf '\000'; cat "$file"; } > "fuzz/corpus/journal/$(basename "$file" .journal)"
done
cp tests/cases/state/*.json fuzz/corpus/ledger/
# Each exchange, as one stream of frames a direction. Only lengths below 64 KiB; no frame is packed.
for side in host controller; do
    mkdir -p "fuzz/corpus/$side"
    for file in tests/cases/exchanges/*; do
        LC_ALL=C awk -v side="$side" -v out="fuzz/corpus/$side/$(basename "$file")" '
            function bytes(hex,   at) {
                for (at = 1; at < length(hex); at += 2)
                    printf "%c", (index(digits, substr(hex, at, 1)) - 1) * 16 + index(digits, substr(hex, at + 1, 1)) - 1 > name
            }
            function frame(tag, length_) {
                printf "%c%c%c%c%c", tag, 0, 0, int(length_ / 256), length_ % 256 > name
            }
            BEGIN { digits = "0123456789abcdef"; RS = ""; FS = "\n" }
            {
                name = out "-" NR
                # The byte that selects an apply.
                if (side == "controller") printf "%c", 249 > name
                for (i = 1; i <= NF; i++) {
                    said = $i; sub(/^[a-z]+ /, "", said)
                    if (side == "controller" && $i ~ /^host raw /) { sub(/^raw /, "", said); bytes(said) }
                    else if (side == "controller" && $i ~ /^host / || side == "host" && $i ~ /^controller [^b]/) { frame(1, length(said)); printf "%s", said > name }
                    else if (side == "host" && $i ~ /^controller bytes/) { sub(/^bytes ?/, "", said); frame(2, length(said) / 2); bytes(said) }
                }
                close(name)
            }' "$file"
    done
done
# Settings of agents, and tests files, behind the byte that tells them apart.
out=fuzz/corpus/settings
mkdir -p "$out"
printf '\000mode = "observe"\nevery = "1h"\nsplay = false\nwindows = ["Mon-Fri 02:00-04:00"]\ndelicate = "apply"\n[source]\nsite = "/srv"\nroles = ["web"]\n[source.set]\n"web.port" = "80"\n[fights]\ncorrections = 5\nwithin = "10m"\n' > "$out/agent"
printf '\000[source]\nbundles = "https://a/"\nname = "shop"\nhost = "a"\n[reports]\nkeep = 10\n[reports.webhook]\nurl = "http://a:1/b"\nkey_file = "/k"\nevents = ["drift"]\n[reports.pagerduty]\nrouting_key_file = "/k"\nfailed = "info"\n[reports.syslog]\nto = "tls://[::1]:6514"\n' > "$out/reports"
find modules examples tests -path '*/tests/*.toml' -size -16k | while read -r file; do
    { printf '\001'; cat "$file"; } > "$out/$(echo "$file" | tr '/ ' '__')"
done
# What a place of bundles gives: an archive where there is a keel to build one, its pieces, and a signature by a key of a moment.
out=fuzz/corpus/bundle
mkdir -p "$out"
place=$(mktemp -d)
zeros=0000000000000000000000000000000000000000000000000000000000000000
printf '\001{"format":1,"site":"shop","counter":7,"files":{"keel.toml":{"sha256":"%s","size":3,"run":true}},"links":{"a":"b"},"empty":["c"]}' $zeros > "$out/manifest"
printf '\002{"format":1,"site":"shop","counter":7,"sha256":"%s","size":3,"signature":"x"}' $zeros > "$out/pointer"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$place/key"
printf 'no bundle' > "$place/file"
ssh-keygen -q -Y sign -f "$place/key" -n evenkeel-bundle "$place/file"
{ printf '\003'; cat "$place/file.sig"; } > "$out/signature"
{ printf '\004# who\n*@example.org,!eve@example.org namespaces="a,evenkeel-*",valid-after="20260101Z",valid-before="20270101" '; cat "$place/key.pub"; } > "$out/signers"
if command -v "${KEEL:-keel}" > "$place/said"; then
    mkdir "$place/site" "$place/site/roles"
    printf '[project]\nname = "shop"\n' > "$place/site/keel.toml"
    printf '[file."/tmp/a"]\ncontent = "a"\n' > "$place/site/roles/shop.toml"
    (cd "$place/site" && "${KEEL:-keel}" bundle build --counter 7 -o "$place/b.bundle") > "$place/said"
    { printf '\000'; cat "$place/b.bundle"; } > "$out/archive"
fi
rm -rf "$place"
