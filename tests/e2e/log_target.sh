# SPDX-License-Identifier: Apache-2.0
# The access log goes to somebody who is slow, or takes nothing at all: it can be rotated all the same, and the end is orderly.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer wrk
write_log_gateway() { # FILE TARGET
  cat >"$1" <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
log: { access: $2, format: json }
routes: [ { name: all, policies: [ { respond: { status: 200, text: fine } } ] } ]
CONFIG
}

# Lines come faster than they are taken, so that the queue is never empty: a shell takes a pipe's octets one by one.
mkfifo slow.log
exec {slow}<>slow.log
write_log_gateway slow.yaml "$work/slow.log"
start_gatelab slow slow.yaml --no-watch
gateway=$pid
{
  read -r -n 512 -u "$slow" _
  : >reading
  while read -r -n 512 -u "$slow" _; do :; done
} &
started+=("$!")
"$GATELAB_PEERS/bin/wrk" -t1 -c8 -d90s "$url/" >wrk.txt &
load=$!
started+=("$load")
is_reading() { [[ -e reading ]]; }
until_true 10 is_reading || fail "nothing is logged"
rm slow.log
kill -HUP "$gateway"
is_rotated() { [[ -s slow.log ]]; }
until_true 40 is_rotated || fail "no line in the new log: $(<slow.err)"
kill -0 "$load" 2>/dev/null || fail "the load ended before the log was rotated"
grep -q 'stays where it was' slow.err && fail "a slow target is taken for a stuck one: $(<slow.err)"
kill -TERM "$load" "$gateway"
ended "$gateway" 10 || fail "it does not end"

# Nobody takes anything: what is recorded is kept nevertheless.
mkfifo stuck.log
exec {stuck}<>stuck.log
write_log_gateway stuck.yaml "$work/stuck.log"
start stuck "$GATELAB" record --gateway stuck.yaml --out stuck.gtl
gateway=$pid
until_true 30 is_ready stuck "$gateway" || fail "no ready line"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' stuck.out)
curl -s -o /dev/null "$url/[1-1000]"
kill -TERM "$gateway"
code=0
wait "$gateway" || code=$?
expect_equal "exit code with a stuck log" "$code" 0
grep -q '1000 exchanges in `stuck.gtl`' stuck.err || fail "the recording is not whole: $(<stuck.err)"
grep -qE 'the access log lacks [0-9]+ lines' stuck.err || fail "lost lines are not told: $(<stuck.err)"

# The same where writing blocks: nobody reads our stdout.
mkfifo stdout.pipe
exec {out}<>stdout.pipe
write_log_gateway stdout.yaml stdout
"$GATELAB" run stdout.yaml >stdout.pipe 2>stdout.err </dev/null &
gateway=$!
started+=("$gateway")
read -r -t 30 -u "$out" ready || fail "no ready line"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' <<<"$ready")
curl -s -o /dev/null "$url/[1-1000]"
kill -TERM "$gateway"
code=0
wait "$gateway" || code=$?
expect_equal "exit code with a stuck stdout" "$code" 0
grep -qE 'the access log lacks [0-9]+ lines' stdout.err || fail "lost lines are not told: $(<stdout.err)"
