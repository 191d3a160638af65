# SPDX-License-Identifier: Apache-2.0
# A target that is a name, at a real DNS server: answers hold for as long as it says, connections to where the name was end
# meanwhile, a server that says nothing or has gone is survived without a wait, a name that has gone ends, and of several
# addresses a dead one costs nothing.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer dnsmasq

origin() {  # NAME ADDRESS PORT
  cat >"$1.yaml" <<CONFIG
gatelab: 1
listeners: [ { name: main, address: "$2:$3" } ]
routes: [ { name: all, match: { path: /* }, policies: [ { respond: { text: $1 } } ] } ]
CONFIG
  start_gatelab "$1" "$1.yaml" --no-watch
}
port=$(free_port)
origin one 127.0.0.1 "$port"
origin two 127.0.0.2 "$port"

dns_port=$(free_port)
says() { printf '%s api.test unkept.test\n' "$@" >names; }
says 127.0.0.1
start dns "$GATELAB_PEERS/bin/dnsmasq" --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --no-daemon --port="$dns_port" --local=/test/ \
  --listen-address=127.0.0.1 --bind-interfaces --addn-hosts="$work/names" --local-ttl=1 --pid-file="$work/dns.pid"
dns=$pid
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0 }
upstreams:
  api:
    url: http://api.test:$port
    dns: { servers: [ "127.0.0.1:$dns_port" ], stale: 1h }
  unkept:
    url: http://unkept.test:$port
    dns: { servers: [ "127.0.0.1:$dns_port" ] }
    keep_alive: { connections: 0 }
  nobody:
    url: http://nobody.test:$port
    dns: { servers: [ "127.0.0.1:$dns_port" ] }
routes:
  - { name: nobody, match: { path: /nobody }, upstream: nobody }
  - { name: unkept, match: { path: /unkept }, upstream: unkept }
  - { name: api, match: { path: /* }, upstream: api }
CONFIG
start_gatelab gateway gateway.yaml --no-watch --workers 1
served_by() { [[ $(curl -s --max-time 20 "$url/") == "$1" ]]; }

until_true 20 served_by one || fail "nobody serves: $(curl -s "$url/")"
expect_equal "an unknown name" "$(curl -s "$url/nobody" | grep -o resolve-failure | head -n 1)" resolve-failure
says 127.0.0.2
kill -HUP "$dns"
# The connection that is kept would go on for ever.
until_true 30 served_by two || fail "the name's new address is not noticed"
says 127.0.0.3 127.0.0.1
kill -HUP "$dns"
until_true 30 served_by one || fail "the second of two addresses is not tried"
says 127.0.0.1
kill -HUP "$dns"
# It is there, and says nothing: longer than the answer holds, and no request waits for it, though each needs a connection.
expect_equal "a name for the first time" "$(curl -s "$url/unkept")" one
kill -STOP "$dns"
end=$((SECONDS + 4)) n=0
while ((SECONDS < end)); do
  expect_equal "while DNS is silent" "$(curl -s --max-time 1 "$url/unkept")" one
  n=$((n + 1))
done
((n > 4)) || fail "only $n requests in 4 seconds while DNS is silent"
kill -CONT "$dns"
: >names
kill -HUP "$dns"
nameless() { curl -s --max-time 20 "$url/" | grep -q resolve-failure; }
until_true 30 nameless || fail "the name has gone, and its target goes on"
says 127.0.0.1
kill -HUP "$dns"
until_true 30 served_by one || fail "the name is back, and its target isn't"
kill -TERM "$dns"
ended "$dns" 10 || fail "the DNS server goes on"
for _ in 1 2 3; do expect_equal "without a DNS server" "$(curl -s -H 'Connection: close' "$url/")" one; done
echo ok
