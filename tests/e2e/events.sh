# SPDX-License-Identifier: Apache-2.0
# Server-sent events with curl -N, plain and over TLS: each event is with the client before the origin has sent the next
# one, as the origin sends it only when the client that has the last one says so. Nothing here depends on time.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
export XDG_DATA_HOME=$work/data
start origin "$E2E_STREAMS" serve
listening() { [[ -s origin.out ]]; }
until_true 10 listening || fail "the origin does not start"
origin_port=$(head -n 1 origin.out)
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners:
  - { name: plain, address: 127.0.0.1:0 }
  - { name: secure, address: 127.0.0.1:0, tls: local }
log: { access: $work/access.log, format: json }
consumers: [ { name: mobile, keys: [ { value: $key } ] } ]
upstreams: { origin: { url: http://127.0.0.1:$origin_port } }
routes: [ { name: events, policies: [ { api-key: { header: X-Api-Key } } ], upstream: origin } ]
CONFIG
start_gatelab gateway gateway.yaml --no-watch
secure=https://localhost:$(head -n 1 gateway.out | sed 's/.*https:\/\/127.0.0.1:\([0-9]*\).*/\1/')
subscribe() {  # BASE STREAM: what comes goes to STREAM.txt; sets subscriber
  curl -sN -4 --cacert data/gatelab/local-ca.crt -H "X-Api-Key: $key" -D "$2.head" "$1/events?stream=$2&count=3" >"$2.txt" &
  subscriber=$!
  started+=("$subscriber")
}
has() { grep -q "$2" "$1" 2>/dev/null; }
release() { expect_equal "a release" "$(status -d '' "http://127.0.0.1:$origin_port/release?stream=$1")" 204; }

for stream in plain secure; do
  base=$url
  [[ $stream == secure ]] && base=$secure
  subscribe "$base" "$stream"
  for i in 1 2 3; do
    until_true 30 has "$stream.txt" "^data: event $i of $stream" || fail "event $i of $stream is held back, until another comes or for good: $(<"$stream.txt")"
    # The next is not even sent: no buffer that waits for more can have let this one go.
    ! has origin.out "^sent $stream $((i + 1))$" || fail "event $((i + 1)) was sent before anybody had asked for it"
    ((i == 3)) || release "$stream"
  done
  wait "$subscriber" || fail "the stream's end was not clean: curl's code $?"
  printf 'id: 1\ndata: event 1 of %s\n\nid: 2\ndata: event 2 of %s\n\nid: 3\ndata: event 3 of %s\n\n' "$stream" "$stream" "$stream" >expected
  cmp expected "$stream.txt" || fail "other octets than the origin's"
  has "$stream.head" '^[Cc]ontent-[Tt]ype: text/event-stream' || fail "the head: $(<"$stream.head")"
done

# A browser that goes away takes the origin's stream with it at once, though nothing is being sent.
for stream in gone gone-secure; do
  base=$url
  [[ $stream == gone-secure ]] && base=$secure
  subscribe "$base" "$stream"
  until_true 30 has "$stream.txt" "^data: event 1" || fail "no first event: $(<"$stream.txt")"
  kill -KILL "$subscriber"
  wait "$subscriber" 2>/dev/null || true
  until_true 30 has origin.out "^cut $stream$" || fail "the origin goes on for a client that has gone: $(<origin.out)"
done
logged() { [[ $(grep -c '"reason":"completed"' access.log) == 2 && $(grep -c '"reason":"client-gone"' access.log) == 2 ]]; }
until_true 10 logged || fail "two streams that ended and two that were left: $(<access.log)"
