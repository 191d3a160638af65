# SPDX-License-Identifier: Apache-2.0
# gatelab load on real sockets: at a real nginx, at a configuration of its own, over TLS, in shards, against itself.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
export CI=true
# What a busy machine does to the generator is no mistake of it: the run may prove nothing then.
runs() {
  local code=0
  "$@" >out.txt 2>err.txt </dev/null || code=$?
  [[ $code == 0 || $code == 5 ]] || fail "exit code $code of $*: $(<out.txt) $(<err.txt)"
}
says() { grep -qE "$1" out.txt || fail "no \`$1\` in: $(<out.txt) $(<err.txt)"; }

cat >gateway.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:8080 } ]
consumers: [ { name: gold, keys: [ { value: test-key } ] } ]
upstreams:
  orders: { mock: [ { when: GET /orders/1, reply: { json: { id: 1 }, delay: 5ms } }, { when: POST /orders/7, reply: { status: 201 } }, { when: POST /orders/8, reply: { status: 201 } } ] }
routes:
  - { name: orders, match: { path: /orders/* }, policies: [ api-key: { header: X-Api-Key } ], upstream: orders }
CONFIG
start_nginx origin 'location / { return 200 "ok"; }' "location /stopped { access_log $work/stopped.log; return 200; }"
until_true 10 answers "http://127.0.0.1:$origin_port/" || fail "nginx does not answer"
nginx=http://127.0.0.1:$origin_port

# A URL, open and closed; every request is answered.
runs "$GATELAB" load "$nginx/a?b=c" --rate 200/s --duration 2s --arrivals even --json run.json
says '^  requests  400 planned'
says '^  answers   200: 400$'
runs "$GATELAB" load "$nginx/" --users 8 --think 5ms --duration 1s
says '^  answers   200: [0-9]+$'
runs "$GATELAB" load "$nginx/" --rate 100/s --duration 1s --no-keep-alive --arrivals even
says '^  answers   200: 100$'

# A configuration, with its policies and its mocks.
runs "$GATELAB" load --gateway gateway.yaml /orders/1 --rate 200/s --duration 2s --arrivals even -H 'X-Api-Key: test-key' --warmup 500ms --expect 'p50>=5ms,errors<=0%' --html page.html --hdr run.hdr
says '^  p50 >= 5ms: pass'
says '^  warm-up   100 requests'
grep -q '<svg' page.html && ! grep -q 'http://' page.html || fail "the page does not stand alone"
grep -q 'Percentile' run.hdr || fail "no HdrHistogram text: $(head -n 3 run.hdr)"
exits 1 "$GATELAB" load --gateway gateway.yaml /orders/1 --rate 100/s --duration 1s --expect 'errors<1%'
says '^  errors < 1%: fail \(100%'
says '401: [0-9]+'
printf 'id\n7\n8\n' >ids.csv
runs "$GATELAB" load --gateway gateway.yaml '/orders/$(data.id)' --data ids.csv -d '{"order":"$(data.id)"}' --rate 100/s --duration 1s --arrivals even -H 'X-Api-Key: test-key'
says '^  answers   201: 100$'

# What can't be said is refused, with what would do.
exits 5 "$GATELAB" load "$nginx/" --rate 50/s --duration 1s --arrivals even --expect 'p99.9<1s'
says 'it takes 2995'
# A generator without enough connections proves nothing.
exits 5 "$GATELAB" load --gateway gateway.yaml /orders/1 --rate 1000/s --duration 1s --connections 1 -H 'X-Api-Key: test-key' --expect 'p50<10s'
says '^  invalid: .*all 1 connections were in use'
says '^verdict: invalid'

# Shards are the whole, exactly.
for i in 1 2 3; do exits 0 "$GATELAB" load "$nginx/" --rate 300/s --duration 1s --seed 9 --shard "$i/3" --out "part$i.json" --expect 'errors<=0%'; done
runs "$GATELAB" load merge part1.json part2.json part3.json --out whole.json
planned=$(sed -n 's/^  requests  \([0-9]*\) planned.*/\1/p' out.txt)
runs "$GATELAB" load "$nginx/" --rate 300/s --duration 1s --seed 9
says "^  requests  $planned planned"
exits 3 "$GATELAB" load merge part1.json part3.json
grep -q 'shard 2/3 is missing' err.txt || fail "$(<err.txt)"
exits 3 "$GATELAB" load merge part1.json part2.json part2.json
grep -q 'shard 2/3 is there twice' err.txt || fail "$(<err.txt)"
# With other threads it would be other requests, and some of them twice.
exits 0 "$GATELAB" load "$nginx/" --rate 300/s --duration 1s --seed 9 --shard 3/3 --out other3.json --expect 'errors<=0%' --threads 2
exits 3 "$GATELAB" load merge part1.json part2.json other3.json
grep -q 'they differ in the threads: 1 and 2$' err.txt || fail "$(<err.txt)"
exits 0 "$GATELAB" load "$nginx/" --rate 300/s --duration 1s --seed 9 --shard 3/3 --out other3.json --expect 'errors<=0%' -X HEAD
exits 3 "$GATELAB" load merge part1.json part2.json other3.json
grep -q 'they differ in the requests that are sent' err.txt || fail "$(<err.txt)"

# Against a saved run, and against another target in turns.
runs "$GATELAB" load --gateway gateway.yaml /orders/1 --rate 100/s --duration 1s --rounds 3 -H 'X-Api-Key: test-key' --save base.json
sed 's/delay: 5ms/delay: 25ms/' gateway.yaml >slow.yaml
exits 1 "$GATELAB" load --gateway slow.yaml /orders/1 --rate 100/s --duration 1s --rounds 3 -H 'X-Api-Key: test-key' --expect 'p50<10s' --against base.json
says 'fail: p50 .*slower, by'
exits 1 "$GATELAB" load --gateway slow.yaml /orders/1 --rate 100/s --duration 1s --rounds 3 -H 'X-Api-Key: test-key' --expect 'p50<10s' --against gateway.yaml
says 'fail: p50 .*slower, by'

# A base that could not keep to its plan is no measure, whatever this run is; more errors than the base are a failure.
exits 5 "$GATELAB" load --gateway gateway.yaml /orders/1 --rate 1000/s --duration 1s --rounds 2 --connections 1 -H 'X-Api-Key: test-key' --save behind.json
exits 5 "$GATELAB" load --gateway gateway.yaml /orders/1 --rate 100/s --duration 1s --rounds 2 -H 'X-Api-Key: test-key' --expect 'p50<10s' --against behind.json
says '^    invalid: of the base: .*1 connections were in use'
exits_either() {
  local code=0
  "$@" >out.txt 2>err.txt </dev/null || code=$?
  [[ $code == 1 || $code == 5 ]] || fail "exit code $code of $*: $(<out.txt) $(<err.txt)"
}
exits_either "$GATELAB" load --gateway gateway.yaml /orders/1 --rate 100/s --duration 1s --rounds 3 --against base.json
says '^    fail: errors 100%, of the base 0%: more'
exits 3 "$GATELAB" load "$nginx/" --rate 100/s --duration 1s --against part1.json
grep -q 'is a part of a run' err.txt || fail "$(<err.txt)"

# The highest rate that holds is looked for without judging a rate twice.
code=0
"$GATELAB" load "$nginx/" --rate 1/s --duration 1s --arrivals even --connections 1 --find-max 'rate>100%' >out.txt 2>err.txt || code=$?
expect_equal "exit code of a search without an end" "$code" 1
expect_equal "rates that were judged" "$(grep -c '^1/s: ' out.txt)" 1
grep -q 'no rate holds' err.txt || fail "$(<err.txt)"

# TLS, verified.
"$GATELAB" mint cert --host localhost --out tls >/dev/null 2>&1 || fail "no certificate"
sed 's/address: 127.0.0.1:8080/address: 127.0.0.1:0, tls: { certificate: tls.pem, key: tls.key }/' gateway.yaml >tls.yaml
runs "$GATELAB" load --gateway tls.yaml /orders/1 --rate 100/s --duration 1s --arrivals even -H 'X-Api-Key: test-key'
says '^  answers   200: 100$'
start_gatelab secure tls.yaml
runs "$GATELAB" load "${url/127.0.0.1/localhost}/orders/1" -k --rate 100/s --duration 1s --arrivals even -H 'X-Api-Key: test-key'
says '^  answers   200: 100$'
runs "$GATELAB" load "${url/127.0.0.1/localhost}/orders/1" --rate 20/s --duration 1s --arrivals even
says 'tls: 20'

# The step, on sockets: generators on threads of their own, a fault in each round.
cat >step.yaml <<'SCENARIO'
gatelab: 1
gateway: gateway.yaml
modes: [real]
credentials: { gold: { api_key: test-key } }
mocks:
  orders:
    - { when: GET /orders/1, reply: { delay: 5ms, json: {} } }
cases:
  - name: a slow stretch in each round
    steps:
      - load: { rate: 200/s, duration: 2s, rounds: 2, arrivals: even, send: GET /orders/1, as: gold }
        during: [ { at: 1s, fault: { upstream: orders, kind: slow, delay: 200ms } } ]
        totals: { errors: { le: 0% }, latency: { p25: { lt: 100ms }, p75: { ge: 200ms } }, on_inconclusive: pass }
SCENARIO
code=0
"$GATELAB" test --real step.yaml >out.txt 2>err.txt || code=$?
[[ $code == 0 ]] || grep -q 'the load proves nothing' out.txt || fail "the step: $(<out.txt) $(<err.txt)"
sed 's/le: 0%/ge: 50%/' step.yaml >wrong.yaml
exits 1 "$GATELAB" test --real wrong.yaml
grep -q 'errors >= 50%: fail\|the load proves nothing' out.txt || fail "the step's report: $(<out.txt)"
exits 1 "$GATELAB" test step.yaml
grep -q 'no case was selected' err.txt || fail "a case of real time alone is run in real time alone: $(<err.txt)"

# A fault of `during` that never happens fails the step: what was meant to be tested was not.
cat >never.yaml <<'SCENARIO'
gatelab: 1
gateway: gateway.yaml
credentials: { gold: { api_key: test-key } }
mocks: { orders: [ { when: GET /orders/1, reply: { json: {} } } ] }
cases:
  - name: a fault behind the end
    steps:
      - load: { rate: 5/s, duration: 2s, arrivals: even, send: GET /orders/1, as: gold }
        during: [ { at: 0s, fault: { upstream: orders, kind: slow, delay: 1ms } }, { at: 1990ms, fault: { upstream: orders, kind: slow, delay: 200ms } } ]
        totals: { errors: { le: 0% } }
SCENARIO
exits 1 "$GATELAB" test never.yaml
grep -q 'at: 1990ms' out.txt && grep -q 'the round was over before this: it took 1[.]8' out.txt || fail "a fault that never happens: $(<out.txt)"

# One that is stopped is invalid, whatever it has seen, and is nothing to compare with.
start stopped "$GATELAB" load "$nginx/stopped" --rate 200/s --duration 10m --expect 'errors<50%' --save stopped.json
asked() { [[ $(grep -c /stopped stopped.log 2>/dev/null) -gt 100 ]]; }
until_true 30 asked || fail "the load does not begin: $(<stopped.err)"
kill -INT "$pid"
ended "$pid" 20 || fail "the load does not stop"
wait "$pid" && code=0 || code=$?
expect_equal "exit code of a load that was stopped" "$code" 130
grep -q '^  errors < 50%: pass' stopped.out && grep -q '^  invalid: it was stopped before its end$' stopped.out && grep -q '^verdict: invalid' stopped.out || fail "a load that was stopped: $(<stopped.out)"
grep -q '^{"gatelab_load":2,"verdict":"invalid"' stopped.json || fail "$(head -c 200 stopped.json)"
exits 3 "$GATELAB" load "$nginx/" --rate 200/s --duration 1s --against stopped.json
grep -q 'was stopped before its end' err.txt || fail "$(<err.txt)"

# Wrong usage.
exits 2 "$GATELAB" load
exits 2 "$GATELAB" load "$nginx/"
exits 2 "$GATELAB" load localhost --rate 1/s
exits 2 "$GATELAB" load "$nginx/" --rate 5 --duration 1s
exits 2 "$GATELAB" load "$nginx/" --rate 5/s --users 3
exits 2 "$GATELAB" load "$nginx/" --rate 5/s --expect p99
exits 3 "$GATELAB" load --gateway ids.csv / --rate 5/s
exits 4 "$GATELAB" load --gateway none.yaml / --rate 5/s
