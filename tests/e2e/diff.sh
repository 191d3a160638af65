# SPDX-License-Identifier: Apache-2.0
# gatelab diff as a command: exit codes, stdout for data, and that what it prints can be pasted.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
cat >old.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:8080 } ]
consumers: [ { name: mobile, keys: [ { value: key-of-mobile } ] } ]
upstreams: { orders: { url: http://127.0.0.1:9001 } }
routes:
  - name: orders
    match: { path: /orders/*, methods: [ GET ] }
    policies: [ { api-key: {} }, { rate-limit: { rate: 3/m, key: consumer } } ]
    upstream: orders
  - name: health
    match: { path: /healthz }
    policies: [ { respond: { status: 200, text: ok } } ]
CONFIG
sed 's|3/m|4/m|' old.yaml >new.yaml
sed 's/upstream: orders/upstream: ordres/' old.yaml >bad.yaml

# The same: 0, and it says how much was asked.
exits 0 "$GATELAB" diff old.yaml old.yaml
grep -q 'no difference in [0-9]* requests' out.txt || fail "no verdict: $(<out.txt)"
[ ! -s err.txt ] || fail "something on stderr: $(<err.txt)"

# Under another name it is the same, whichever stubs of it come nearest.
sed 's|{ url: http://127.0.0.1:9001 }|{ mock: [ { when: GET /orders/7, reply: { json: {} } } ] }|' old.yaml >stubs.yaml
sed 's/^listeners/# of another line\nlisteners/' stubs.yaml >stubs-of-another-name.yaml
exits 0 "$GATELAB" diff stubs.yaml stubs-of-another-name.yaml

# Not the same: 1, the group, both traces, and a step to paste.
exits 1 "$GATELAB" diff old.yaml new.yaml
grep -q 'policy *orders/rate-limit → upstream' out.txt || fail "no group: $(<out.txt)"
grep -q 'reason *rate-limited → completed' out.txt || fail "no reason: $(<out.txt)"
grep -q 'rate-limit  ✗ rate-limited' out.txt && grep -q 'upstream orders/orders → 200' out.txt || fail "no traces: $(<out.txt)"
! grep -q $'\x1b' out.txt || fail "colour where nobody looks"
first=$(sed -n '/^difference/,/^$/p' out.txt | grep -n 'reason *rate-limited → completed' | head -1)
[ -n "$first" ] || fail "the difference is not grouped"

# The steps run as a scenario, where A and B part.
"$GATELAB" diff old.yaml new.yaml --json >out.json || true
python3 - <<'PYTHON' || fail "the JSON's steps can't be pasted"
import json
report = json.load(open('out.json'))
assert report['different'] > 0 and report['requests'] > 100, report
group = next(g for g in report['groups'] if g['a']['reason'] == 'rate-limited' and g['b']['reason'] == 'completed')
assert (group['a']['status'], group['b']['status']) == (429, 200), group
steps = group['first']['steps'].rstrip('\n').split('\n')
for name, status in (('old', 429), ('new', 200)):
    text = f"gatelab: 1\nname: pasted\ngateway: {name}.yaml\nmocks: {{ orders: [ {{ when: {{}}, reply: {{ json: {{}} }} }} ] }}\ncases:\n  - name: pasted\n    steps:\n"
    text += '\n'.join('      ' + s for s in steps[:-1]) + '\n'
    last = steps[-1]
    many = last.rfind(', repeat: ')
    if many >= 0:  # all but the last are let through by both
        n = int(last[many + 10:].split()[0])
        if n > 2: text += '      ' + last[:many] + f', repeat: {n - 1} }}\n'
        elif n == 2: text += '      ' + last[:many] + ' }\n'
        last = last[:many] + ' }'
    text += '      ' + last[:-2] + f', expect: {{ status: {status} }} }}\n'
    open(f'pasted-{name}.yaml', 'w').write(text)
PYTHON
exits 0 "$GATELAB" test pasted-old.yaml pasted-new.yaml

# Wrong usage is 2, an invalid file 3, one that is not there 4.
exits 2 "$GATELAB" diff old.yaml
exits 2 "$GATELAB" diff old.yaml new.yaml --explore 0
exits 2 "$GATELAB" diff old.yaml new.yaml --explore 5 --traffic x.har
exits 3 "$GATELAB" diff old.yaml bad.yaml
grep -q 'bad.yaml:9' err.txt && grep -q '`bad.yaml` has 1 error' err.txt || fail "an invalid file: $(<err.txt)"
[ ! -s out.txt ] || fail "data of an invalid file: $(<out.txt)"
exits 4 "$GATELAB" diff old.yaml missing.yaml
exits 0 "$GATELAB" diff --help
grep -q -- '--traffic' out.txt || fail "no help: $(<out.txt)"

# Few probes: what is left out is said. The same seed says the same, another number of jobs too.
exits 0 "$GATELAB" diff old.yaml old.yaml --explore 20
grep -q 'were left out: --explore [0-9]* sends all' out.txt || fail "nothing is left out: $(<out.txt)"
"$GATELAB" diff old.yaml new.yaml --seed 5 --jobs 1 >one.txt || true
"$GATELAB" diff old.yaml new.yaml --seed 5 --jobs 4 >two.txt || true
cmp one.txt two.txt || fail "the number of jobs changes the report"

# Traffic: curl commands and an access log.
cat >calls.txt <<'CALLS'
curl http://127.0.0.1:8080/orders/1 -H 'X-Api-Key: key-of-mobile'
curl http://127.0.0.1:8080/orders/2 -H 'X-Api-Key: key-of-mobile'
curl http://127.0.0.1:8080/orders/3 -H 'X-Api-Key: key-of-mobile'
curl http://127.0.0.1:8080/healthz
CALLS
exits 1 "$GATELAB" diff old.yaml new.yaml --traffic calls.txt --json
grep -q '"requests":4' out.txt && grep -q 'header RateLimit' out.txt || fail "curl commands: $(<out.txt)"
printf '%s\n' '127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /healthz HTTP/1.1" 200 2 "-" "curl"' '127.0.0.1 - - [01/Jan/2026:00:00:09 +0000] "GET /orders/1 HTTP/1.1" 401 2 "-" "curl"' >access.log
exits 0 "$GATELAB" diff old.yaml new.yaml --traffic access.log
grep -q 'no difference in 2 requests' out.txt || fail "an access log: $(<out.txt)"
: >empty.log
exits 3 "$GATELAB" diff old.yaml new.yaml --traffic empty.log

# Scenarios: what they send, with their credentials and their clock.
cat >limit.yaml <<'SCENARIO'
gatelab: 1
name: limit
gateway: old.yaml
credentials: { mobile: { api_key: key-of-mobile } }
mocks: { orders: [ { when: GET /orders/1, reply: { json: { id: 1 } } } ] }
cases:
  - name: the fourth is refused
    steps:
      - { send: GET /orders/1, as: mobile, repeat: 3, expect: { status: 200 } }
      - { send: GET /orders/1, as: mobile, expect: { status: 429 } }
SCENARIO
exits 0 "$GATELAB" test limit.yaml
exits 1 "$GATELAB" diff old.yaml new.yaml --scenarios limit.yaml
grep -q 'rate-limited → completed' out.txt && grep -q 'limit.yaml: the fourth is refused' out.txt || fail "scenarios: $(<out.txt)"
exits 0 "$GATELAB" diff old.yaml old.yaml --scenarios limit.yaml
# What could not be sent does not agree.
sed 's/as: mobile,/as: mobile, via: { listener: nowhere },/' limit.yaml >nowhere.yaml
exits 3 "$GATELAB" diff old.yaml old.yaml --scenarios nowhere.yaml
grep -q 'nothing was compared.*4 requests could not be sent: there is no listener `nowhere`' err.txt || fail "nothing could be sent: $(<err.txt)"

# Tokens: the credential that stands above the steps makes the difference in a scenario too.
cat >early.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:8080 } ]
issuers: { main: { issuer: https://idp.example, audiences: [ orders ], leeway: 30s, algorithms: [ ES256 ], keys: { jwks_url: http://127.0.0.1:9100/jwks.json } } }
upstreams: { orders: { url: http://127.0.0.1:9001 } }
routes:
  - { name: orders, match: { path: /orders/* }, policies: [ { jwt: { issuer: main, scopes: [ orders:read ] } } ], upstream: orders }
CONFIG
sed 's/leeway: 30s/leeway: 31s/' early.yaml >late.yaml
"$GATELAB" diff early.yaml late.yaml --json >out.json || true
python3 - <<'PYTHON' || fail "a token's steps can't be pasted"
import json
report = json.load(open('out.json'))
group = next(g for g in report['groups'] if g['a']['reason'] == 'expired' and g['b']['reason'] == 'completed')
lines = group['first']['steps'].rstrip('\n').split('\n')
credentials = [l[2:] for l in lines if l.startswith('# ')]
steps = [l for l in lines if not l.startswith('# ')]
assert len(credentials) == 1, lines
for name, status in (('early', 401), ('late', 200)):
    text = f"gatelab: 1\nname: pasted\ngateway: {name}.yaml\nissuers: {{ main: {{ alg: ES256 }} }}\n{credentials[0]}\nmocks: {{ orders: [ {{ when: {{}}, reply: {{ json: {{}} }} }} ] }}\ncases:\n  - name: pasted\n    steps:\n"
    text += '\n'.join('      ' + s for s in steps[:-1]) + '\n      ' + steps[-1][:-2] + f', expect: {{ status: {status} }} }}\n'
    open(f'token-{name}.yaml', 'w').write(text)
PYTHON
exits 0 "$GATELAB" test token-early.yaml token-late.yaml

# A copy more or less is no reason for a request to go another way.
cat >half.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:8080 } ]
upstreams: { stable: { url: http://127.0.0.1:9001 }, canary: { url: http://127.0.0.1:9002 }, shadow: { url: http://127.0.0.1:9003 } }
routes:
  - name: orders
    match: { path: /orders/* }
    policies:
      - mirror: { upstream: shadow, share: 50% }
      - split: { variants: { stable: { upstream: stable, weight: 50 }, canary: { upstream: canary, weight: 50 } }, key: request }
CONFIG
sed 's/share: 50%/share: 20%/' half.yaml >fifth.yaml
"$GATELAB" diff half.yaml fifth.yaml >out.txt || true
! grep -qE 'upstream (stable|canary) → upstream (stable|canary)' out.txt || fail "copies move the split's dice: $(<out.txt)"
