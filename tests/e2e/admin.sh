# SPDX-License-Identifier: Apache-2.0
# The admin API: health, metrics that promtool accepts, traces, the clock, reload; only for loopback names, and changes
# only with the token.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer promtool
start_nginx origin 'location / { return 200 "item\n"; }'
write_gateway gateway.yaml 2/h
start_gatelab gateway gateway.yaml --no-watch
token=(-H 'Authorization: Bearer e2e-admin-token')

expect_equal healthz "$(curl -s "$admin/healthz")" ok
expect_equal ready "$(curl -s "$admin/ready")" ready
expect_equal "no such door" "$(status "$admin/items/1")" 404
expect_equal "a foreign name" "$(status -H 'Host: evil.example' "$admin/requests")" 403
expect_equal "localhost by name" "$(status -H 'Host: localhost:1' "$admin/requests")" 200
expect_equal "no admin door on the data side" "$(status "$url/metrics")" 404

in_window 3600 15
for want in 200 200 429; do expect_equal "request" "$(status -H "X-Api-Key: $key" "$url/items/1")" "$want"; done
expect_equal "request" "$(status "$url/items/1")" 401
expect_equal "request" "$(status "$url/open/1")" 200
curl -s "$admin/metrics" >metrics.txt
"$GATELAB_PEERS/bin/promtool" check metrics <metrics.txt >promtool.txt 2>&1 || fail "promtool: $(<promtool.txt)"
grep -q '^gatelab_requests_total{.*route="keyed".*status_class="2xx".*} 2$' metrics.txt || fail "metrics: $(grep requests_total metrics.txt)"
grep -q '^gatelab_ended_total{.*reason="rate-limited".*} 1$' metrics.txt || fail "metrics: $(grep ended_total metrics.txt)"
grep -q '^gatelab_consumer_requests_total{consumer_class="(no-group)",status_class="4xx"} 1$' metrics.txt || fail "metrics: $(grep consumer_requests metrics.txt)"

# The other form, as Prometheus asks for it. promtool reads it where samples have times: those of scrapes.
curl -s -D head.txt -H 'Accept: application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1' "$admin/metrics" >open.txt
grep -qi '^Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' head.txt || fail "the form is not told: $(<head.txt)"
expect_equal "the end" "$(tail -n 1 open.txt)" '# EOF'
grep -q '^# TYPE gatelab_requests counter$' open.txt || fail "OpenMetrics: $(grep 'TYPE gatelab_requests' open.txt)"
sed -E '/^#/!s/^(\S+(\{[^}]*\})? \S+)/\1 1767225600/' open.txt >timed.txt
"$GATELAB_PEERS/bin/promtool" tsdb create-blocks-from openmetrics timed.txt blocks >promtool.txt 2>&1 || fail "promtool: $(<promtool.txt)"
expect_equal "samples in both forms" "$(grep -vc '^#' open.txt)" "$(grep -vc '^#' <(curl -s "$admin/metrics"))"

curl -s "$admin/requests?limit=3" >requests.txt
grep -q '"rate-limited"' requests.txt || fail "traces: $(<requests.txt)"
grep -q 'gateway.yaml:' requests.txt || fail "traces do not say which line decided: $(<requests.txt)"
! grep -q "$key" requests.txt metrics.txt || fail "a key was printed"
expect_equal "a bad limit" "$(status "$admin/requests?limit=all")" 400

# The hour of the limit passes when we say so.
expect_equal "a change without the token" "$(status -d '{"shift":"1h"}' "$admin/clock")" 401
expect_equal "a change with a wrong token" "$(status -H 'Authorization: Bearer x' -d '{"shift":"1h"}' "$admin/clock")" 401
expect_equal "time does not go back" "$(status "${token[@]}" -d '{"shift":"-1h"}' "$admin/clock")" 400
expect_equal "a bad duration" "$(status "${token[@]}" -d '{"shift":"soon"}' "$admin/clock")" 400
expect_equal "shift" "$(status "${token[@]}" -d '{"shift":"1h"}' "$admin/clock")" 200
curl -s "$admin/clock" | grep -q '"shift":"1h"' || fail "clock: $(curl -s "$admin/clock")"
expect_equal "after the hour" "$(status -H "X-Api-Key: $key" "$url/items/1")" 200

expect_equal "reload without the token" "$(status -X POST "$admin/reload")" 401
curl -s "${token[@]}" -X POST "$admin/reload" >reload.txt
grep -q '"ok":true,"generation":2' reload.txt || fail "reload: $(<reload.txt)"
echo 'rutes: []' >>gateway.yaml
expect_equal "reload of a bad file" "$(status "${token[@]}" -X POST "$admin/reload")" 422
expect_equal "ready after it" "$(curl -s "$admin/ready")" ready

# Octets that are no text are no end of the program.
for octets in '/%ff' '/requests?limit=%ff' '/faults?target=%ff' '/%00' '/reload/%c3%28'; do
  [[ $(status "$admin$octets") == [24]* ]] || fail "GET $octets"
  [[ $(status "${token[@]}" -X DELETE "$admin$octets") == 4* ]] || fail "DELETE $octets"
done
[[ $(status "${token[@]}" --data-binary $'{"target": "\xff", "kind": "refuse"}' "$admin/faults") == 4* ]] || fail "a fault for a target that is no text"
[[ $(status "${token[@]}" --data-binary $'{"shift":"\xff"}' "$admin/clock") == 4* ]] || fail "a shift that is no text"
expect_equal "after octets that are no text" "$(curl -s "$admin/healthz")" ok

# Clients that connect and say nothing do not keep the others out for long.
exec 5<>"/dev/tcp/127.0.0.1/${admin##*:}" 6<>"/dev/tcp/127.0.0.1/${admin##*:}"
expect_equal "beside silent clients" "$(curl -s --max-time 20 "$admin/healthz")" ok
exec 5>&- 6>&-

# Without a token in the file one is made, and told once, on stderr.
sed -i '/rutes/d; s/, token: e2e-admin-token//' gateway.yaml
start_gatelab made gateway.yaml
made=$(sed -n 's/.*admin token for changes: //p' made.err)
[[ ${#made} -ge 32 ]] || fail "no token was made: $(<made.err)"
expect_equal "with the made token" "$(status -H "Authorization: Bearer $made" -d '{"shift":"1s"}' "$admin/clock")" 200
