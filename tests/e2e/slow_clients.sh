# SPDX-License-Identifier: Apache-2.0
# Thousands of clients that send an octet now and then do not keep others from being served, cost little memory, and are shown
# the door with 408.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
count=5000
((sanitized)) && count=800
(($(ulimit -Hn) > count + 200)) || skip "only $(ulimit -Hn) open files are allowed"
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0, header_timeout: 8s, max_connections: 10000 } ]
admin: { address: 127.0.0.1:0 }
routes: [ { name: all, policies: [ { respond: { status: 200, text: ok } } ] } ]
CONFIG
start_gatelab gateway gateway.yaml --workers 2 --no-watch
gateway=$pid
mkfifo hold
"$E2E_SOCKETS" slow "${url##*:}" "$count" <hold >slow.out 2>slow.err &
slow=$!
started+=("$slow")
exec 9>hold
all_open() { grep -q "open $count" slow.out; }
until_true 60 all_open || fail "the slow clients are not there: $(<slow.out) $(<slow.err)"
for i in {1..40}; do
  expect_equal "request $i beside $count slow clients" "$(curl -s -o /dev/null -w '%{http_code}' --max-time 2 "$url/")" 200
done
open_now() { curl -s --max-time 10 "$admin/metrics" | sed -n 's/^gatelab_listener_connections{listener="plain"} //p'; }
(($(open_now) >= count)) || echo "some are gone already: $(open_now)"
memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$gateway/status")
((sanitized || memory < 350 * 1024)) || fail "$memory KiB of memory for $count slow clients"
all_gone() { (($(open_now) == 0)); }
until_true 60 all_gone || fail "$(open_now) slow clients are still connected"
exec 9>&-
ended "$slow" 20 || fail "the slow clients do not end"
expect_equal "clients that were told 408" "$(sed -n 's/^answered //p' slow.out)" "$count"
expect_equal "afterwards" "$(status "$url/")" 200
