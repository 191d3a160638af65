# SPDX-License-Identifier: Apache-2.0
# Faults over the admin API, on a real nginx: it is killed with one curl and lives again with another; an upload that is held
# back, a connection that is broken off while it waits.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
start_nginx origin 'location / { return 200 "item\n"; }'
write_gateway gateway.yaml 1000/h
start_gatelab gateway gateway.yaml --no-watch
token=(-H 'Authorization: Bearer e2e-admin-token')
faults=$admin/faults
upstream=origin

expect_equal "a fault without the token" "$(status -d '{"upstream":"x","kind":"refuse"}' "$faults")" 401
expect_equal "nothing was set" "$(curl -s "$faults")" '[]'
expect_equal "an unknown upstream" "$(status "${token[@]}" -d '{"upstream":"nobody","kind":"refuse"}' "$faults")" 404
expect_equal "an unknown kind" "$(status "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"explode\"}" "$faults")" 400
expect_equal "TLS where there is none" "$(status "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"tls\"}" "$faults")" 400
curl -s "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"explode\"}" "$faults" | grep -q 'half-open' || fail "the kinds are not named"

expect_equal "before" "$(status "$url/open/1")" 200
expect_equal "kill it" "$(status "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"refuse\"}" "$faults")" 200
expect_equal "killed" "$(status "$url/open/1")" 502
curl -s "$faults" | grep -q '"kind":"refuse".*"met":1' || fail "faults: $(curl -s "$faults")"
expect_equal "clear without the token" "$(status -X DELETE "$faults?target=$upstream")" 401
expect_equal "clear another name" "$(status "${token[@]}" -X DELETE "$faults?target=$upstream&name=reset")" 404
expect_equal "clear" "$(status "${token[@]}" -X DELETE "$faults?target=$upstream&name=refuse")" 200
expect_equal "alive" "$(status "$url/open/1")" 200

# A fault is told as it is set, and a key that is misspelt clears nothing.
expect_equal "kill it again" "$(status "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"refuse\"}" "$faults")" 200
curl -s "$faults" | grep -q "\"upstream\":\"$upstream\"" || fail "faults: $(curl -s "$faults")"
for query in tgt=$upstream nme=refuse target= name= "upstream=$upstream&target=$upstream" "target=$upstream&x=1"; do
  expect_equal "clear ?$query" "$(status "${token[@]}" -X DELETE "$faults?$query")" 400
done
expect_equal "clear a name that nobody has" "$(status "${token[@]}" -X DELETE "$faults?name=nope")" 404
expect_equal "PUT" "$(status "${token[@]}" -X PUT "$faults")" 405
curl -s -X PUT -D put.txt -o /dev/null "$faults"
grep -qi '^Allow: GET, HEAD, POST, DELETE' put.txt || fail "what is allowed: $(<put.txt)"
expect_equal "still killed" "$(status "$url/open/1")" 502
expect_equal "clear an upstream" "$(status "${token[@]}" -X DELETE "$faults?upstream=$upstream")" 200
expect_equal "set by a name" "$(status "${token[@]}" -d "{\"target\":\"$upstream/$upstream\",\"kind\":\"refuse\",\"name\":\"mine\"}" "$faults")" 200
expect_equal "clear it by its name" "$(status "${token[@]}" -X DELETE "$faults?name=mine")" 200
expect_equal "alive once more" "$(status "$url/open/1")" 200

for kind_status in reset:502 close:502 garbage:502 status:503; do
  expect_equal "set ${kind_status%:*}" "$(status "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"${kind_status%:*}\"}" "$faults")" 200
  expect_equal "${kind_status%:*}" "$(status "$url/open/1")" "${kind_status#*:}"
  expect_equal "clear all" "$(status "${token[@]}" -X DELETE "$faults")" 200
done
expect_equal "nothing is left" "$(curl -s "$faults")" '[]'
expect_equal "alive again" "$(status "$url/open/1")" 200

# A request that hangs is broken off by a reset that comes later.
expect_equal "hang" "$(status "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"hang\",\"count\":1}" "$faults")" 200
curl -s -o hung.txt -w '%{http_code}' "$url/open/1" >hung.status &
hung=$!
met() { curl -s "$admin/metrics" | grep -q '^gatelab_faults_injected_total{.*kind="hang".*} 1$'; }
until_true 20 met || fail "the request did not meet its fault: $(curl -s "$faults")"
expect_equal "reset" "$(status "${token[@]}" -d "{\"upstream\":\"$upstream\",\"kind\":\"reset\"}" "$faults")" 200
wait "$hung" || fail "curl: $?"
expect_equal "broken off" "$(<hung.status)" 502
grep -q 'upstream-reset' hung.txt || fail "the answer says: $(<hung.txt)"

curl -s "$admin/metrics" >metrics.txt
grep -q "^gatelab_faults_injected_total{target=\"$upstream/$upstream\",kind=\"garbage\"} 1\$" metrics.txt || fail "metrics: $(grep faults_ metrics.txt)"
