@test "the file is not for others" {
    [ "$(stat -c %a /etc/keel-demo.conf)" = 640 ]
}

@test "the port is 80" {
    grep -qx "port 80" /etc/keel-demo.conf
}
