# SPDX-License-Identifier: Apache-2.0
# The commands' manners: exit codes, what goes to stdout and what to stderr, no colour where nobody looks.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
# exits CODE COMMAND…: output in out.txt and err.txt
cat >good.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
log: { access: "off" }
consumers: [ { name: mobile, keys: [ { value: secret-of-mobile } ] } ]
upstreams: { origin: { url: http://127.0.0.1:9 } }
routes:
  - name: items
    match: { hosts: [ api.local ], path: "/items/{id}", methods: [ GET ] }
    policies: [ { api-key: { header: X-Api-Key } } ]
    upstream: origin
  - name: health
    match: { path: /healthz }
    policies: [ { respond: { status: 200, text: ok } } ]
CONFIG
sed 's/upstream: origin/upstream: orogin/; s/methods:/method:/' good.yaml >bad.yaml

exits 0 "$GATELAB" version
grep -q '^gatelab [0-9]' out.txt || fail "version: $(<out.txt)"
exits 0 "$GATELAB" --help
exits 2 "$GATELAB"
exits 2 "$GATELAB" serve
grep -q 'there is no command `serve`.*run' err.txt || fail "an unknown command: $(<err.txt)"
exits 2 "$GATELAB" exlpain /x
grep -q 'did you mean `explain`?' err.txt || fail "no hint at a command: $(<err.txt)"
exits 2 "$GATELAB" mint jtw
grep -q 'did you mean `jwt`?' err.txt || fail "no hint at a command of mint: $(<err.txt)"
exits 4 "$GATELAB" check
grep -q 'gateway.yaml' err.txt || fail "check reads what run reads: $(<err.txt)"
exits 2 "$GATELAB" check --colour good.yaml
[[ ! -s out.txt && -s err.txt ]] || fail "wrong usage is told on stderr"

exits 0 "$GATELAB" check good.yaml
exits 3 "$GATELAB" check bad.yaml
[[ ! -s out.txt ]] || fail "diagnostics belong on stderr"
grep -q 'bad.yaml:8' err.txt && grep -q 'did you mean' err.txt && grep -q 'orogin' err.txt || fail "not all errors are told at once: $(<err.txt)"
! grep -q $'\x1b' err.txt || fail "colour without a terminal"
exits 3 "$GATELAB" check --format json bad.yaml
grep -q '"line"' out.txt || fail "check --format json: $(<out.txt)"
exits 4 "$GATELAB" check missing.yaml
cp good.yaml gateway.yaml
exits 0 "$GATELAB" check
sed 's/secret-of-mobile/$(env.GATELAB_E2E_UNSET)/' bad.yaml >unset.yaml
exits 3 "$GATELAB" check unset.yaml
grep -q 'GATELAB_E2E_UNSET' err.txt && grep -q 'orogin' err.txt && grep -q '3 errors' err.txt || fail "a variable that is not set hides other errors: $(<err.txt)"
exits 3 "$GATELAB" run bad.yaml
exits 4 "$GATELAB" run missing.yaml

exits 0 "$GATELAB" explain -c good.yaml GET http://api.local/items/7 -H 'X-Api-Key: secret-of-mobile'
grep -q 'items' out.txt && grep -q 'good.yaml:9' out.txt && grep -q 'health' out.txt || fail "explain: $(<out.txt)"
! grep -q secret-of-mobile out.txt err.txt || fail "explain prints a key"
exits 0 "$GATELAB" explain -c good.yaml http://api.local/items/7
grep -q '401 missing-key' out.txt || fail "explain without a key: $(<out.txt)"
exits 0 "$GATELAB" explain -c good.yaml -X POST -H 'Host: api.local' /items/7
grep -q '405' out.txt || fail "explain of a wrong method: $(<out.txt)"
exits 0 "$GATELAB" explain -c good.yaml --json /healthz
grep -q '"route":"health"' out.txt || fail "explain --json: $(<out.txt)"
exits 0 "$GATELAB" explain -c good.yaml 'GET http://api.local/items/7'
grep -q '401 missing-key' out.txt || fail "explain of a request in quotes: $(<out.txt)"
exits 2 "$GATELAB" explain -c good.yaml '/items/a b'
grep -q '%20' err.txt || fail "a space in a target: $(<err.txt)"
cat >chosen.yaml <<'CONFIG'
gatelab: 1
listeners:
  - { name: first, address: 127.0.0.1:0 }
  - { name: second, address: 127.0.0.1:0, underscore_fields: keep, max_head: 1KiB }
  - { name: third, address: 127.0.0.1:0, underscore_fields: reject }
upstreams: { origin: { url: http://127.0.0.1:9 } }
routes:
  - { name: pages, match: { path: /pages }, upstream: origin, websocket: false }
  - { name: rest, upstream: origin }
CONFIG
websocket=(-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
exits 0 "$GATELAB" explain -c chosen.yaml /pages "${websocket[@]}" -H 'Sec-WebSocket-Version: 13'
grep -q '403 websocket-off' out.txt || fail "explain of a WebSocket that the route refuses: $(<out.txt)"
exits 0 "$GATELAB" explain -c chosen.yaml /rest "${websocket[@]}" -H 'Sec-WebSocket-Version: 8'
grep -q '426 websocket-version' out.txt || fail "explain of an old WebSocket: $(<out.txt)"
exits 0 "$GATELAB" explain -c chosen.yaml /rest "${websocket[@]}" -H 'Sec-WebSocket-Version: 13'
grep -q 'forward  *origin' out.txt || fail "explain of a WebSocket: $(<out.txt)"
exits 0 "$GATELAB" explain -c chosen.yaml /rest -H 'X_User: a'
grep -q 'X_User: dropped' out.txt || fail "explain of a field with an underscore: $(<out.txt)"
exits 0 "$GATELAB" explain -c chosen.yaml --listener second /rest -H 'X_User: a' -H 'Y_User: b' -H 'Y-User: c'
grep -q 'X_User: kept' out.txt && grep -q 'Y_User: .*not forwarded' out.txt || fail "explain of kept fields: $(<out.txt)"
exits 0 "$GATELAB" explain -c "$GATELAB_ROOT/scenarios/policy/fault.gateway.yaml" /reset
grep -q '^  answer  *none, the connection is reset: injected-reset by reset/fault$' out.txt || fail "explain of a connection that a policy resets: $(<out.txt)"
exits 0 "$GATELAB" explain -c "$GATELAB_ROOT/scenarios/policy/mirror.gateway.yaml" /discreet -H 'X-Api-Key: test-key-gold'
grep -q 'a copy goes to shadow, without X-Api-Key, authorization, Cookie, X-Other-Key' out.txt || fail "explain of what copies leave out: $(<out.txt)"
explained() { "$GATELAB" explain -c "$GATELAB_ROOT/scenarios/upstreams/gateway.yaml" "$@" GET /weighted >out.txt; }
explained
grep -q '^  forward  *weighted  round-robin over$' out.txt && grep -q '^  *big  http://127.0.0.1:9001  weight 3$' out.txt && grep -q '^  *GET /weighted, Host: localhost$' out.txt ||
  fail "explain of several targets: $(<out.txt)"
explained --json
grep -q '"forward":{"balance":"round-robin","targets":\[{"name":"big","url":"http://127.0.0.1:9001","weight":3,"tier":0},' out.txt || fail "explain of several targets: $(<out.txt)"
exits 0 "$GATELAB" explain -c chosen.yaml --listener third --json /rest -H 'X_User: a'
grep -q '"name":"X_User","fate":"refused"' out.txt && grep -q underscore-field out.txt || fail "explain of a refused field: $(<out.txt)"
exits 2 "$GATELAB" explain -c chosen.yaml --listener fourth /rest
grep -q 'first, second, third' err.txt || fail "which listeners are there? $(<err.txt)"
exits 3 "$GATELAB" explain -c bad.yaml /healthz
exits 2 "$GATELAB" explain -c good.yaml /healthz -H 'no colon'

# A scenario is refused with its gateway, and for names that the gateway does not have.
scenario() { printf 'gatelab: 1\ngateway: %s\n%scases: [ { name: a, steps: [ { send: GET /healthz, expect: { status: 200 } } ] } ]\n' "$@" >case.yaml; }
scenario good.yaml ''
exits 0 "$GATELAB" test case.yaml
scenario good.yaml $'mocks: { orogin: [ { when: GET /, reply: {} } ] }\n'
exits 3 "$GATELAB" test case.yaml
grep -q 'did you mean `origin`' err.txt || fail "no hint: $(<err.txt)"
for gateway in bad.yaml missing.yaml; do
  scenario "$gateway" ''
  exits 3 "$GATELAB" test case.yaml
  grep -q "$gateway" err.txt || fail "which gateway? $(<err.txt)"
done

# A port that is taken is the environment's fault, and says which.
start_gatelab first good.yaml
expect_equal "health" "$(status "$url/healthz")" 200
sed "s/127.0.0.1:0/${url#http://}/" good.yaml >taken.yaml
exits 4 "$GATELAB" run taken.yaml
grep -q "${url#http://}" err.txt || fail "which port? $(<err.txt)"
expect_equal "the first still serves" "$(status "$url/healthz")" 200
expect_equal "lines on stdout with the log off" "$(lines first.out)" 1
kill -INT "$pid"
ended "$pid" 10 || fail "no end after SIGINT"
wait "$pid" && code=0 || code=$?
expect_equal "exit code after SIGINT" "$code" 130

# Warnings may be errors, and scanners read them.
printf 'gatelab: 1\nlisteners: [ { name: a, address: 127.0.0.1:0 } ]\nupstreams: { x: { url: http://127.0.0.1:1 }, y: { url: http://127.0.0.1:2 } }\nroutes: [ { name: a, upstream: x } ]\n' >warns.yaml
exits 0 "$GATELAB" check warns.yaml
exits 3 "$GATELAB" check --deny warnings warns.yaml
exits 0 "$GATELAB" check --format sarif warns.yaml
grep -q '"ruleId": "unused-upstream"' out.txt && grep -q '"startLine": 3' out.txt && grep -q '"version": "2.1.0"' out.txt || fail "no SARIF log: $(<out.txt)"

# A reader that has gone, and a full disk: no report is lost in silence.
cat >case.yaml <<'SCENARIO'
gatelab: 1
name: health
gateway: good.yaml
cases: [ { name: it is there, steps: [ { send: GET /healthz, expect: { status: 200 } } ] } ]
SCENARIO
sed 's/status: 200/status: 404/' case.yaml >failing.yaml
printf '%s\n' "curl http://api.local/healthz" >health.curl
"$GATELAB" record import health.curl --out health.gtl 2>err.txt || fail "a recording: $(<err.txt)"
# loses CODE COMMAND…: with stdout on a full disk, and on a pipe that nobody reads.
loses() {
  local want=$1 code=0
  shift
  "$@" >/dev/full 2>err.txt </dev/null || code=$?
  [[ $code == "$want" ]] && grep -q "can't write to stdout" err.txt || fail "$* on a full disk: exit $code, $(<err.txt)"
  code=0
  mkfifo nobody && exec 7<>nobody 8>nobody 7<&-
  "$@" >&8 2>err.txt 8>&- </dev/null || code=$?
  exec 8>&-
  rm nobody
  [[ $code == "$want" ]] && grep -q "can't write to stdout" err.txt || fail "$* to nobody: exit $code, $(<err.txt)"
}
loses 4 "$GATELAB" test case.yaml
loses 1 "$GATELAB" test failing.yaml
loses 4 "$GATELAB" test case.yaml --report json=-
loses 4 "$GATELAB" version
loses 4 "$GATELAB" --help
loses 4 "$GATELAB" check good.yaml
loses 4 "$GATELAB" diff good.yaml good.yaml --explore 5
loses 4 "$GATELAB" replay health.gtl --gateway good.yaml --against good.yaml
start_gatelab served good.yaml
for to in text json; do
  code=0
  "$GATELAB" load "$url/healthz" --rate 20/s --duration 1s $([[ $to == json ]] && echo --json -) >/dev/full 2>err.txt || code=$?
  ((code == 4 || code == 5)) && grep -q "can't write to stdout" err.txt || fail "load $to on a full disk: exit $code, $(<err.txt)"
done

# A named pipe that nobody reads holds nobody up.
mkfifo unread.log
sed 's|"off"|unread.log|' good.yaml >unread.yaml
exits 4 timeout 20 "$GATELAB" run unread.yaml
grep -q 'nobody reads this named pipe' err.txt || fail "a log that nobody reads: $(<err.txt)"
# With a reader it is served, and gets its lines.
exec 9<>unread.log
start_gatelab piped unread.yaml
for n in 1 2 3; do [[ $(status "$url/healthz") == 200 ]] || fail "with a log that is a pipe"; done
read -r -t 20 line <&9 || fail "no line in the pipe"
[[ $line == *healthz* ]] || fail "the pipe has \`$line\`"
kill -TERM "$pid"
ended "$pid" 20 || fail "a pipe holds up the end"
