# SPDX-License-Identifier: Apache-2.0
# HTTP/1.0 and 1.1 as real programs speak it: curl on one side; nginx, Apache's httpd and cpp-httplib on the other.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
start sink "$E2E_ORIGIN"
listening() { [[ -s sink.out ]]; }
until_true 10 listening || fail "the sink does not start"
sink_port=$(<sink.out)
start_nginx nginx "location /upload { proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://127.0.0.1:$sink_port; }" \
  'location /trailer { add_trailer X-Sum "of $request_uri"; return 200 "with a trailer\n"; }' \
  'location /refused { client_max_body_size 1k; proxy_pass http://127.0.0.1:9; }' 'location /empty { return 204; }' 'location /cached { return 304; }'
nginx_port=$origin_port
start_apache apache "ProxyPass /upload http://127.0.0.1:$sink_port/upload" "LimitRequestBody 10485760"
apache_port=$origin_port
for origin in nginx apache; do
  head -c 300000 /dev/urandom >$origin/html/file.bin
  : >$origin/html/none
done
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
log: { access: $work/access.log, format: json }
upstreams:
  nginx: { url: http://127.0.0.1:$nginx_port }
  apache: { url: http://127.0.0.1:$apache_port }
  sink: { url: http://127.0.0.1:$sink_port }
routes:
  - { name: nginx, match: { hosts: [nginx.local] }, upstream: nginx }
  - { name: apache, match: { hosts: [apache.local] }, upstream: apache }
  - { name: sink, match: { hosts: [sink.local] }, upstream: sink }
CONFIG
start_gatelab gateway gateway.yaml
through() { local host=$1; shift; curl -s --max-time 30 -H "Host: $host.local" "$@"; }
head -c 5000000 /dev/urandom >upload.bin
sum=$("$E2E_ORIGIN" sum <upload.bin)

for origin in nginx apache; do
  for version in --http1.0 --http1.1; do
    through $origin "$version" -o got.bin "$url/file.bin"
    cmp got.bin $origin/html/file.bin || fail "$origin $version: another file"
    expect_equal "$origin $version: an empty file" "$(through $origin "$version" -w '%{http_code} %{size_download}' "$url/none")" "200 0"
    expect_equal "$origin $version: HEAD" "$(through $origin "$version" -I -o /dev/null -w '%{http_code} %header{content-length}' "$url/file.bin")" "200 300000"
    expect_equal "$origin $version: no such file" "$(through $origin "$version" -o /dev/null -w '%{http_code}' "$url/nothing")" 404
    expect_equal "$origin $version: an upload" "$(through $origin "$version" -T upload.bin "$url/upload")" "$sum"
  done
  expect_equal "$origin: a chunked upload" "$(through $origin -T - "$url/upload" <upload.bin)" "$sum"
  expect_equal "$origin: an upload that expects 100" "$(through $origin -H 'Expect: 100-continue' --expect100-timeout 20 -T upload.bin "$url/upload")" "$sum"
  through $origin -H 'Expect: 100-continue' -v -o /dev/null -T upload.bin "$url/upload" 2>verbose.txt
  grep -q '^< HTTP/1.1 100 Continue' verbose.txt || fail "$origin: no 100: $(grep '^<' verbose.txt)"
  expect_equal "$origin: a range" "$(through $origin -r 100-199 -o part.bin -w '%{http_code} %{size_download}' "$url/file.bin")" "206 100"
  cmp part.bin <(head -c 200 $origin/html/file.bin | tail -c 100) || fail "$origin: another range"
  expect_equal "$origin: twice on one connection" "$(through $origin -o /dev/null -o /dev/null -w '%{http_code} %{num_connects}\n' "$url/file.bin" "$url/none")" "$(printf '200 1\n200 0')"
  expect_equal "$origin: a condition that holds" "$(through $origin -o /dev/null -w '%{http_code}' -H "If-None-Match: $(through $origin -I "$url/file.bin" | tr -d '\r' | sed -n 's/^ETag: //p')" "$url/file.bin")" 304
done

expect_equal "204" "$(through nginx -w '%{http_code} %{size_download}' "$url/empty")" "204 0"
# The trailer is one for those who speak 1.1; for 1.0 the body just ends.
through nginx -D head.txt -o body.txt "$url/trailer"
expect_equal "a body before a trailer" "$(<body.txt)" "with a trailer"
through nginx --http1.0 -D head10.txt -o body.txt "$url/trailer"
expect_equal "a body without its trailer" "$(<body.txt)" "with a trailer"
grep -qi '^Transfer-Encoding' head10.txt && fail "an encoding for HTTP/1.0"

# Five megabytes are under way when the origin says no: curl reads the answer, with and without asking first.
for expect in 'Expect:' 'Expect: 100-continue'; do
  expect_equal "refused by nginx ($expect)" "$(through nginx -H "$expect" -o /dev/null -w '%{http_code}' -T upload.bin "$url/refused")" 413
done
# And when the gateway itself does.
expect_equal "no route for an upload" "$(curl -s --max-time 30 -H 'Expect:' -o /dev/null -w '%{http_code}' -T upload.bin "$url/nowhere")" 404
expect_equal "an unknown expectation" "$(through nginx -H 'Expect: the-best' -o /dev/null -w '%{http_code}' -d x "$url/file.bin")" 417
expect_equal "TRACE" "$(through nginx -X TRACE -o /dev/null -w '%{http_code}' "$url/")" 501
expect_equal "OPTIONS *" "$(through nginx -X OPTIONS --request-target '*' -o /dev/null -w '%{http_code} %header{allow}' "$url")" "204 GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
expect_equal "an absolute target" "$(curl -s --max-time 30 --request-target "http://nginx.local/empty" -o /dev/null -w '%{http_code}' "$url")" 204
expect_equal "as a proxy" "$(curl -s --max-time 30 -x "$url" -o /dev/null -w '%{http_code}' http://apache.local/file.bin)" 200
expect_equal "a tunnel" "$(curl -s --max-time 30 -x "$url" -p -o /dev/null -w '%{http_connect}' http://apache.local/file.bin || true)" 501
kill -TERM "$pid"
ended "$pid" 20 || fail "no end after SIGTERM"
