# SPDX-License-Identifier: Apache-2.0
# 64 MiB through a WebSocket each way, over ws and wss: frames of mixed sizes, whole messages and pieces, pings between
# them; every octet is compared, and gatelab keeps none of it.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
export XDG_DATA_HOME=$work/data
octets=$((64 << 20))
((sanitized)) && octets=$((8 << 20))
start echo "$E2E_STREAMS" serve
listening() { [[ -s echo.out ]]; }
until_true 10 listening || fail "the echo does not start"
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners:
  - { name: plain, address: 127.0.0.1:0 }
  - { name: secure, address: 127.0.0.1:0, tls: local }
admin: { address: 127.0.0.1:0 }
log: { access: $work/access.log, format: json }
consumers: [ { name: mobile, keys: [ { value: $key } ] } ]
upstreams: { echo: { url: http://127.0.0.1:$(head -n 1 echo.out) } }
routes: [ { name: echo, policies: [ { api-key: { header: X-Api-Key } } ], upstream: echo } ]
CONFIG
start_gatelab gateway gateway.yaml --workers 2 --no-watch
gateway=$pid
secure_port=$(head -n 1 gateway.out | sed 's/.*https:\/\/127.0.0.1:\([0-9]*\).*/\1/')
plain=ws://localhost:${url##*:} secure=wss://localhost:$secure_port
exchange() { "$E2E_STREAMS" exchange "$1/chat" --header "X-Api-Key: $key" --ca data/gatelab/local-ca.crt "${@:2}"; }

# Both at once, so that the workers have something to take turns about.
for base in "$plain" "$secure"; do
  exchange "$base" --octets "$octets" --largest 8388608 --seed 64 >"${base%%:*}.txt" 2>"${base%%:*}.err" &
  exchanges+=("$!")
done
for one in "${exchanges[@]}"; do wait "$one" || fail "$(cat ws.err wss.err)"; done
for scheme in ws wss; do grep -q "^messages [1-9][0-9]* octets $octets pongs" "$scheme.txt" || fail "$scheme: $(<"$scheme.txt")"; done
# Very many small messages, and none of any size.
expect_equal "small messages" "$(exchange "$secure" --octets 100000 --largest 200 --seed 3 | cut -d' ' -f3-4)" "octets 100000"

closed() { [[ $(grep -c '"status":101.*"reason":"tunnel-closed"' access.log) == 3 ]]; }
until_true 10 closed || fail "not every tunnel was logged as closed: $(<access.log)"
carried() { sed -n "s/.*\"listener\":\"$1\".*\"status\":101.*\"request_bytes\":\([0-9]*\),\"response_bytes\":\([0-9]*\).*/\1 \2/p" access.log | head -n 1; }
for listener in plain secure; do
  read -r up down <<<"$(carried "$listener")"
  ((up > octets && down > octets)) || fail "$listener: $up octets up and $down down were logged for $octets"
done
none_active() { grep -q "^gatelab_tunnels_active 0\$" <(curl -s "$admin/metrics"); }
until_true 10 none_active || fail "tunnels that ended are still counted as active"
if ((sanitized == 0)) && [[ -r /proc/$gateway/status ]]; then
  peak=$(sed -n 's/^VmHWM:\s*\([0-9]*\) kB/\1/p' "/proc/$gateway/status")
  ((peak < 64 * 1024)) || fail "resident memory went up to $peak KiB"
  echo "peak of resident memory: $peak KiB; $(<ws.txt)"
fi

# It can fail: other octets, no key, somebody that is not trusted.
exchange "$plain" --expect-seed 2 >wrong.txt 2>&1 && fail "wrong octets are taken for right ones"
grep -q 'is not what was sent' wrong.txt || fail "wrong octets: $(<wrong.txt)"
"$E2E_STREAMS" exchange "$plain/chat" >keyless.txt 2>&1 && fail "a WebSocket was opened without a key"
grep -q 'refused: HTTP/1.1 401' keyless.txt || fail "without a key: $(<keyless.txt)"
"$E2E_STREAMS" exchange "$secure/chat" --header "X-Api-Key: $key" --ca "$GATELAB_ROOT/fixtures/certificates/ca.pem" >stranger.txt 2>&1 && fail "a stranger's certificate is trusted"
grep -q 'certificate verify failed' stranger.txt || fail "another CA: $(<stranger.txt)"
