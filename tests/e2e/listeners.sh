# SPDX-License-Identifier: Apache-2.0
# Listeners and upstreams of every kind, on the system's own sockets: unix sockets and their files, IPv6, a socket handed over
# as systemd does it, the PROXY protocol with curl and nginx, an address that is taken.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
start_nginx origin "listen unix:$work/origin.sock;" "listen 127.0.0.1:$(free_port) proxy_protocol;" \
  'location / { return 200 "$proxy_protocol_addr|$http_x_forwarded_for|$http_host|$uri\n"; }'
nginx_proxy_port=$(sed -n 's/.*listen 127.0.0.1:\([0-9]*\) proxy_protocol.*/\1/p' origin/nginx.conf)
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners:
  - { name: plain, address: 127.0.0.1:0, trusted_proxies: [127.0.0.0/8], proxy_protocol: optional }
  - { name: sock, address: "unix:$work/gatelab.sock", mode: "0640" }
log: { access: $work/access.log, format: json }
upstreams:
  unix: { url: "unix:$work/origin.sock", host: target }
  v1: { url: http://127.0.0.1:$nginx_proxy_port, proxy_protocol: v1 }
  v2: { url: http://127.0.0.1:$nginx_proxy_port, proxy_protocol: v2 }
routes:
  - { name: v1, match: { path: /v1 }, upstream: v1 }
  - { name: v2, match: { path: /v2 }, upstream: v2 }
  - { name: rest, match: { path: /* }, upstream: unix }
CONFIG
start_gatelab gateway gateway.yaml --workers 2 --no-watch
first=$pid port=${url##*:}
expect_equal "an upstream on a unix socket" "$(curl -s --max-time 10 "$url/x")" "|127.0.0.1|localhost|/x"
expect_equal "a listener on a unix socket" "$(curl -s --max-time 10 --unix-socket gatelab.sock http://any/y)" "|unknown|localhost|/y"
expect_equal "the socket's mode" "$(stat -c %a gatelab.sock)" 640
for version in v1 v2; do
  expect_equal "PROXY $version to nginx" "$(curl -s --max-time 10 "$url/$version")" "127.0.0.1|127.0.0.1|127.0.0.1:$port|/$version"
done
expect_equal "PROXY from curl" "$(curl -s --max-time 10 --haproxy-protocol "$url/z" | cut -d'|' -f2)" "127.0.0.1"

# The same address again: exit 4, and by whom.
sed "s/127.0.0.1:0/127.0.0.1:$port/" gateway.yaml >again.yaml
"$GATELAB" run again.yaml >again.out 2>again.err && code=0 || code=$?
expect_equal "exit code of a taken port" "$code" 4
grep -q "127.0.0.1:$port is in use by gatelab (pid $first)" again.err || fail "who holds the port: $(<again.err)"
sed -i "s/127.0.0.1:$port/127.0.0.1:0/" again.yaml
"$GATELAB" run again.yaml >again.out 2>again.err && code=0 || code=$?
expect_equal "exit code of a taken socket" "$code" 4
expect_equal "the socket still works" "$(status --unix-socket gatelab.sock http://any/y)" 200

# Killed, it leaves its file; the next one takes the place. Ended, it removes it. Another's file stays.
kill -KILL "$first"
ended "$first" 5 || fail "SIGKILL"
[[ -S gatelab.sock ]] || fail "the file should be left over"
start_gatelab second gateway.yaml --no-watch
expect_equal "after a stale socket" "$(status --unix-socket gatelab.sock http://any/y)" 200
kill -TERM "$pid"
ended "$pid" 10 || fail "no end"
[[ ! -e gatelab.sock ]] || fail "the socket's file is left over"
echo mine >gatelab.sock
"$GATELAB" run gateway.yaml >again.out 2>again.err && code=0 || code=$?
expect_equal "exit code where a file is in the way" "$code" 4
expect_equal "the file" "$(<gatelab.sock)" mine

# A socket that was handed over.
cat >handed.yaml <<CONFIG
gatelab: 1
listeners: [ { name: web, address: "systemd:web" } ]
routes: [ { name: all, policies: [ { respond: { status: 200, text: handed } } ] } ]
CONFIG
start handed "$E2E_SOCKETS" activate web "$GATELAB" run handed.yaml --no-watch
until_true 30 is_ready handed "$pid" || fail "no ready line"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' handed.out)
expect_equal "a socket that was handed over" "$(curl -s --max-time 10 "$url/")" handed
"$E2E_SOCKETS" activate other "$GATELAB" run handed.yaml >again.out 2>again.err && code=0 || code=$?
expect_equal "exit code where none of that name was" "$code" 4
"$GATELAB" run handed.yaml >again.out 2>again.err && code=0 || code=$?
expect_equal "exit code where none was" "$code" 4

# IPv6 alone and both families at once, where the machine has it.
if [[ -s /proc/net/if_inet6 ]]; then
  cat >six.yaml <<CONFIG
gatelab: 1
listeners: [ { name: six, address: "[::1]:0" }, { name: every, address: ":0" } ]
routes: [ { name: all, policies: [ { respond: { status: 200, text: six } } ] } ]
log: { access: $work/six.log, format: json }
CONFIG
  start_gatelab six six.yaml --no-watch
  every=$(sed -n 's/.*,"http:\/\/\[::\]:\([0-9]*\)".*/\1/p' six.out)
  expect_equal "IPv6" "$(curl -s --max-time 10 "$url/")" six
  expect_equal "IPv4 through both" "$(curl -s --max-time 10 "http://127.0.0.1:$every/")" six
  expect_equal "IPv6 through both" "$(curl -s --max-time 10 "http://[::1]:$every/")" six
  logged() { (($(lines six.log) == 3)); }
  until_true 5 logged || fail "three lines of log"
  expect_equal "clients" "$(sed 's/.*"client":"\([^"]*\)".*/\1/' six.log | paste -sd' ')" "::1 127.0.0.1 ::1"
fi
