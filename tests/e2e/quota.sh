# SPDX-License-Identifier: Apache-2.0
# Quotas over restarts of the real program: what is counted survives SIGTERM, and SIGKILL once it is written; a file that is not
# whole is set aside; two programs never share one file.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"

# A period that does not end while this runs: a month of which a day or more is left, else the week.
per=month
[[ $(date -u -d tomorrow +%m) == "$(date -u +%m)" ]] || per=week
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0, token: e2e-admin-token }
log: { access: $work/access.log }
state: { file: gatelab.state }
consumers: [ { name: mobile, keys: [ { value: $key } ] } ]
upstreams: { origin: { mock: [ { when: GET /items, reply: { json: [] } } ] } }
routes:
  - name: items
    match: { path: /items }
    policies: [ { api-key: {} }, { quota: { limit: 5, per: $per, time_zone: America/New_York, key: consumer } } ]
    upstream: origin
CONFIG
ask() { status -H "X-Api-Key: $key" "$url/items"; }
stop() { kill -TERM "$pid" && ended "$pid" 30 || fail "gatelab does not end"; }
counted() { [[ $(sed -n 's/^[0-9]* \([0-9]*\) consumer%20mobile$/\1/p' gatelab.state) == "$1" ]]; }

start_gatelab first gateway.yaml
for _ in 1 2; do expect_equal "within the quota" "$(ask)" 200; done
expect_equal "who may read the file" "$(stat -c %a gatelab.state)" 600
stop
counted 2 || fail "SIGTERM left: $(cat gatelab.state)"

start_gatelab second gateway.yaml
expect_equal "the third of five" "$(ask)" 200
until_true 20 counted 3 || fail "the third was never written: $(cat gatelab.state)"
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true  # until its last thread has let the file go

start_gatelab third gateway.yaml
for _ in 4 5; do expect_equal "the last ones of five" "$(ask)" 200; done
expect_equal "the sixth" "$(ask)" 429
until_true 20 counted 5 || fail "refusals were counted, or the fifth was not: $(cat gatelab.state)"

# The log and the metrics show it as they show a rate that is used up.
logged() { [[ $(grep -c '"reason":"quota-exceeded"' access.log) == 1 ]]; }
until_true 20 logged || fail "not in the access log: $(cat access.log)"
curl -s "$admin/metrics" | grep '^gatelab_ended_total{.*by="quota"' | grep -q '"quota-exceeded".* 1$' || fail "not in the metrics"

# Another program on the same file is refused with the place, and takes nothing of it.
code=0
"$GATELAB" run gateway.yaml >other.out 2>other.err </dev/null || code=$?
expect_equal "exit code of a second gatelab" "$code" 4
grep -q 'gateway.yaml:5.*another gatelab has it (pid '"$pid"')' other.err || fail "a second gatelab says: $(cat other.err)"
counted 5 || fail "a second gatelab has touched the file"

# A raised limit keeps the count; what is written before the reload is told.
sed -i 's/limit: 5/limit: 6/' gateway.yaml
reloaded() { grep -q 'generation 2' third.err; }
until_true 20 reloaded || fail "no reload: $(cat third.err)"
expect_equal "the sixth of six" "$(ask)" 200
expect_equal "the seventh" "$(ask)" 429
stop
counted 6 || fail "the sixth is not in the file"

# Half a file is set aside, not overwritten, and said on stderr.
half=$(head -c 60 gatelab.state)
printf %s "$half" >gatelab.state
start_gatelab fourth gateway.yaml
aside=$(echo gatelab.state.corrupt-*)
expect_equal "what was set aside" "$(cat "$aside")" "$half"
grep -q "$aside" fourth.err || fail "stderr says: $(cat fourth.err)"
expect_equal "counting from zero" "$(ask)" 200
stop
counted 1 || fail "not from zero: $(cat gatelab.state)"

# A place where nothing can be written refuses the start, before anything is served.
sed -i 's|file: gatelab.state|file: missing/gatelab.state|' gateway.yaml
code=0
"$GATELAB" run gateway.yaml >nowhere.out 2>nowhere.err </dev/null || code=$?
expect_equal "exit code without a directory" "$code" 4
grep -q 'gateway.yaml:5.*missing/gatelab.state' nowhere.err || fail "without a directory: $(cat nowhere.err)"
[[ ! -s nowhere.out ]] || fail "it said that it was ready"

# Neither the key nor a digest of it is in the file, or in what is left beside it.
! grep -rqF "$key" gatelab.state* || fail "an API key stands in the state file"
