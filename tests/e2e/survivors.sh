# SPDX-License-Identifier: Apache-2.0
# One of two nginx is killed under load: no request that may be sent twice is lost, the report tells who served how fast, and how
# often was tried again.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
export CI=true
counts='location / { return 200 "ok"; } location = /count { stub_status; }'
start_nginx one "$counts"
one=$origin_port nginx=$pid
start_nginx two "$counts"
two=$origin_port
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:0 } ]
upstreams:
  api:
    targets: { one: { url: http://127.0.0.1:$one }, two: { url: http://127.0.0.1:$two } }
    retry: { max_retries: 1, on: [ connect-failure, reset ] }
    breaker: { failures: 3, open: 1m }
routes: [ { name: api, match: { path: /* }, upstream: api } ]
CONFIG
start load "$GATELAB" load --gateway gateway.yaml /item --rate 400/s --duration 6s --arrivals even --expect 'errors<=0%' --json run.json --html page.html
load=$pid
has_asked() { (($(curl -s "http://127.0.0.1:$one/count" | awk 'NR == 3 { print $3 }') > 300)); }
until_true 30 has_asked || fail "the load does not reach nginx: $(<load.err)"
kill -KILL "$nginx"
code=0
wait "$load" || code=$?
# A generator that the machine keeps from its plan proves nothing of the gateway's speed, and the counts hold all the same.
[[ $code == 0 || $code == 5 ]] || fail "exit code $code: $(<load.out) $(<load.err)"
says() { grep -qE "$1" load.out || fail "no \`$1\` in: $(<load.out)"; }
says '^  answers   200: 2400$'
says '^  targets   api/one  [0-9]+ answers, p50 <= .*, p99 <= .*, [0-9]+ (connect-failure|upstream-reset)'
says '^            api/two  [0-9]+ answers, p50 <= .*, p99 <= '
says '^            [1-9][0-9]* retries'
answers() { sed -n "s,.*api/$1  \\([0-9]*\\) answers.*,\\1,p" load.out; }
(($(answers one) > 100 && $(answers two) > $(answers one) && $(answers one) + $(answers two) == 2400)) || fail "who answered: $(<load.out)"
grep -q '"p99_ms_at_most"' run.json && grep -q 'api/two' page.html || fail "the targets are missing in the files"

# Without the retries they are lost.
sed '/retry:/d; /breaker:/d' gateway.yaml >without.yaml
start_nginx one "$counts"
nginx=$pid
sed -i "s,127.0.0.1:$one,127.0.0.1:$origin_port," without.yaml
one=$origin_port
start bare "$GATELAB" load --gateway without.yaml /item --rate 400/s --duration 3s --arrivals even --expect 'errors<=0%'
load=$pid
until_true 30 has_asked || fail "the load does not reach nginx: $(<bare.err)"
kill -KILL "$nginx"
code=0
wait "$load" || code=$?
[[ $code == 1 || $code == 5 ]] && grep -q '502: ' bare.out || fail "nothing was lost without retries: $(<bare.out)"
echo ok
