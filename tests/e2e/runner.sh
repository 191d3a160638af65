# SPDX-License-Identifier: Apache-2.0
# `gatelab test` as a pipeline and a developer use it: shards, retries, reports on the disk, --watch.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
mkdir -p scenarios/keys
cat >scenarios/gateway.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:0 } ]
upstreams: { orders: { url: http://127.0.0.1:9 } }
routes:
  - { name: hello, match: { path: /hello }, policies: [ { respond: { status: 200, text: hello } } ] }
  - { name: orders, match: { path: /orders }, upstream: orders }
CONFIG
sed 's/text: hello/text: good day/' scenarios/gateway.yaml >scenarios/other-gateway.yaml
scenario() { printf 'gatelab: 1\nname: %s\ngateway: %s\ncases:\n  - { name: %s says hello, steps: [ { send: GET /hello, expect: { status: 200, body: %s } } ] }\n' "$@"; }
scenario a gateway.yaml a hello >scenarios/a.yaml
scenario b gateway.yaml b hello >scenarios/b.yaml
scenario c other-gateway.yaml c good >scenarios/c.yaml
sed -i 's/body: good/body: good day/' scenarios/c.yaml

exits 0 "$GATELAB" test scenarios
exits 0 "$GATELAB" test scenarios --retries 0
exits 2 "$GATELAB" test scenarios --retries 2
grep -q 'depends on chance' err.txt && grep -q -- '--repeat' err.txt || fail "retries are refused without a reason: $(<err.txt)"
for wrong in 0/2 3/2 1 x/2 1/0 1/2/3 -1/2; do
  exits 2 "$GATELAB" test scenarios --shard="$wrong"
done
for shard in 1 2; do
  exits 0 "$GATELAB" test scenarios -v --shard "$shard/2"
  cat out.txt >>shards.txt
done
expect_equal "cases of both shards" "$(grep '^ok ' shards.txt | sort)" "$("$GATELAB" test scenarios -v | grep '^ok ' | sort)"
exits 0 "$GATELAB" test scenarios --slowest 2
expect_equal "slowest cases" "$(sed '1,/^slowest:/d' out.txt | wc -l)" 2
! grep -q $'\r' err.txt || fail "progress where nobody looks"
exits 0 "$GATELAB" test scenarios --report html=page.html --report junit=junit.xml --report tap=out.tap --report json=out.json --report github
grep -q '3 cases passed' page.html && grep -q 'tests="3"' junit.xml && grep -q '^1\.\.3$' out.tap || fail "a report is not what it should be"
python3 -c 'import sys, xml.dom.minidom as x; x.parse("junit.xml")' || fail "junit.xml is no XML"
exits 2 "$GATELAB" test scenarios --report pdf=x

# --watch: runs at once, then again what a change touches, and ends with the last result.
start watch "$GATELAB" test scenarios --watch -v
watcher=$pid
waits() { [[ -s watch.err ]] && (($(grep -c "waiting for a change" watch.err) >= $1)); }
until_true 30 waits 1 || fail "the first run does not come at once: $(<watch.err)"
expect_equal "cases of the first run" "$(grep -c '^ok ' watch.out)" 3
# again N NAMES: the N-th run has begun with these cases.
again() {
  until_true 30 waits "$1" || fail "run $1 does not come: $(tail -n 3 watch.out watch.err)"
  expect_equal "cases of run $1" "$(sed -n 's/^ok .* › \(.*\) says hello.*/\1/p' watch.out | tail -n +"$((seen + 1))" | tr '\n' ' ')" "$2"
  seen=$(grep -c '^ok ' watch.out)
}
seen=3
echo '# touched' >>scenarios/a.yaml
again 2 'a '
echo '# touched' >>scenarios/other-gateway.yaml
again 3 'c '
cp scenarios/gateway.yaml scenarios/new && mv scenarios/new scenarios/gateway.yaml  # as editors save
again 4 'a b '
scenario d gateway.yaml d hello >scenarios/d.yaml
again 5 'd '
echo nothing >scenarios/notes.txt  # touches nothing: the next run is of what comes behind it
sed -i 's/text: hello/text: hullo/' scenarios/gateway.yaml
until_true 30 waits 6 || fail "run 6 does not come"
expect_equal "failures of run 6" "$(grep -c '^FAIL' watch.out)" 3
sed -i 's/routes:/rowtes:/' scenarios/gateway.yaml
until_true 30 waits 7 || fail "run 7 does not come"
grep -q 'nothing was run' watch.err || fail "a refused gateway is not told: $(<watch.err)"
sed -i 's/rowtes:/routes:/; s/text: hullo/text: hello/' scenarios/gateway.yaml
until_true 30 waits 8 || fail "run 8 does not come"
tail -n 1 watch.out | grep -q ': . passed$' || fail "what was put right is not run: $(tail -n 3 watch.out)"
sed -i 's/body: hello/body: bye/' scenarios/a.yaml
until_true 30 waits 9 || fail "run 9 does not come"
kill -INT "$watcher"
ended "$watcher" 30 || fail "--watch does not end"
code=0
wait "$watcher" || code=$?
expect_equal "exit code of --watch" "$code" 1
