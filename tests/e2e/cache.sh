# SPDX-License-Identifier: Apache-2.0
# The cache before a real nginx: a thousand who miss at once make one request, what is stored survives a reload, purges by the
# admin API, conditions and ranges of a real client, and an upstream that is gone.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer hey
many=$((sanitized ? 200 : 1000))
ulimit -n 8192 2>/dev/null || true

start_nginx nginx "access_log $work/calls.log combined;" 'add_header Cache-Control "max-age=3600"; add_header Cache-Tag files;' \
  "location /slow/ { alias $work/nginx/html/; limit_rate 64k; }"
origin=$pid
head -c 65536 /dev/urandom >nginx/html/large.bin
printf '%s\n' "a lamp" >nginx/html/lamp.txt

cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0, token: e2e-admin-token }
log: { access: $work/access.log }
upstreams: { origin: { url: http://127.0.0.1:$origin_port, timeouts: { total: 60s } } }
routes:
  - name: files
    match: { path: /* }
    policies: [ { cache: { stale_if_error: 1h } } ]
    upstream: origin
CONFIG
start_gatelab gatelab gateway.yaml
calls() { grep -c "\"GET $1 " calls.log; }

# It takes the origin a second to send the answer.
"$GATELAB_PEERS/bin/hey" -n "$many" -c "$many" -t 50 "$url/slow/large.bin" >hey.txt 2>&1 || fail "hey: $(<hey.txt)"
grep -q "\[200\]	$many responses" hey.txt || fail "$many who ask at once: $(<hey.txt)"
expect_equal "upstream requests for $many that missed at once" "$(calls /slow/large.bin)" 1
curl -s "$url/slow/large.bin" | cmp - nginx/html/large.bin || fail "what is stored is another file"
curl -s "$admin/metrics" >metrics.txt
grep -q "^gatelab_cache_requests_total{route=\"files\",result=\"miss\"} 1\$" metrics.txt || fail "misses: $(grep gatelab_cache metrics.txt)"

# A real client's conditions and ranges.
curl -s -o /dev/null -D first.txt "$url/lamp.txt"
grep -qi '^cache-status: gatelab;fwd=uri-miss;fwd-status=200;ttl=[0-9]*;stored' first.txt && grep -qi '^etag:' first.txt || fail "a miss: $(<first.txt)"
etag=$(sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p' first.txt)
expect_equal "If-None-Match" "$(status -H "If-None-Match: $etag" "$url/lamp.txt")" 304
expect_equal "If-Modified-Since" "$(status -H "If-Modified-Since: $(date -u -R | sed 's/+0000/GMT/')" "$url/lamp.txt")" 304
expect_equal "a range" "$(curl -s -r 2-5 "$url/lamp.txt")" lamp
expect_equal "the rest of a download" "$(curl -s -C 60000 "$url/slow/large.bin" | cksum)" "$(tail -c +60001 nginx/html/large.bin | cksum)"
curl -s -I "$url/lamp.txt" >head.txt
grep -qi '^age:' head.txt && grep -qi '^cache-status: gatelab;hit' head.txt || fail "HEAD: $(<head.txt)"
expect_equal "upstream requests for all of that" "$(calls /lamp.txt)" 1
seen=$(curl -s "$admin/caches")
[[ $seen == *'"name":"default"'*'"entries":2'* ]] || fail "/caches: $seen"

# A reload keeps it, a purge does not; who has no token purges nothing.
sed -i 's/stale_if_error: 1h/stale_if_error: 2h/' gateway.yaml
reloaded() { grep -q 'generation 2' gatelab.err; }
until_true 20 reloaded || fail "no reload: $(cat gatelab.err)"
curl -s -o /dev/null "$url/lamp.txt"
expect_equal "upstream requests after a reload" "$(calls /lamp.txt)" 1
purge() { curl -s -w ' %{http_code}' -X POST "${@:2}" "$admin/caches/purge" -d "$1"; }
token=(-H "Authorization: Bearer e2e-admin-token")
[[ $(purge '{"tag": "files"}') == *'401' ]] || fail "a purge without a token"
[[ $(purge '{"tga": "files"}' "${token[@]}") == *'did you mean `tag`'*' 400' ]] || fail "a purge by nothing: $(purge '{"tga": "files"}' "${token[@]}")"
[[ $(purge '{"tag": "files", "cache": "defualt"}' "${token[@]}") == *'did you mean `default`'*' 404' ]] || fail "a purge of no cache: $(purge '{"tag": "files", "cache": "defualt"}' "${token[@]}")"
expect_equal "a purge by URL" "$(purge "{\"url\": \"$url/lamp.txt\"}" "${token[@]}")" $'{"purged":1}\n 200'
curl -s -o /dev/null "$url/lamp.txt"
expect_equal "upstream requests after a purge" "$(calls /lamp.txt)" 2
expect_equal "a soft purge by tag" "$(purge '{"tag": "files", "soft": true}' "${token[@]}")" $'{"purged":2}\n 200'

# The origin has gone: what is stale serves, what was never there does not.
kill -TERM "$origin"
ended "$origin" 20 || fail "nginx does not end"
curl -s -D stale.txt "$url/lamp.txt" | cmp - nginx/html/lamp.txt || fail "a stale answer: $(<stale.txt)"
grep -qi '^cache-status: gatelab;.*detail=stale-if-error' stale.txt || fail "a stale answer says: $(<stale.txt)"
expect_equal "what is not there" "$(status "$url/never.txt")" 502
for word in miss collapsed hit stale; do until_true 20 grep -q "\"cache\":\"$word\"" access.log || fail "no $word in the log: $(tail -n 3 access.log)"; done
kill -TERM "$pid"
ended "$pid" 20 || fail "gatelab does not end"
