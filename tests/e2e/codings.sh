# SPDX-License-Identifier: Apache-2.0
# compress against curl, which reads gzip, br and zstd with libraries of its own: pages, events as they happen, uploads, and a
# bomb that costs the gateway next to no memory.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"

for i in {1..4000}; do echo "row $((i * i)) of a page"; done >page.txt
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
log: { access: $work/access.log, format: json }
upstreams:
  pages: { mock: [ { when: GET /page, reply: { headers: { Content-Type: text/plain, ETag: '"v1"' }, body: "$(awk '{printf "%s\\n", $0}' page.txt)" } } ] }
  events: { mock: [ { when: GET /events, reply: { events: [ one, two ], every: 1h } } ] }
  uploads: { mock: [ { when: { path: /upload }, reply: { echo: true } } ] }
routes:
  - { name: pages, match: { path: /page }, policies: [ { compress: {} } ], upstream: pages }
  - { name: events, match: { path: /events }, policies: [ { compress: { types: [ text/event-stream ] } } ], upstream: events }
  - { name: uploads, match: { path: /upload }, policies: [ { compress: { decompress: request, max_size: 1MiB, max_ratio: 100000 } } ], upstream: uploads }
CONFIG
start_gatelab gateway gateway.yaml --no-watch
gateway=$pid

for coding in gzip br zstd; do
  curl -s --compressed -H "Accept-Encoding: $coding" -D head.txt "$url/page" >got.txt
  cmp page.txt got.txt || fail "$coding: another page than the origin's"
  grep -qi "^content-encoding: $coding" head.txt || fail "$coding: $(<head.txt)"
  grep -qi '^etag: W/"v1"' head.txt || fail "$coding: the tag is strong: $(<head.txt)"
  curl -s -H "Accept-Encoding: $coding" "$url/page" >coded
  (($(stat -c %s coded) < $(stat -c %s page.txt) / 3)) || fail "$coding: $(stat -c %s coded) octets of $(stat -c %s page.txt)"
done
curl -s -H 'Accept-Encoding: gzip' "$url/page" | gzip -dc | cmp page.txt || fail "gzip does not read what we write"
curl -s "$url/page" | cmp page.txt || fail "who asks for nothing gets another page"

# The first event is there while the second is an hour away.
for coding in gzip br zstd; do
  curl -sN --compressed -H "Accept-Encoding: $coding" "$url/events" >"events-$coding.txt" &
  client=$!
  started+=("$client")
  arrived() { grep -q '^data: one' "events-$coding.txt"; }
  until_true 20 arrived || fail "$coding: the first event is held back"
  kill "$client"
  wait "$client" 2>/dev/null || true
done

body_of() { sed 's/.*"body":"\([^"]*\)".*/\1/'; }
expect_equal "a gzip upload" "$(printf 'a lamp' | gzip -c | curl -s --data-binary @- -H 'Content-Encoding: gzip' "$url/upload" | body_of)" 'a lamp'
expect_equal "two members" "$( (printf 'a ' | gzip -c; printf 'lamp' | gzip -c) | curl -s --data-binary @- -H 'Content-Encoding: gzip' "$url/upload" | body_of)" 'a lamp'

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$gateway/status"; }
head -c 400M /dev/zero | gzip -c >bomb.gz
before=$(resident)
for _ in 1 2 3; do expect_equal "a bomb" "$(status --data-binary @bomb.gz -H 'Content-Encoding: gzip' -H 'Expect:' "$url/upload")" 413; done
after=$(resident)
((sanitized)) || ((after - before < 20000)) || fail "bombs of 400 MiB took $((after - before)) KiB"
logged() { [[ $(grep -c '"reason":"decompressed-too-large"' access.log) == 3 ]]; }
until_true 10 logged || fail "refused bombs in the log: $(tail -n 3 access.log)"
