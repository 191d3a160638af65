# SPDX-License-Identifier: Apache-2.0
# SIGUSR1 opens the access log again, under load: no line is lost, none stands in both files, and the configuration is not read
# again. A log that can't be opened leaves the old one in its place.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0, token: e2e-admin-token }
log: { access: $work/logs/access.log, format: '\${method} \${target} \${status} \${time_unix}' }
routes: [ { name: all, policies: [ { respond: { status: 200, text: fine } } ] } ]
CONFIG
mkdir logs
start_gatelab gateway gateway.yaml --no-watch
gateway=$pid
admin=$(sed -n 's/.*"admin":"\([^"]*\)".*/\1/p' gateway.out)
for round in 1 2 3; do
  for ((i = 0; i < 4; ++i)); do curl -s -o /dev/null "$url/$round-$i-[1-500]" & loads[i]=$!; done
  mv logs/access.log "logs/old.$round"
  kill -USR1 "$gateway"
  wait "${loads[@]}"
  is_open() { [[ -e logs/access.log ]]; }
  until_true 10 is_open || fail "the log is not opened again: $(<gateway.err)"
done
all_there() { [[ $(cat logs/* | wc -l) == 6000 ]]; }
until_true 10 all_there || fail "$(cat logs/* | wc -l) lines of 6000 in $(wc -l logs/*)"
expect_equal "lines of different requests" "$(cut -d' ' -f2 logs/* | sort -u | wc -l)" 6000
if grep -qvE '^GET /[1-3]-[0-3]-[0-9]+ 200 [0-9]+\.[0-9]{3}$' logs/*; then fail "a line that is none: $(grep -vhE '^GET /[1-3]-[0-3]-[0-9]+ 200 [0-9]+\.[0-9]{3}$' logs/* | head -1)"; fi
grep -q '^gatelab_config_generation 1$' <(curl -s "$admin/metrics") || fail "the configuration was read again"

# Its directory is gone: lines go on to where they went.
mv logs gone
kill -USR1 "$gateway"
is_told() { grep -q "can't open the access log" gateway.err; }
until_true 10 is_told || fail "nobody is told: $(<gateway.err)"
expect_equal "status" "$(status "$url/after")" 200
is_logged() { grep -q '^GET /after 200' gone/access.log; }
until_true 10 is_logged || fail "a log that can't be opened again loses lines"
# Moved by a reload: from then on it is the new one that is opened again.
mkdir moved
sed -i "s|/logs/access.log|/moved/access.log|" gateway.yaml
kill -HUP "$gateway"
for ((i = 0; i < 50; ++i)); do kill -USR1 "$gateway"; done
has_moved() { [[ -e moved/access.log ]]; }
until_true 10 has_moved || fail "the log did not move: $(<gateway.err)"
kill -USR1 "$gateway"
expect_equal "status" "$(status "$url/moved")" 200
is_in_the_new_one() { grep -q '^GET /moved 200' moved/access.log; }
until_true 10 is_in_the_new_one || fail "lines went to the old log"
metrics=$(curl -s "$admin/metrics")
grep -q '^gatelab_log_lines_dropped_total{reason="target"} 0$' <<<"$metrics" || fail "lines were dropped"
kill -TERM "$gateway"
ended "$gateway" 10 || fail "it does not end"
