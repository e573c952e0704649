file=$1 number=0 failed=0
told() {
    what=$1 number=$((number + 1))
    shift
    if "$@"; then echo "ok $number - $what"; else echo "not ok $number - $what"; failed=1; fi
}
echo 1..2
told "File: $file: exists: matches expectation: [true]" test -f "$file"
told "File: $file: contains: matches expectation: [port 80]" grep -qx "port 80" "$file"
exit $failed
