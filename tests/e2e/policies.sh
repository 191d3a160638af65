# SPDX-License-Identifier: Apache-2.0
# fault, split and mirror on real sockets: a reset that curl sees as one, a delay that a client can leave, a canary's share, a
# copy of a large upload, and copies under way when the gateway stops.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"

cat >shadow.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0 }
log: { access: $work/shadow.log, format: json }
upstreams: { whole: { mock: [ { when: { path: { matches: ^/ } }, reply: { body: whole } } ] } }
routes:
  - { name: uploads, match: { path: /uploads }, upstream: whole }
  - { name: late, match: { path: /late }, policies: [ { fault: { delay: 500ms } }, { respond: { text: late } } ] }
  - { name: all, policies: [ { respond: { text: shadow } } ] }
CONFIG
start_gatelab shadow shadow.yaml --no-watch
shadow=$url

cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0 }
log: { access: $work/access.log, format: json }
upstreams:
  stable: { mock: [ { when: { path: { matches: ^/ } }, reply: { body: stable } } ] }
  shadow: { url: $shadow }
routes:
  - { name: reset, match: { path: /reset }, policies: [ { fault: { abort: { reset: true } } } ], upstream: stable }
  - { name: patient, match: { path: /patient }, policies: [ { fault: { delay: 1h, abort_on_half_close: true } } ], upstream: stable }
  - { name: split, match: { path: /split }, policies: [ { split: { variants: { stable: 1, shadow: 1 }, key: { header: X-User }, tell: { response: X-Variant } } } ] }
  - { name: uploads, match: { path: /uploads }, policies: [ { mirror: { upstream: shadow, max_body: 2MiB } } ], upstream: stable }
  - { name: late, match: { path: /late }, policies: [ { mirror: { upstream: shadow } } ], upstream: stable }
CONFIG
start_gatelab gateway gateway.yaml --no-watch
gateway=$pid
metric() { curl -s "$admin/metrics" | sed -n "s/^$1 //p"; }
is() { [[ $(metric "$1") == "$2" ]]; }
logged() { [[ $(grep -c "$2" "$1") == "$3" ]]; }

code=0
curl -s -o /dev/null "$url/reset" || code=$?
expect_equal "a reset is curl's 56" "$code" 56

# Who leaves while he is delayed is waited for no longer.
curl -s -o /dev/null "$url/patient" &
client=$!
until_true 20 is 'gatelab_fault_policy_active{id="patient\/fault"}' 1 || fail "nobody is delayed"
kill "$client"
wait "$client" 2>/dev/null || true
until_true 20 is 'gatelab_fault_policy_active{id="patient\/fault"}' 0 || fail "a client that has gone is still delayed"

# A user stays, and both variants have some.
for user in {1..40}; do
  first=$(curl -s -H "X-User: $user" "$url/split")
  expect_equal "user $user again" "$(curl -s -H "X-User: $user" "$url/split")" "$first"
  echo "$first"
done | sort | uniq -c >variants.txt
expect_equal "variants in use" "$(lines variants.txt)" 2

# A megabyte goes to both; what is beyond max_body only to its own.
head -c 1048576 /dev/zero >big
expect_equal "upload" "$(curl -s -H 'Expect:' --data-binary @big "$url/uploads")" stable
until_true 20 is 'gatelab_mirror_requests_total{id="uploads\/mirror",result="answered"}' 1 || fail "the copy did not arrive: $(curl -s "$admin/metrics" | grep mirror)"
cat big big big >bigger
expect_equal "a larger one" "$(curl -s -H 'Expect:' -H 'Transfer-Encoding: chunked' --data-binary @bigger "$url/uploads")" stable
until_true 20 is 'gatelab_mirror_requests_total{id="uploads\/mirror",result="body-too-large"}' 1 || fail "the larger one was copied"
until_true 20 logged shadow.log '"request_bytes":1048576' 1 || fail "the copy is not the upload: $(grep uploads shadow.log)"

# A copy that is under way when the gateway stops gets there all the same.
expect_equal "before the copy" "$(curl -s "$url/late")" stable
kill -TERM "$gateway"
ended "$gateway" 20 || fail "the gateway does not stop"
until_true 20 logged shadow.log '"status":200,"route":"late"' 1 || fail "the copy was cut: $(grep late shadow.log)"
logged access.log '"mirrored_to":"shadow"' 2 || fail "mirrored_to: $(grep -c mirrored_to access.log)"
