# SPDX-License-Identifier: Apache-2.0
# Spans of real traffic, through two workers, at a collector and behind a service of OpenTelemetry's own packages: every span comes,
# below its parent, although the collector asks for a pause first; what is left goes when the gateway ends.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
readonly transformer=@opentelemetry/otlp-transformer@0.57.2 api=@opentelemetry/api@1.9.0
# No package of ours brings npm, and no build may hang on its registry: without it this says so and is left out, in CI too. What a
# collector gets is held by scenarios/observe/trace.yaml as well.
left_out() { echo "SKIP: $*" >&2; exit 77; }
command -v node >/dev/null && command -v npm >/dev/null || left_out "node and npm are not there"
# Packages of npm, pinned, under build/peers like the other peers; nothing is installed on the machine.
tools=$GATELAB_PEERS/npm-otlp
if [[ $(cat "$tools/pinned" 2>/dev/null) != "$transformer $api" ]]; then
  mkdir -p "$tools"
  npm install --prefix "$tools" --no-save --no-audit --no-fund --ignore-scripts --loglevel error "$transformer" "$api" >&2 || left_out "npm can't fetch $transformer"
  echo "$transformer $api" >"$tools/pinned"
fi
export NODE_PATH=$tools/node_modules

mkdir seen
start receiver node "$GATELAB_ROOT/tests/support/otlp_receiver.js" "$work/seen"
until_true 20 is_ready receiver "$pid" || fail "the receiver does not start: $(<receiver.err)"
collector=$(sed -n 's/.*"collector":\([0-9]*\).*/\1/p' receiver.out)
service=$(sed -n 's/.*"service":\([0-9]*\).*/\1/p' receiver.out)
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0, token: e2e-admin-token }
log: { access: $work/access.log }
trace: { service: shop, otlp: { url: http://127.0.0.1:$collector/v1/traces, headers: { X-Token: collector }, interval: 300ms } }
consumers: [ { name: mobile, keys: [ { value: $key } ] } ]
upstreams:
  service: { url: http://127.0.0.1:$service, retry: { max_retries: 1, on: [ 502 ] } }
policies: [ { api-key: { header: X-Api-Key } } ]
routes:
  - { name: items, match: { path: /items/* }, upstream: service }
  - { name: fail, match: { path: /fail/* }, upstream: service }
CONFIG
start_gatelab gateway gateway.yaml --no-watch --workers 2
gateway=$pid
as=(-H "X-Api-Key: $key")
for ((i = 0; i < 4; ++i)); do curl -s -o /dev/null "${as[@]}" "$url/items/[1-25]" & loads[i]=$!; done
wait "${loads[@]}"
curl -s -o /dev/null "${as[@]}" -d '{"a":1}' "$url/items/new"
for ((i = 0; i < 5; ++i)); do expect_equal "a service that fails" "$(status "${as[@]}" "$url/fail/$i")" 502; done
expect_equal "a trace that goes on" "$(status "${as[@]}" -H 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' -H 'tracestate: rojo=1' "$url/items/1")" 200
grep -q '"traceId":"4bf92f3577b34da6a3ce929d0e0e4736".*"state":"rojo=1"' seen/contexts.ndjson || fail "the state went no further: $(tail -n 1 seen/contexts.ndjson)"
grep -q '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"' access.log || until_true 5 grep -q '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"' access.log || fail "the log has no trace_id"
curl -s -H 'Accept: application/openmetrics-text' "$admin/metrics" >open.txt
grep -qE '^gatelab_request_duration_seconds_bucket\{route="items",le="[^"]+"\} [0-9]+ # \{trace_id="[0-9a-f]{32}"\} [0-9.]+ [0-9.]+$' open.txt || fail "no exemplar: $(grep duration open.txt)"
peer promtool
sed -E '/^#/!s/^(\S+(\{[^}]*\})? \S+)/\1 1767225600/' open.txt >timed.txt
"$GATELAB_PEERS/bin/promtool" tsdb create-blocks-from openmetrics timed.txt blocks >promtool.txt 2>&1 || fail "promtool: $(<promtool.txt)"

# The last ones go with the gateway.
expect_equal "the last" "$(status "${as[@]}" "$url/items/last")" 200
kill -TERM "$gateway"
ended "$gateway" 10 || fail "it does not end"
node "$GATELAB_ROOT/tests/support/otlp_judge.js" "$work/seen" 108 || fail "see above"
