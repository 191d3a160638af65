# SPDX-License-Identifier: Apache-2.0
# bench/compare/run at its quickest: every row and proxy that was asked for has figures, and the chart can be drawn of them.
# Nothing here judges a figure: that is for a quiet machine.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
for name in nginx haproxy wrk; do peer "$name"; done
build=$(dirname "$GATELAB")
for program in relay shaker sink; do [[ -x $build/bench/$program ]] || skip "bench/$program is not built"; done
run=$GATELAB_ROOT/bench/compare/run

"$run" "$build" --quick --rows plain,handshake-resumed,upload-1g,idle-tls --json figures.json >table.txt 2>bench.err || fail "the bench: $(tail -n 5 bench.err)"
for row in plain handshake-resumed upload-1g idle-tls; do
  for proxy in relay gatelab nginx haproxy; do
    # Memory has no floor.
    if [[ $row == idle-tls ]]; then
      [[ $proxy == relay ]] && continue
      pattern="\"row\": \"$row\", \"round\": 1, \"proxy\": \"$proxy\", \"bytes\": [1-9][0-9]*, \"connections\": [1-9]"
    else
      pattern="\"row\": \"$row\", \"round\": 1, \"proxy\": \"$proxy\", \"cpu_ns\": [1-9][0-9]*, \"units\": [1-9][0-9]*, \"clock_ns\": [1-9]"
    fi
    expect_equal "samples of $row by $proxy" "$(grep -cE "$pattern" figures.json)" 1
    expect_equal "results of $row for $proxy" "$(grep -cE "\"row\": \"$row\", \"text\": .*\"proxy\": \"$proxy\", .*\"median\": [0-9.]+, \"min\": [0-9.]+, \"max\": [0-9.]+" figures.json)" 1
  done
  grep -q "^$row " table.txt || fail "the table has no $row: $(<table.txt)"
done
expect_equal "rows that nobody asked for" "$(grep -c '"row": "churn"' figures.json)" 0

"$GATELAB_ROOT/bench/chart" figures.json.tsv >chart.svg
expect_equal "bars in the chart" "$(grep -cE '<rect .* class="(gatelab|nginx|haproxy)"' chart.svg)" 12
expect_equal "the chart's last line" "$(tail -n 1 chart.svg)" '</svg>'

# What is wrong is told before anything runs.
refused() {  # WORDS ARGUMENT…
  local status=0
  "$run" "${@:2}" >refused.txt 2>&1 || status=$?
  expect_equal "exit status of ${*:2}" "$status" 2
  grep -qF -- "$1" refused.txt || fail "${*:2}: \`$(<refused.txt)\` does not say \`$1\`"
}
refused 'there is no row `plane`' "$build" --rows plane
refused '--rounds: `0`' "$build" --rounds 0
refused '--seconds needs a value' "$build" --seconds
refused 'there is no option `--fast`' "$build" --fast
refused 'build first' "$work"
refused '--docs needs every row' "$build" --docs --rows plain
refused '--docs needs figures that count' "$build" --docs --quick
