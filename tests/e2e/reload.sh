# SPDX-License-Identifier: Apache-2.0
# 40 reloads under load lose no request, answer none twice and keep counts; a bad file changes nothing; a saved file is
# adopted by itself; the access log can be rotated.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer wrk
start_nginx origin 'location / { return 200 "item\n"; }'
generation() { curl -s --max-time 10 "$admin/metrics" | sed -n 's/^gatelab_config_generation \([0-9]*\).*/\1/p'; }
beyond() { (($(generation) > $1)); }

write_gateway gateway.yaml 1000000000/h
start_gatelab gateway gateway.yaml --no-watch
gateway=$pid
"$GATELAB_PEERS/bin/wrk" -t1 -c32 -d12s -H "X-Api-Key: $key" "$url/items/1" >wrk.txt &
wrk=$!
for ((i = 1; i <= 40; ++i)); do
  now=$(generation)
  # Each reload changes something that every request goes through.
  write_gateway gateway.yaml "$((1000000000 - i))/h" "      - headers: { response: { set: { X-Round: '$i' } } }"
  kill -HUP "$gateway"
  until_true 10 beyond "$now" || fail "reload $i was not adopted: $(tail -n 3 gateway.err)"
done
kill -0 "$wrk" 2>/dev/null || fail "the load ended before the 40th reload"
wait "$wrk"
grep -qE 'Non-2xx|Socket errors' wrk.txt && fail "lost requests: $(<wrk.txt)"
curl -s -o /dev/null -D head.txt -H "X-Api-Key: $key" "$url/items/1"
grep -qi '^X-Round: 40' head.txt || fail "the 40th configuration is not in force: $(<head.txt)"

# A bad file is refused, the good one stays.
now=$(generation)
echo 'gatelab: 1' >gateway.yaml
echo 'rutes: []' >>gateway.yaml
kill -HUP "$gateway"
refused() { grep -q 'reload refused' gateway.err; }
until_true 10 refused || fail "the bad file was not refused"
grep -q 'gateway.yaml:2:1' gateway.err || fail "the refusal does not say where: $(tail -n 8 gateway.err)"
expect_equal "generation after a refused reload" "$(generation)" "$now"
expect_equal "after a refused reload" "$(status -H "X-Api-Key: $key" "$url/items/1")" 200

# Rotation: the old file keeps its lines, the new one gets the next.
mv access.log access.log.1
write_gateway gateway.yaml 1000000000/h
kill -HUP "$gateway"
rotated() { [[ -e access.log ]]; }
until_true 10 rotated || fail "the access log was not opened again"
expect_equal "after rotation" "$(status -H "X-Api-Key: $key" "$url/items/2")" 200
has_line() { grep -q '/items/2' access.log; }
until_true 10 has_line || fail "no line in the new access log"

requests=$(sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' wrk.txt)
logged=$(grep -c '/items/1"' access.log.1)
((logged >= requests && logged <= requests + 40)) || fail "$requests requests, but $logged lines in the access log"

# Counts survive a reload that changes the rate.
write_gateway gateway.yaml 3/h
start_gatelab watched gateway.yaml
in_window 3600 30
for want in 200 200; do expect_equal "before the save" "$(status -H "X-Api-Key: $key" "$url/items/1")" "$want"; done
now=$(generation)
write_gateway saved.yaml 4/h
mv saved.yaml gateway.yaml
until_true 20 beyond "$now" || fail "a saved file is not adopted: $(tail -n 3 watched.err)"
for want in 200 200 429; do expect_equal "after the save" "$(status -H "X-Api-Key: $key" "$url/items/1")" "$want"; done
