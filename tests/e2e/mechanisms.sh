# SPDX-License-Identifier: Apache-2.0
# Each case about failing targets fails when the mechanism that it is about is taken out of the configuration: none of them
# passes by accident. Fields: directory, upstream, sed command within that upstream's part, file, case.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"

proofs() {
  cat <<'TABLE'
upstreams|weighted|s/, weight: 3//|balancing|weights share*
upstreams|weighted|s/, weight: 0//|balancing|weights share*
upstreams|least|/^    balance:/d|balancing|the least busy*
upstreams|two|/^    balance:/d|balancing|of two at random*
upstreams|ring|/^    balance:/d|balancing|on a ring*
upstreams|ring|/^    retry:/d|balancing|on a ring*
upstreams|consumers|/^    balance:/d|balancing|each consumer*
upstreams|sticky|/^    sticky:/d|balancing|a cookie*
upstreams|retried|/^    retry:/d|retries|a connection that breaks*
upstreams|retried|/^    retry:/d|retries|a listed status*
upstreams|retried|s/ timeout, 503/ timeout, 5xx/|retries|a status that is not listed*
upstreams|retried|s/per_try_timeout: 2s, //|retries|a target that does not answer*
upstreams|retried|s/retry: {/retry: { methods: [ POST ],/|retries|what may have been*
upstreams|retried|/^    retry:/d|retries|a body is kept*
upstreams|retried|s/buffer: 1KiB/buffer: 1MiB/|retries|a body beyond*
upstreams|budget|s/retry: {/retry: { max_retry_after: 2m,/|retries|a target that asks*
upstreams|budget|s/min: 4/min: 400/|retries|a budget keeps*
upstreams|posts|s/, methods: \[ GET, PUT \]//|retries|methods that are listed*
upstreams|broken|/^    breaker:/d|failover|failures in a row*
upstreams|broken|s/max_open: 1m/max_open: 30s/|failover|a probe that fails*
upstreams|broken|s/failures: 3/failures: 2/|failover|failures that are not*
upstreams|alone|/^    breaker:/d|failover|with nobody else*
upstreams|one-by-one|/^    breaker:/d|failover|the client is told*
upstreams|checked|/^    health:/d|failover|a target that fails its checks*
upstreams|worded|s/, body: [^}]*}/ }/|failover|a check may want*
upstreams|ejecting|/^    ejection:/d|failover|bad answers in a row*
upstreams|shares|/^    ejection:/d|failover|a share of bad*
upstreams|lagging|/^    ejection:/d|failover|a target that takes*
upstreams|limited|/^    limits:/d|failover|requests beyond*
upstreams|waking|s/, panic: 40%//|failover|fewer targets*
upstreams|waking|s/slow_start: 100s, //|failover|a target that is back*
upstreams|hedged|/^    hedge:/d|hedging|who is slow*
upstreams|hedged|s/20ms, budget/40ms, budget/|hedging|who was only*
upstreams|hedged|s/20ms, budget/10ms, budget/|hedging|who answers*
upstreams|hedged|s/min: 5/min: 50/|hedging|a budget keeps*
upstreams|hedged-late|/^    hedge:/d|hedging|what is late*
upstreams|timed|s/, header: X-Timeout-Ms//|deadlines|a client that has less*
upstreams|timed|s/, header: X-Timeout-Ms//|deadlines|another try is told*
upstreams|timed|s/, header: X-Timeout-Ms//|deadlines|who has no time*
examples|orders|/^    retry:/d|failover|the primary dies*
examples|orders|/^    breaker:/d|failover|the primary dies*
TABLE
}

# What an edit does, in words: `retry` is removed; `failures: 3` becomes `failures: 2`.
told() {
  local edit=$1 from to
  if [[ $edit =~ ^/\^\ *([a-z_]+):/d$ ]]; then
    printf '`%s` is removed' "${BASH_REMATCH[1]}"
    return
  fi
  from=$(cut -d/ -f2 <<< "$edit" | sed 's/\\\([][]\)/\1/g; s/\[^}\]\*/…/; s/^[, ]*//; s/, budget$//; s/[, }]*$//')
  to=$(cut -d/ -f3 <<< "$edit" | sed 's/^[, ]*//; s/, budget$//; s/[, }]*$//')
  if [ -n "$to" ]; then printf '`%s` becomes `%s`' "$from" "$to"; else printf '`%s` is removed' "$from"; fi
}

# The whole name of the one case that the pattern finds.
case_of() {
  local file=$1 pattern=$2 name found=
  while IFS= read -r name; do
    # shellcheck disable=SC2254
    case $name in $pattern) found+=${found:+, }$name ;; esac
  done < <(sed -n 's/^  - name: //p' "$file")
  [ -n "$found" ] || fail "$file has no case $pattern"
  printf '%s' "$found"
}

# docs/failover-proofs.md says the same.
page() {
  echo '| upstream | without its mechanism | case that then fails | in |'
  echo '|---|---|---|---|'
  while IFS='|' read -r directory upstream edit file case; do
    printf '| `%s` | %s | %s | `%s/%s.yaml` |\n' "$upstream" "$(told "$edit")" "$(case_of "$GATELAB_ROOT/scenarios/$directory/$file.yaml" "$case")" "$directory" "$file"
  done < <(proofs)
}
page > "$work/page"
grep '^|' "$GATELAB_ROOT/docs/failover-proofs.md" > "$work/told" || true
diff -u "$work/told" "$work/page" >&2 || fail "docs/failover-proofs.md is not what is proved here: the lines with + belong there"

while IFS='|' read -r directory upstream edit file case; do
  rm -rf "$work/without"
  cp -r "$GATELAB_ROOT/scenarios/$directory" "$work/without"
  gateway=$work/without/gateway.yaml
  [ "$directory" = examples ] && gateway=$work/without/failover.gateway.yaml
  sed -i "/^  $upstream:/,/^  [a-z]*:/{$edit}" "$gateway"
  cmp -s "$gateway" "$GATELAB_ROOT/scenarios/$directory/$(basename "$gateway")" && fail "nothing was taken out of $upstream by $edit"
  "$GATELAB" check "$gateway" > /dev/null 2> "$work/check" || fail "$upstream without its mechanism is no configuration: $(cat "$work/check")"
  code=0
  "$GATELAB" test "$work/without/$file.yaml" -k "$case" > "$work/out" 2>&1 || code=$?
  [ "$code" = 1 ] || fail "$directory/$file.yaml, $case: exit $code with $edit on $upstream: $(tail -3 "$work/out")"
done < <(proofs)
