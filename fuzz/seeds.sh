#!/bin/sh
# Makes the seeds in fuzz/corpus/compile: every resources file, template and inventory of the repository, each behind
# the byte that selects its kind. Run it from the root of the repository.
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
