# SPDX-License-Identifier: Apache-2.0
# `mock:` upstreams in `run`: they answer from their stubs, a saved file changes them while requests are in flight, and a
# wrong stub is refused with its place.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
write() {  # PRICE [KEY]
  cat >next.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0 }
log: { access: "off" }
upstreams:
  catalog:
    mock:
      - { when: GET /items/7, reply: { ${2:-json}: { id: 7, price: $1 } } }
      - { when: GET /slow, reply: { json: { price: $1 }, delay: 2s } }
routes: [ { name: all, upstream: catalog } ]
CONFIG
  mv next.yaml gateway.yaml
}
price() { curl -s --max-time 10 "$url/items/7" | sed -n 's/.*"price":\([0-9]*\).*/\1/p'; }
costs() { [[ $(price) == "$1" ]]; }

write 10
start_gatelab mocked gateway.yaml
expect_equal price "$(price)" 10
curl -s --max-time 20 -w ' %{http_code}' "$url/slow" >slow.txt &
slow=$!
under_way() { curl -s --max-time 5 "$admin/metrics" | grep -q '^gatelab_connections_active 1$'; }
until_true 10 under_way || fail "the slow request does not arrive"
write 20
until_true 20 costs 20 || fail "the saved stubs are not served: $(<mocked.err)"
wait "$slow"
expect_equal "an answer that began before the save" "$(<slow.txt)" '{"price":10} 200'
for next in 30 40 50; do
  write "$next"
  until_true 20 costs "$next" || fail "the stubs saved as $next are not served: $(<mocked.err)"
done

write 60 jsn
refused() { grep -q 'reload refused' mocked.err; }
until_true 20 refused || fail "a wrong stub was not refused"
grep -q 'gateway.yaml:8:' mocked.err && grep -q 'did you mean `json`' mocked.err || fail "the refusal: $(<mocked.err)"
expect_equal "price after the refusal" "$(price)" 50
"$GATELAB" check gateway.yaml 2>check.err && fail "check lets a wrong stub pass"
grep -q 'did you mean `json`' check.err || fail "check: $(<check.err)"
kill -TERM "$pid"
ended "$pid" 10 || fail "no end after SIGTERM"
wait "$pid" && code=0 || code=$?
expect_equal "exit code" "$code" 0
