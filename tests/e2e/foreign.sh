# SPDX-License-Identifier: Apache-2.0
# Gateways that are not ours: the same cases against a real nginx, a real HAProxy, and gatelab started as a program; what can't
# be asked of them is refused; a program that does not start says why; nothing is left behind.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer nginx
peer haproxy
export TMPDIR=$work

cat >nginx.conf <<'CONFIG'
daemon off;
master_process off;
pid $(gateway.directory)/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $(gateway.directory)/body;
  proxy_temp_path $(gateway.directory)/proxy;
  fastcgi_temp_path $(gateway.directory)/fastcgi;
  uwsgi_temp_path $(gateway.directory)/uwsgi;
  scgi_temp_path $(gateway.directory)/scgi;
  map $http_x_api_key $known { default 0; test-key 1; }
  server {
    listen 127.0.0.1:$(gateway.port);
    location = /healthz { return 200 "ok\n"; }
    location / { return 404; }
    location /orders/ {
      if ($known = 0) { return 401; }
      proxy_set_header X-Api-Key "";
      proxy_set_header X-Gateway yes;
      proxy_pass http://$(mocks.orders.address);
    }
  }
}
CONFIG
cat >haproxy.cfg <<'CONFIG'
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:$(gateway.port)
  http-request return status 200 content-type text/plain string ok if { path /healthz }
  http-request return status 404 unless { path_beg /orders/ }
  http-request return status 401 unless { req.hdr(X-Api-Key) test-key }
  http-request del-header X-Api-Key
  http-request set-header X-Gateway yes
  default_backend orders
backend orders
  server one $(mocks.orders.address)
CONFIG
cat >ours.yaml.in <<'CONFIG'
gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:$(gateway.port) } ]
log: { access: "off" }
consumers: [ { name: test, keys: [ { value: test-key } ] } ]
upstreams: { orders: { url: http://$(mocks.orders.address) } }
routes:
  - name: orders
    match: { path: "/orders/*" }
    policies: [ { api-key: { header: X-Api-Key } }, { headers: { request: { set: { X-Gateway: "yes" } } } } ]
    upstream: orders
  - { name: healthz, match: { path: /healthz }, policies: [ { respond: { status: 200, text: ok } } ] }
CONFIG
cat >cases.yaml <<'SCENARIO'
credentials: { test: { api_key: test-key } }
mocks:
  orders:
    - { when: GET /orders/1, reply: { json: { id: 1 } } }
    - { when: POST /orders/, reply: { status: 201, echo: true } }
    - { when: GET /orders/slow, reply: { json: {}, delay: 30ms } }
cases:
  - name: a key opens the route, and does not reach the upstream
    steps:
      - send: GET /orders/1
        as: test
        expect: { status: 200, json: { $.id: 1 }, upstream: { name: orders, request: { headers: { X-Api-Key: { present: false }, X-Gateway: "yes" } } } }
      - { send: GET /orders/1, expect: { status: 401, upstream: none } }
      - check: [ { calls: orders, value: 1 } ]
  - name: bodies arrive whole
    steps:
      - { send: POST /orders/, as: test, json: { sku: A1 }, expect: { status: 201, upstream: { request: { json: { $.sku: A1 } } } } }
      - { send: POST /orders/, as: test, body: { size: 300KiB }, expect: { status: 201 } }
  - name: each of many answers has its own request
    steps:
      - { send: GET /orders/1, as: test, via: { connection: one }, repeat: 20, expect: { status: 200, upstream: { name: orders } }, totals: { status: { "200": 20 }, served_by: { orders: 20 } } }
  - name: a slow upstream
    steps: [ { send: GET /orders/slow, as: test, expect: { status: 200, latency: { ge: 30ms } } } ]
  - name: other paths do not reach the upstream
    steps: [ { send: GET /nothing, expect: { status: 404, upstream: none } } ]
SCENARIO
world() { printf 'gatelab: 1\nname: %s\nmodes: [real]\ngateway:\n%s\n' "$1" "$2"; cat cases.yaml; }
world nginx "  run: [ '$GATELAB_PEERS/bin/nginx', -e, stderr, -p, \$(gateway.directory), -c, \$(gateway.directory)/nginx.conf ]
  templates: [ nginx.conf ]
  ready: /healthz" >nginx.yaml
world haproxy "  run: [ '$GATELAB_PEERS/bin/haproxy', -db, -f, \$(gateway.directory)/haproxy.cfg ]
  templates: [ haproxy.cfg ]" >haproxy.yaml
world gatelab "  run: [ sh, -c, 'exec \"\$PROGRAM\" run \"\$CONFIG\"' ]
  templates: [ ours.yaml.in ]
  env: { PROGRAM: '$GATELAB', CONFIG: \$(gateway.directory)/ours.yaml.in }
  ready: http://127.0.0.1:\$(gateway.port)/healthz" >gatelab.yaml

# left_over WORD: processes whose command line speaks of it.
left_over() { grep -lsa -- "${1%?}[${1: -1}]" /proc/[0-9]*/cmdline || true; }

for gateway in nginx haproxy gatelab; do
  exits 0 "$GATELAB" test --real "$gateway.yaml"
  grep -q '^5 cases in 1 file: 5 passed' out.txt || fail "$gateway: $(cat out.txt err.txt)"
  exits 0 "$GATELAB" test --real --jobs 4 --repeat 3 "$gateway.yaml"
done
exits 1 "$GATELAB" test nginx.yaml
grep -q 'tested with --real' err.txt || fail "a gateway that is not ours in virtual time: $(<err.txt)"

# A load: a hundred with the key, of which the mock saw each, and a hundred without, of which it saw none. A busy machine may make
# the generator late; what was answered is counted all the same.
{
  world load "$(sed -n '/^gateway:/,/^credentials:/{//!p}' nginx.yaml)" | sed '/^cases:/,$d; /when: POST/d; /slow/d'
  cat <<'SCENARIO'
cases:
  - name: a load with a key
    steps:
      - { load: { rate: 100/s, duration: 1s, arrivals: even, send: GET /orders/1, as: test }, totals: { errors: { le: 10% } } }
      - { send: GET /orders/1, as: test, expect: { status: 200, upstream: { name: orders } } }
      - check: [ { calls: orders, value: 101 } ]
  - name: a load without a key
    steps:
      - { load: { rate: 100/s, duration: 1s, arrivals: even, send: GET /orders/1 }, totals: { errors: { ge: 90% } } }
      - check: [ { calls: orders, value: 0 } ]
SCENARIO
} >load.yaml
code=0
"$GATELAB" test --real --jobs 1 load.yaml >out.txt 2>err.txt || code=$?
[[ $code == 0 ]] && grep -q '^2 cases in 1 file: 2 passed' out.txt || grep -q 'the load proves nothing' out.txt || fail "a load: $(cat out.txt err.txt)"
sed 's/le: 10%/ge: 50%/; s/ge: 90%/le: 50%/' load.yaml >overloaded.yaml
exits 1 "$GATELAB" test --real --jobs 1 overloaded.yaml
grep -q 'answers   200: 100$' out.txt && grep -q 'answers   401: 100$' out.txt || fail "the counts of a load: $(<out.txt)"

# It fails where the gateway is wrong.
mkdir wrong
cp ./*.yaml haproxy.cfg wrong
sed 's/proxy_set_header X-Api-Key "";//' nginx.conf >wrong/nginx.conf
exits 1 "$GATELAB" test --real wrong/nginx.yaml
grep -q 'header X-Api-Key' out.txt && grep -q 'rerun: gatelab test wrong/nginx.yaml --real' out.txt || fail "a key that reaches the upstream: $(<out.txt)"

# One that runs already, which knows where its upstreams are.
mock=$(free_port)
sed "s/\$(mocks.orders.address)/127.0.0.1:$mock/; s/127.0.0.1:\$(gateway.port)/127.0.0.1:0/" ours.yaml.in >running.yaml
start_gatelab running running.yaml
cat >url.yaml <<SCENARIO
gatelab: 1
gateway: { url: $url }
modes: [real]
mocks: { orders: { address: 127.0.0.1:$mock, stubs: [ { when: GET /orders/1, reply: { json: { id: 1 } } } ] } }
cases:
  - name: one that runs already, case \$(row.n)
    each: [ { n: 1 }, { n: 2 }, { n: 3 }, { n: 4 } ]  # one at a time: it has one place where it looks for its upstream
    steps: [ { send: GET /orders/1, headers: { X-Api-Key: test-key }, expect: { status: 200, upstream: { name: orders } } } ]
SCENARIO
exits 0 "$GATELAB" test --real --jobs 4 url.yaml

# TLS on both sides: the client trusts what `ca` says, or the system, and nothing else; the gateway gets the mocks' CA.
certificates=$GATELAB_ROOT/fixtures/certificates
sed "s|listen .*|listen 127.0.0.1:\$(gateway.port) ssl; ssl_certificate $certificates/localhost.pem; ssl_certificate_key $certificates/localhost.key;|
  s|proxy_pass .*|proxy_pass https://\$(mocks.orders.address); proxy_ssl_trusted_certificate \$(gateway.directory)/mocks-ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost;|" nginx.conf >secure.conf
cat >secure.yaml <<SCENARIO
gatelab: 1
gateway:
  run: [ '$GATELAB_PEERS/bin/nginx', -e, stderr, -p, \$(gateway.directory), -c, \$(gateway.directory)/secure.conf ]
  templates: [ secure.conf ]
  url: https://localhost:\$(gateway.port)
  ca: $certificates/ca.pem
mocks: { orders: { tls: {}, stubs: [ { when: GET /orders/1, reply: { json: { id: 1 } } } ] } }
cases:
  - name: over TLS on both sides
    steps: [ { send: GET /orders/1, headers: { X-Api-Key: test-key }, repeat: 3, expect: { status: 200, tls: { names: { contains: localhost } }, upstream: { name: orders } } } ]
  - name: another CA
    gateway: { ca: $certificates/other-ca.pem }
    steps: [ { send: GET /orders/1, expect: { error: tls-certificate, upstream: none } } ]
  - name: the CAs of the system
    gateway: { ca: "" }
    steps: [ { send: GET /orders/1, expect: { error: tls-certificate, upstream: none } } ]
SCENARIO
exits 0 "$GATELAB" test --real secure.yaml

# A load and a replay verify it too, and ask for it by its name, in TLS and in Host, whatever the recording's was.
sed -i 's|location = /healthz.*|location = /named { if ($http_host !~ ^localhost:) { return 421; } if ($ssl_server_name != localhost) { return 421; } return 200; }|' secure.conf
printf '{"time":"2026-01-01T00:00:0%d.5Z","method":"GET","target":"/named","host":"shop.test","status":200}\n' 1 2 3 >log.json
verified() {  # CA ERRORS RESULT
  sed '/^cases:/,$d; s|^  ca: .*|  ca: '"$1"'|' secure.yaml >verified.yaml
  cat >>verified.yaml <<SCENARIO
cases:
  - name: a load
    steps: [ { load: { rate: 50/s, duration: 1s, arrivals: even, send: GET /named }, totals: { errors: { $2 } } } ]
  - name: a replay
    steps: [ { replay: { from: recorded.gtl, upstreams: mocks }, compare: { with: recorded }, totals: { different: $3 } } ]
  - name: whoever says whom it trusts
    steps: [ { send: GET /orders/1, headers: { X-Api-Key: test-key }, via: { tls: { trust: $certificates/ca.pem } }, expect: { status: 200 } } ]
SCENARIO
}
exits 0 "$GATELAB" record import log.json --out recorded.gtl
for row in "$certificates/ca.pem;le: 0%;0" "$certificates/other-ca.pem;ge: 90%;3" "\"\";ge: 90%;3"; do
  IFS=';' read -r ca errors different <<<"$row"
  verified "$ca" "$errors" "$different"
  code=0
  "$GATELAB" test --real verified.yaml >out.txt 2>err.txt || code=$?
  # A busy machine may make the generator late.
  [[ $code == 0 ]] || grep -q 'the load proves nothing' out.txt || fail "ca $ca: $(cat out.txt err.txt)"
  grep -q '^FAIL.*a replay' out.txt && fail "ca $ca: $(cat out.txt err.txt)" || true
done

# What only gatelab's own gateway can be asked.
refused() {  # STEP CARET WORDS
  world nginx "  run: [ nginx ]" | sed '/^cases:/,$d' >refused.yaml
  printf 'cases:\n  - name: one\n    steps:\n      - { send: GET /orders/1, expect: { status: 200 } }\n      - %s\n' "$1" >>refused.yaml
  exits 3 "$GATELAB" test --real refused.yaml
  grep -q "$2" err.txt && grep -q '\^' err.txt || fail "$1 is not refused with a caret: $(<err.txt)"
}
refused 'advance: 10s' "can't be moved"
refused 'check: [ { breaker: orders/primary, state: open } ]' 'is not known'
refused 'check: [ { calls: ordrs, value: 1 } ]' 'no mock `ordrs`'
refused 'reload: { gateway: other.yaml }' 'is not reloaded'
refused 'fault: { upstream: orders, kind: refuse }' 'let the mock fail'
refused '{ send: GET /, expect: { ended: { by: upstream } } }' 'who ended a request'
refused '{ send: GET /, expect: { decisions: [ { policy: jwt } ] } }' 'decisions of a gateway'
refused '{ send: GET /, repeat: 2, totals: { retries: 0 } }' 'how often'
sed 's/mocks.orders.address/mocks.ordres.address/' nginx.conf >wrong/nginx.conf
exits 3 "$GATELAB" test --real wrong/nginx.yaml
grep -q 'did you mean `$(mocks.orders.address)`' err.txt || fail "a misspelt place: $(<err.txt)"

# A program that does not get ready says why.
echo 'nonsense;' >wrong/nginx.conf
exits 1 "$GATELAB" test --real wrong/nginx.yaml
grep -q 'it ended with status 1 before it was ready; it said:' out.txt && grep -q 'unknown directive "nonsense"' out.txt || fail "no output of nginx: $(<out.txt)"
sed "s|run: .*|run: [ ./no-such-program ]|; /templates:/d; /ready:/d" nginx.yaml >missing.yaml
exits 1 "$GATELAB" test --real missing.yaml
grep -q "no-such-program. can't be started: No such file" out.txt || fail "a missing program: $(<out.txt)"

[[ -z $(find . -maxdepth 1 -name 'gatelab.??????') ]] || fail "directories of gateways are left behind"
# Whatever becomes of gatelab, the program and what it has started end with it. This one does not care for SIGTERM.
cat >stubborn.sh <<'SCRIPT'
trap '' TERM INT
sleep 1000 &
echo "$1 $$ $!" >pids
while :; do wait; done
SCRIPT
sed "s|run: .*|run: [ bash, stubborn.sh, $work ]|; /templates:/d; s|ready:.*|within: 5m|" nginx.yaml >stubborn.yaml
stopped() { local one; for one in $stubborn; do gone "$one" || return 1; done; }
for signal in INT KILL; do
  rm -f pids
  start stubborn "$GATELAB" test --real --jobs 1 stubborn.yaml
  until_true 30 test -s pids || fail "the program does not start"
  read -r _ first second <pids
  stubborn="$first $second"
  kill "-$signal" "$pid"
  ended "$pid" 30 || fail "gatelab does not end on SIG$signal"
  { wait "$pid" || true; } 2>/dev/null
  until_true 30 stopped || fail "after SIG$signal of gatelab its gateway still runs"
done
left=$(left_over "$work")
[[ -z $left ]] || fail "left behind: $left"
