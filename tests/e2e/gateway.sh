# SPDX-License-Identifier: Apache-2.0
# gatelab in front of a real nginx with a keyed, limited route answers curl, wrk and hey as it should.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer wrk
peer hey
start_nginx origin 'location /items/ { add_header X-Seen-Key "[$http_x_api_key]"; return 200 "item $request_uri\n"; }' \
  'location /open/ { return 200 "open\n"; }' 'location /open/missing { return 404 "none\n"; }'

write_gateway keyed.yaml 20/h
start_gatelab keyed keyed.yaml
in_window 3600 15
expect_equal "without a key" "$(status "$url/items/1")" 401
expect_equal "with a wrong key" "$(status -H 'X-Api-Key: wrong' "$url/items/1")" 401
expect_equal "no such route" "$(status "$url/nothing")" 404
expect_equal "the origin's own 404" "$(status "$url/open/missing")" 404
curl -s -D head.txt -H "X-Api-Key: $key" "$url/items/1?a=b" >body.txt
expect_equal "body" "$(<body.txt)" "item /items/1?a=b"
grep -qi '^RateLimit:.*r=19' head.txt || fail "no RateLimit field: $(<head.txt)"
for _ in {2..20}; do expect_equal "within the limit" "$(status -H "X-Api-Key: $key" "$url/items/1")" 200; done
curl -s -D head.txt -o body.txt -H "X-Api-Key: $key" "$url/items/1"
grep -q '^HTTP/1.1 429' head.txt || fail "the 21st request is not refused: $(<head.txt)"
grep -qi '^Retry-After: [0-9]' head.txt || fail "429 without Retry-After: $(<head.txt)"
grep -q '"reason": *"rate-limited"' body.txt || fail "429 without its reason: $(<body.txt)"
expect_equal "another consumer has another count" "$(status -H "X-Api-Key: $second_key" "$url/items/1")" 200
expect_equal "HEAD" "$(status -I -H "X-Api-Key: $second_key" "$url/items/1")" 200
expect_equal "HTTP/1.0" "$(status --http1.0 "$url/open/1")" 200
expect_equal "a POST with Expect" "$(head -c 100000 /dev/zero | status -H 'Expect: 100-continue' --data-binary @- "$url/open/1")" 200

# The same limit, exactly, with many connections and several workers at once: 500 an hour are 500.
write_gateway exact.yaml 500/h
start_gatelab exact exact.yaml --workers 4
in_window 3600 30
"$GATELAB_PEERS/bin/hey" -n 2000 -c 40 -H "X-Api-Key: $key" "$url/items/1" >hey.txt 2>&1
expect_equal "answers 200 to hey" "$(sed -n 's/.*\[200\][^0-9]*\([0-9]*\) responses.*/\1/p' hey.txt)" 500
expect_equal "answers 429 to hey" "$(sed -n 's/.*\[429\][^0-9]*\([0-9]*\) responses.*/\1/p' hey.txt)" 1500

write_gateway load.yaml 1000000000/h
rm -f access.log
start_gatelab load load.yaml
"$GATELAB_PEERS/bin/wrk" -t1 -c32 -d3s -H "X-Api-Key: $key" "$url/items/1" >wrk.txt
grep -qE 'Non-2xx|Socket errors' wrk.txt && fail "wrk: $(<wrk.txt)"
requests=$(sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' wrk.txt)
((requests > 100)) || fail "wrk: $(<wrk.txt)"
kill -TERM "$pid"
ended "$pid" 20 || fail "no end after SIGTERM"
# wrk goes away with up to one request a connection in flight.
logged=$(lines access.log)
((logged >= requests && logged <= requests + 32)) || fail "$requests requests, but $logged lines in the access log"
if command -v jq >/dev/null; then jq -es 'all(.[]; .route == "keyed" and .consumer == "mobile")' access.log >/dev/null || fail "access log: $(head -n 1 access.log)"; fi
! grep -q "$key" access.log keyed.err load.err || fail "a key was printed"
