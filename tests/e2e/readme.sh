# SPDX-License-Identifier: Apache-2.0
# The README keeps its word: every command in a ```console block runs, and prints what stands below it. `…` in a line
# stands for anything in that line, a line of `…` alone for any lines. `./dev demo` runs without its build; `./dev test`
# is what runs this, so that only its last lines' form is looked at.
source "${GATELAB_ROOT:?ctest sets it}/tests/support/shell.sh"
ran=0

# What differs from run to run, on both sides: ids, dates, times, durations, what is left of a window.
settle() {
  sed -E -e 's/[0-9a-f]{32}/ID/g' -e 's/[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT/DATE/' \
    -e 's/[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+/TIME/' -e 's/[0-9]+(\.[0-9]+)? ?(ns|us|ms|s)\b/DURATION/g' \
    -e 's/;t=[0-9]+/;t=N/' -e 's/^Retry-After: [0-9]+$/Retry-After: N/' "$1"
}

# matches ACTUAL EXPECTED (files)
matches() {
  local -a actual expected
  settle "$1" >actual.settled
  settle "$2" >expected.settled
  mapfile -t actual <actual.settled
  mapfile -t expected <expected.settled
  match_from 0 0
}
match_from() {
  local a=$1 e=$2 pattern
  while ((e < ${#expected[@]})); do
    if [[ ${expected[e]} == '…' ]]; then
      ((e + 1 == ${#expected[@]})) && return 0
      for (( ; a <= ${#actual[@]}; ++a)); do match_from "$a" $((e + 1)) && return 0; done
      return 1
    fi
    ((a < ${#actual[@]})) || { wrong="nothing, where \`${expected[e]}\` is expected"; return 1; }
    # Everything but `…` is taken literally.
    pattern=$(sed -e 's/[][\\*?]/\\&/g' -e 's/…/*/g' <<<"${expected[e]}")
    # shellcheck disable=SC2053
    [[ ${actual[a]} == $pattern ]] || { wrong="\`${actual[a]}\`, where \`${expected[e]}\` is expected"; return 1; }
    ((++a, ++e))
  done
  ((a == ${#actual[@]})) || { wrong="\`${actual[a]}\` beyond what is expected"; return 1; }
}

check_command() {
  local command=$1 code=0
  case $command in
    './dev test') [[ $(tail -n 1 expected.txt) == 'Total Test time'* || ! -s expected.txt ]] || fail "README: ./dev test ends otherwise"; return ;;
    './dev demo') command='scenarios/tour/demo "$GATELAB"' ;;
    build/gatelab*) command="\"\$GATELAB\"${command#build/gatelab}" ;;
  esac
  (cd "$GATELAB_ROOT" && NO_COLOR=1 eval "$command") >actual.txt 2>&1 </dev/null || code=$?
  wrong=
  matches actual.txt expected.txt || { cat actual.txt >&2; fail "README: \`$1\` prints $wrong (exit code $code)"; }
  ((++ran))
}

inside=0 command=
while IFS= read -r line || [[ -n $line ]]; do
  if ((!inside)); then
    [[ $line == '```console' ]] && { inside=1; command=; }
    continue
  fi
  # The demo prints prompts of its own: its block is one command.
  if [[ $line == '```' || ($line == '$ '* && $command != './dev demo') ]]; then
    [[ -n $command ]] && check_command "$command"
    [[ $line == '```' ]] && { inside=0; continue; }
    command=${line#\$ }
    : >expected.txt
  else
    printf '%s\n' "$line" >>expected.txt
  fi
done <"$GATELAB_ROOT/README.md"
((ran >= 2)) || fail "README: only $ran commands were run"
echo "$ran commands of the README print what it says"
