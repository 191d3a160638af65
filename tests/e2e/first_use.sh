# SPDX-License-Identifier: Apache-2.0
# What somebody does who uses the commands for the first time: slips are told for what they are, nothing is lost by them, and what
# one command writes another one takes.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
export CI=true
cat >gateway.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
log: { access: access.log, format: json }
upstreams: { shop: { mock: [ { when: "GET /items/{id}", reply: { json: { id: 1 } } }, { when: GET /files/*, reply: { body: file } } ] } }
routes: [ { name: all, upstream: shop } ]
CONFIG
sed 's/id: 1/id: 2/' gateway.yaml >other.yaml

# A mock's request line means what it means to a route.
start_gatelab gateway gateway.yaml --no-watch
for path in /items/7 /files /files/a/b; do expect_equal "$path" "$(status "$url$path")" 200; done
for path in /items /items/7/8 /filesystem; do expect_equal "$path" "$(status "$url$path")" 404; done

# What could not be read as a request stands in gatelab's own log, and holds up no import.
exec 5<>"/dev/tcp/127.0.0.1/${url##*:}"
printf 'no request\r\n\r\n' >&5
timeout 20 head -c 1 <&5 >/dev/null
exec 5>&-
kill -TERM "$pid"
ended "$pid" 20 || fail "no end"
exits 0 "$GATELAB" record import access.log --out log.gtl
grep -q 'left out' err.txt || fail "nothing is told of what is left out: $(<err.txt)"
expect_equal "exchanges of the log" "$(grep -c '^{"exchange"' log.gtl)" 6
exits 4 "$GATELAB" record import access.log --out log.gtl
grep -q 'log.gtl.*is there already.*--force' err.txt || fail "a recording is replaced: $(<err.txt)"
exits 0 "$GATELAB" record import access.log --out log.gtl --force
exits 2 "$GATELAB" record import access.log --out ./access.log --force
grep -q -- '--out would be written over' err.txt || fail "an import over what it reads: $(<err.txt)"
exits 0 "$GATELAB" record import access.log --out -
expect_equal "exchanges on stdout" "$(grep -c '^{"exchange"' out.txt)" 6
exits 2 "$GATELAB" record --gateway gateway.yaml --out -
[[ ! -e - ]] || fail "a file named - was made"

# A recording that could not begin leaves nothing behind.
echo 'rutes: []' | cat gateway.yaml - >bad.yaml
exits 3 "$GATELAB" record --gateway bad.yaml --out new.gtl --har new.har
[[ ! -e new.gtl && ! -e new.har ]] || fail "a failed start leaves files: $(ls)"
touch there.har
exits 4 "$GATELAB" record --gateway gateway.yaml --out new.gtl --har there.har
[[ ! -e new.gtl && -e there.har ]] || fail "a failed start leaves a file, or takes one away: $(ls)"
exits 2 "$GATELAB" record --gateway gateway.yaml --out new.gtl --har ./new.gtl
grep -q 'the same file' err.txt || fail "one file for both: $(<err.txt)"
# Nor over what it is to serve.
cp gateway.yaml mine.yaml
ln -s mine.yaml linked.yaml
for over in '--out mine.yaml' '--har ./mine.yaml' '--out linked.yaml'; do
  exits 2 "$GATELAB" record --gateway mine.yaml $over --force
  grep -q 'would be written over --gateway' err.txt || fail "$over: $(<err.txt)"
done
cmp gateway.yaml mine.yaml || fail "the configuration was replaced"
for over in '--save mine.yaml' '--json mine.yaml' '--html ./linked.yaml' '--hdr mine.yaml' '--save a.json --json ./a.json'; do
  exits 2 "$GATELAB" load --gateway mine.yaml /items/1 --rate 5/s --duration 1s $over
done
printf 'id\n1\n' >rows.csv
exits 2 "$GATELAB" load --gateway mine.yaml '/items/$(data.id)' --rate 5/s --duration 1s --data rows.csv --save rows.csv
expect_equal "rows" "$(cat rows.csv)" $'id\n1'
cmp gateway.yaml mine.yaml || fail "load has replaced the configuration"
[[ ! -e a.json ]] || fail "a refused load has written"
exits 2 "$GATELAB" record --to http://127.0.0.1:9/base --out new.gtl
grep -q -- '--to: `http://127.0.0.1:9/base`' err.txt || fail "what is wrong with --to: $(<err.txt)"
exits 2 "$GATELAB" record --to http://127.0.0.1:9 --listen nowhere --out new.gtl
grep -q -- '--listen: ' err.txt || fail "what is wrong with --listen: $(<err.txt)"

# A command that is saved is the scenario that does the same, from wherever it stands.
start recorder "$GATELAB" record --gateway gateway.yaml --out traffic.gtl --no-watch
until_true 30 is_ready recorder "$pid" || fail "no ready line"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' recorder.out)
for n in 1 2 3; do curl -s -o /dev/null --max-time 20 "$url/items/$n" || fail "through the recorder"; done
kill -TERM "$pid"
ended "$pid" 20 || fail "record does not end"
cp traffic.gtl kept.gtl
for over in traffic.gtl ./traffic.gtl mine.yaml; do
  exits 2 "$GATELAB" replay traffic.gtl --gateway mine.yaml --save "$over"
  grep -q -- '--save would be written over' err.txt || fail "$over: $(<err.txt)"
done
cmp traffic.gtl kept.gtl && cmp gateway.yaml mine.yaml || fail "replay --save has replaced what it reads"

# Where what is made anew for each answer is all that differs, what to do is said.
exits 1 "$GATELAB" replay traffic.gtl --gateway gateway.yaml
grep -q 'nothing differs but .*--ignore-header X-Request-Id' out.txt || fail "no hint: $(<out.txt)"

# What could not begin takes nothing away, with --force neither.
echo old | tee older.gtl older.gtl.1 >/dev/null
exits 3 "$GATELAB" record --gateway bad.yaml --out older.gtl --force
[[ $(cat older.gtl older.gtl.1) == $'old\nold' ]] || fail "a failed start has replaced a recording: $(ls)"

# --force takes the files of the earlier run with it: its F.1 is not what came before this F.
echo old >forced.gtl.1
start forced "$GATELAB" record --gateway gateway.yaml --out forced.gtl --no-watch --force
until_true 30 is_ready forced "$pid" || fail "no ready line of --force"
kill -TERM "$pid"
ended "$pid" 20 || fail "record --force does not end"
[[ -e forced.gtl && ! -e forced.gtl.1 ]] || fail "an earlier run's file is left: $(ls)"

# A browser's requests without an answer are told and counted, and its secrets stay where they are.
entry() { printf '{"startedDateTime":"2026-01-01T00:00:0%sZ","time":1,"request":{"method":"GET","url":"http://s.test/items/%s?token=planted-query","headers":[]},"response":{"status":%s,"headers":[],"content":{}}}' "$1" "$1" "$2"; }
printf '{"log":{"version":"1.2","entries":[%s,%s,%s]}}' "$(entry 1 200)" "$(entry 2 0)" "$(entry 3 0)" >un.har
exits 1 "$GATELAB" replay un.har --gateway gateway.yaml
grep -q '2 not compared, as the recording has no answer' out.txt || fail "unanswered requests: $(cat out.txt err.txt)"
! grep -q planted-query out.txt err.txt || fail "a secret is printed: $(cat out.txt err.txt)"
exits 0 "$GATELAB" replay un.har --gateway gateway.yaml --skip-left-out
grep -q '2 not compared' out.txt && grep -q '1 exchange compared, 0 different' out.txt || fail "what is left out: $(<out.txt)"
exits 0 "$GATELAB" replay un.har --gateway gateway.yaml --skip-left-out --save skips.yaml
exits 0 "$GATELAB" test skips.yaml
grep -q '2 not compared' out.txt || fail "a saved scenario leaves out in silence: $(<out.txt)"
exits 0 "$GATELAB" diff gateway.yaml gateway.yaml --traffic un.har
grep -q 'there was no answer' err.txt || fail "diff passes over what is wrong with its traffic: $(<err.txt)"
exits 1 "$GATELAB" diff gateway.yaml other.yaml --traffic log.gtl
grep -q "curl .*'\?http://127.0.0.1:PORT/" out.txt || fail "a port that nobody knows: $(grep curl out.txt)"
exits 0 "$GATELAB" record import un.har --out un.gtl
[[ $(grep -c 'there was no answer' err.txt) == 2 ]] || fail "no warning: $(<err.txt)"
mkdir -p sub/deep real
ln -s ../real/ sub/link
for at in saved.yaml sub/saved.yaml sub/deep/saved.yaml sub/link/saved.yaml; do
  exits 0 "$GATELAB" replay traffic.gtl --gateway gateway.yaml --ignore-header X-Request-Id --ignore-header Date --save "$at"
  grep -q 'upstreams: "recorded"' "$at" || fail "where upstreams answer from is not in $at: $(<"$at")"
  exits 0 "$GATELAB" test "$at"
done
# Upstreams answer as they did: it is the routes that differ.
sed 's/name: all,/name: all, match: { path: "\/items\/{id}", methods: [POST] },/' gateway.yaml >closed.yaml
exits 1 "$GATELAB" replay traffic.gtl --gateway closed.yaml --ignore-header X-Request-Id --ignore-header Date --save sub/closed.yaml
exits 1 "$GATELAB" test sub/closed.yaml
exits 0 "$GATELAB" replay traffic.gtl --gateway gateway.yaml --against gateway.yaml --ignore-header X-Request-Id --save sub/against.yaml
exits 0 "$GATELAB" test sub/against.yaml
exits 4 "$GATELAB" replay nowhere.gtl --gateway gateway.yaml --save sub/nowhere.yaml
[[ ! -e sub/nowhere.yaml ]] || fail "a scenario of nothing was saved"
exits 4 "$GATELAB" replay traffic.gtl --gateway nowhere.yaml

# No message shows a password.
export PLANTED=planted-password
for bad in 'url: "http://shop:planted-password@127.0.0.1:9"' 'url: "http://$(env.PLANTED):x"' 'url: "http://shop:pla/nted-password@127.0.0.1"'; do
  sed "s|mock: .*|$bad } }|" gateway.yaml >secret.yaml
  for command in check run; do
    exits 3 "$GATELAB" $command secret.yaml
    ! grep -qE 'planted-password|pla/nted' out.txt err.txt || fail "$command shows a password: $(cat out.txt err.txt)"
  done
  exits 3 "$GATELAB" check --format json secret.yaml
  ! grep -qE 'planted-password|pla/nted' out.txt err.txt || fail "check --format json shows a password: $(cat out.txt err.txt)"
done
sed '/^upstreams/a issuers: { main: { issuer: https://id.test, keys: { jwks_url: "https://id.test:x/$(env.PLANTED)" } } }' gateway.yaml >secret.yaml
exits 3 "$GATELAB" check secret.yaml
grep -q 'bad-url' err.txt && ! grep -q planted-password err.txt || fail "a key set's URL: $(<err.txt)"
exits 2 "$GATELAB" load http://shop:planted-password@127.0.0.1:9/ --rate 1/s
! grep -q planted-password err.txt || fail "load shows a password: $(<err.txt)"
exits 2 "$GATELAB" record --to http://shop:planted-password@127.0.0.1:9 --out new.gtl
grep -q 'must not hold' err.txt && ! grep -q planted-password err.txt || fail "record shows a password: $(<err.txt)"
exits 2 "$GATELAB" record --to 'http://shop:planted-password too@127.0.0.1:9' --out new.gtl
grep -q 'must not hold' err.txt && ! grep -q planted-password err.txt || fail "record shows a password: $(<err.txt)"

# A recording sent to what runs already, and to upstreams where they are.
start_gatelab again gateway.yaml --no-watch
exits 0 "$GATELAB" replay traffic.gtl --url "$url" --ignore-header X-Request-Id --ignore-header Date
grep -q '3 exchanges compared, 0 different' out.txt || fail "replay --url: $(<out.txt)"
exits 0 "$GATELAB" replay traffic.gtl --url "$url" --ignore-header X-Request-Id --ignore-header Date --save there.yaml
exits 0 "$GATELAB" test --real there.yaml
cat >front.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
upstreams: { shop: { url: "$url" } }
routes: [ { name: all, upstream: shop } ]
CONFIG
exits 0 "$GATELAB" replay traffic.gtl --gateway front.yaml --upstreams live --real --ignore-header X-Request-Id --ignore-header Date --ignore-header Via
exits 2 "$GATELAB" replay traffic.gtl --gateway front.yaml --upstreams live
grep -q 'add --real' err.txt || fail "live upstreams in virtual time: $(<err.txt)"
exits 2 "$GATELAB" replay traffic.gtl
exits 2 "$GATELAB" replay traffic.gtl --url "$url" --remint main
exits 1 "$GATELAB" replay traffic.gtl --url http://127.0.0.1:9
kill -TERM "$pid"
ended "$pid" 20 || fail "no end"

# What a secret is put into is not shown with it.
printf '{"gatelab":"recording","version":1}\n' >marked.gtl
printf '{"exchange":"1","began":1767225600000000000,"took":1,"scheme":"http","request":{"method":"GET","target":"/items/1?token=%%3Credacted:0123456789ab%%3E","version":"1.1","headers":[["Host","a"]]},"answer":{"status":404,"headers":[]},"attempts":[]}\n' >>marked.gtl
exits 1 env REAL=planted-secret "$GATELAB" replay marked.gtl --gateway gateway.yaml --secret 0123456789ab=REAL
! grep -q planted-secret out.txt err.txt || fail "a secret that was put back is printed: $(cat out.txt err.txt)"

# A key is one whatever the configuration calls its place.
cat >named.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
consumers: [ { name: mobile, keys: [ { value: planted-key-1 } ] } ]
upstreams: { shop: { mock: [ { when: GET /*, reply: { body: "hello planted-key-1" } }, { when: POST /*, reply: { body: "hello planted-key-1" } } ] } }
routes:
  - { name: header, match: { path: /h }, upstream: shop, policies: [ { api-key: { header: X-Client } } ] }
  - { name: query, match: { path: /q }, upstream: shop, policies: [ { api-key: { query: client } } ] }
CONFIG
start named "$GATELAB" record --gateway named.yaml --out named.gtl --har named.har --no-watch
until_true 30 is_ready named "$pid" || fail "no ready line"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' named.out)
expect_equal header "$(status -H 'X-Client: planted-key-1' "$url/h")" 200
expect_equal query "$(status "$url/q?client=planted-key-1")" 200
kill -TERM "$pid"
ended "$pid" 20 || fail "record does not end"
[[ $(grep -c '"exchange"' named.gtl) == 2 ]] || fail "not recorded: $(<named.gtl)"
! grep -l planted-key-1 named.gtl named.har || fail "a key is in a recording"
! base64 -d <<<"$(grep -o '"base64":"[^"]*' named.gtl | cut -d'"' -f4 | head -1)" | grep -q planted-key-1 || fail "a key is in a recorded body"
# What both refuse proves nothing of what is behind.
sed 's/hello/hi/' named.yaml >renamed.yaml
exits 5 "$GATELAB" diff named.yaml renamed.yaml --traffic named.gtl
grep -q 'lost a secret to the recording: --secret' out.txt || fail "no hint: $(<out.txt)"
mark=$(grep -om1 'redacted:[0-9a-f]*' named.gtl | cut -d: -f2)
exits 1 env REAL=planted-key-1 "$GATELAB" diff named.yaml renamed.yaml --traffic named.gtl --secret "$mark=REAL"
! grep -q planted-key-1 out.txt err.txt || fail "diff prints a secret: $(<out.txt)"
printf '{"id":1}' >body.json
"$GATELAB" load --gateway named.yaml '/h?token=planted-key-1' -H 'X-Client: planted-key-1' -d @body.json --rate 20/s --duration 1s --save load.json --html load.html >out.txt 2>err.txt || fail "load -d @FILE: $(<err.txt)"
! grep -l planted-key-1 out.txt err.txt load.json load.html || fail "load shows a secret"
exits 4 "$GATELAB" load --gateway named.yaml /h -d @nowhere.json --rate 20/s --duration 1s
exits 2 "$GATELAB" load --gateway named.yaml /h -H 'Authorization Bearer planted-key-1' --rate 20/s --duration 1s
! grep -q planted-key-1 err.txt || fail "a header without a colon: $(<err.txt)"

# What nobody answers holds at no rate, and fails at none.

for bound in 'rate>=99%' 'errors<1%' 'p99<50ms'; do
  exits 5 "$GATELAB" load "http://127.0.0.1:9/" --rate 50/s --duration 1s --find-max "$bound"
  grep -q 'no request succeeded' err.txt || fail "$bound of nothing: $(cat out.txt err.txt)"
done
exits 5 "$GATELAB" load "http://127.0.0.1:9/" --rate 50/s --duration 1s --expect 'rate>=99%'

# Loads: nothing expected is no verdict, and nothing answered has no percentiles.
load() { "$GATELAB" load "$@"; }
# On a busy machine a run may be invalid, which is a verdict.
code=0
load http://127.0.0.1:9/ --rate 50/s --duration 1s --arrivals even --json - >out.txt 2>err.txt || code=$?
grep -qE '^\{"gatelab_load":2,"verdict":(null|"invalid")' out.txt && grep -q '"p50":null,.*"max":null' out.txt || fail "a verdict of nothing: exit $code, $(head -c 600 out.txt)"
[[ $code == 0 ]] || grep -q '"invalid":\["' out.txt || fail "a load that nothing is expected of: exit $code, $(head -c 600 out.txt)"
load http://127.0.0.1:9/ --rate 20/s --duration 1s --arrivals even >out.txt 2>err.txt || true
grep -q 'every request failed' out.txt || fail "all have failed, and nobody says so: $(<out.txt)"
# Too few requests are told apart from too slow answers.
code=0
load --gateway gateway.yaml /items/1 --rate 20/s --duration 1s --arrivals even --find-max 'p99<10s' >out.txt 2>err.txt || code=$?
{ [[ $code == 5 ]] && grep -q 'use a longer --duration' err.txt; } || grep -q '/s: invalid' out.txt || fail "a search with too few requests: exit $code, $(cat out.txt err.txt)"
# And from a target that answers nothing, where no time would do.
code=0
load http://127.0.0.1:9/ --rate 20/s --duration 1s --arrivals even --find-max 'p99<10s' >out.txt 2>err.txt || code=$?
{ [[ $code == 5 ]] && grep -q 'no request succeeded (refused: 20)' err.txt && ! grep -q 'longer' err.txt; } || grep -q '/s: invalid' out.txt || fail "a search where nothing answers: exit $code, $(cat out.txt err.txt)"
# Flags that nobody would read.
on="http://127.0.0.1:9/"
wrong() {
  exits 2 load "${@:2}"
  grep -q -- "$1" err.txt || fail "load ${*:2}: $(<err.txt)"
}
wrong --think "$on" --rate 1/s --think 1s
wrong --arrivals "$on" --users 1 --arrivals even
wrong --duration "$on" --rate 1/s --stage 2/s:1s --duration 5s
wrong --tolerance "$on" --rate 1/s --tolerance 1%
wrong --shard "$on" --rate 1/s --shard 1/2
wrong --workers "$on" --rate 1/s --workers 2
wrong --expect "$on" --rate 1/s --find-max 'p50<1s' --expect 'p50<1s'
# An empty value is a variable that was not set, and must not turn a check off.
for empty in '' ',' ' , '; do
  wrong "--expect '$empty': it names no bound" "$on" --rate 1/s --expect "$empty"
  wrong "--expect '$empty': it names no bound" "$on" --rate 1/s --threshold "$empty"
  wrong "--find-max '$empty': it names no bound" "$on" --rate 1/s --find-max "$empty"
done
wrong "--against '': it names nothing to compare with" "$on" --rate 1/s --against ''
for flag in --data --save --json --hdr --html; do wrong "$flag '': it names no file" "$on" --rate 1/s "$flag" ''; done
wrong "--shard ''" "$on" --rate 1/s --shard ''
wrong "--expect '': it names no bound" merge none.json --expect ''
wrong "no method" "$on" --rate 1/s -X 'GE T'
wrong 'only http' ftp://x/ --rate 1/s
printf 'tag\n"one\r\ntwo"\n' >rows.csv
exits 3 load "$on" --rate 1/s --data rows.csv -H 'X-Tag: $(data.tag)'
grep -q '`tag` of row 1' err.txt || fail "a break in a header: $(<err.txt)"
# Where a result goes is looked at before the load.
for flag in --html --save --json --hdr --out; do
  exits 4 timeout 20 "$GATELAB" load "$on" --rate 1/s --duration 1h "$flag" none/there
  grep -q 'none/there' err.txt || fail "$flag: $(<err.txt)"
done

# A step whose requests find no stub fails, whatever its totals say; what is wrong with its data is told before anything runs.
step() {
  cat >step.yaml <<SCENARIO
gatelab: 1
gateway: gateway.yaml
mocks: { shop: [ { when: GET /items/1, reply: { json: {} } } ] }
cases:
  - name: a load
    steps:
      - load: { rate: 20/s, duration: 1s, arrivals: even, $1 }
        totals: { errors: { ge: 0% }, on_inconclusive: pass }
SCENARIO
}
step 'mix: [ { send: GET /items/1 }, { send: GET /items/2 } ]'
exits 1 "$GATELAB" test step.yaml
grep -q 'no stub of `shop` answers GET /items/2, and [0-9]* more' out.txt || fail "requests without a stub: $(<out.txt)"
step 'send: GET /items/1'
exits 0 "$GATELAB" test step.yaml
step 'send: GET /items/1, data: none.csv'
exits 3 "$GATELAB" test step.yaml
grep -q 'none.csv' err.txt || fail "data that are not there: $(<err.txt)"
step 'send: GET /items/$(data.id), data: rows.csv'
exits 3 "$GATELAB" test step.yaml
grep -q 'it has tag' err.txt || fail "a column that is not there: $(<err.txt)"

# --watch runs what is there, and what comes.
cat >one.yaml <<'SCENARIO'
gatelab: 1
gateway: gateway.yaml
mocks: { shop: [ { when: GET /items/1, reply: { json: {} } } ] }
cases: [ { name: it is there, steps: [ { send: GET /items/1, expect: { status: 200 } } ] } ]
SCENARIO
start watch "$GATELAB" test one.yaml later/two.yaml --watch -v
watcher=$pid
ran() { [[ $(grep -c '^ok ' watch.out) -ge $1 ]]; }
until_true 30 ran 1 || fail "what is there does not run: $(cat watch.out watch.err)"
grep -q '`later/two.yaml` is not there' watch.err || fail "nobody says what is missing: $(<watch.err)"
waits() { (($(grep -c "waiting for a change" watch.err) >= 1)); }
until_true 30 waits || fail "it does not wait"
mkdir later
sed 's/gateway.yaml/..\/gateway.yaml/; s/it is there/it has come/' one.yaml >later/two.yaml
came() { grep -q 'it has come' watch.out; }
until_true 30 came || fail "what has come does not run: $(cat watch.out watch.err)"
kill -INT "$watcher"
ended "$watcher" 20 || fail "--watch does not end"

# Help, by whatever name; and what a target looks like.
exits 0 "$GATELAB" help
grep -q 'Subcommands' out.txt || fail "help: $(<out.txt)"
exits 0 "$GATELAB" help load
grep -q -- '--find-max' out.txt || fail "help of a command: $(<out.txt)"
exits 2 "$GATELAB" explain -c gateway.yaml GET items/7
grep -q 'begins with a slash' err.txt || fail "a target without a slash: $(<err.txt)"
