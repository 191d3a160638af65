# SPDX-License-Identifier: Apache-2.0
# SIGTERM under load: whatever gatelab had begun is answered whole, and then it ends by itself. A second signal ends it
# at once.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
start_nginx origin 'location /items/ { return 200 "item\n"; }' 'location /slow.bin { limit_rate 400k; }'
head -c 600000 /dev/zero >origin/html/slow.bin
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
log: { access: $work/access.log, format: json }
upstreams: { origin: { url: http://127.0.0.1:$origin_port } }
routes: [ { name: all, upstream: origin } ]
CONFIG
start_gatelab gateway gateway.yaml --workers 2
gateway=$pid

# Clients that ask and ask until nothing listens any more (7: refused).
client() {
  local code
  while true; do
    code=0
    curl -s -o /dev/null --max-time 20 -w '%{http_code}\n' "$url/items/$1" >>"answers.$1" || code=$?
    ((code == 0)) || { echo "$code" >"end.$1"; return; }
  done
}
clients=()
for i in {1..6}; do
  client "$i" &
  clients+=("$!")
done
slow=()
for i in {1..6}; do
  curl -s --max-time 20 -o "slow.$i" -w '%{http_code} %{size_download}\n' "$url/slow.bin" >"slow.$i.txt" &
  slow+=("$!")
done
# In the middle of it all: every download has begun and every client has had answers.
begun() {
  local i
  for i in {1..6}; do [[ -s slow.$i && -s answers.$i ]] || return 1; done
}
until_true 20 begun || fail "the load does not begin"
kill -TERM "$gateway"
for one in "${slow[@]}"; do wait "$one" || fail "a download broke off with curl's code $?"; done
for i in {1..6}; do expect_equal "download $i" "$(<"slow.$i.txt")" "200 600000"; done
for one in "${clients[@]}"; do wait "$one" || fail "a client ended by itself with $?"; done
# Each was answered whole, again and again, until nobody listened: none was cut, refused an answer, or answered otherwise.
for i in {1..6}; do
  expect_equal "what ended client $i, as curl's code" "$(<"end.$i")" 7
  expect_equal "answers of client $i other than 200, the refused one behind them" "$(grep -v '^200$' "answers.$i")" 000
done
ended "$gateway" 20 || fail "no end after the last answer"
wait "$gateway" && code=0 || code=$?
expect_equal "exit code" "$code" 0
answered=$(cat answers.* | grep -c '^200$')
expect_equal "answers that clients got and requests that gatelab took" "$answered" "$(grep -c '"target":"/items/' access.log)"
expect_equal "requests that did not end well" "$(grep -c '"reason":"completed"' access.log)" "$((answered + 6))"

start_gatelab impatient gateway.yaml
curl -s --max-time 20 -o cut.bin "$url/slow.bin" &
cut=$!
downloading() { [[ -s cut.bin ]]; }
until_true 20 downloading || fail "the download does not begin"
kill -INT "$pid"
draining() { grep -q draining impatient.err; }
until_true 10 draining || fail "no word about draining: $(<impatient.err)"
kill -INT "$pid"
ended "$pid" 5 || fail "no end after the second signal"
wait "$pid" && code=0 || code=$?
expect_equal "exit code after two signals" "$code" 130
grep -q 'stopped at once: 1 request on 1 connection cut' impatient.err || fail "what was cut? $(<impatient.err)"
expect_equal "log lines of what was cut" "$(grep -c '"target":"/slow.bin".*"reason":"shutdown"' access.log)" 1
wait "$cut" && code=0 || code=$?
# Partial (18) or reset (56), as what was on the way to it was thrown away or not.
[[ $code == 18 || $code == 56 ]] || fail "the download that was cut ended with curl's code $code"
