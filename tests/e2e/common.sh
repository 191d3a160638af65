# SPDX-License-Identifier: Apache-2.0
# What the e2e scripts share above tests/support/shell.sh: one keyed and limited gateway in front of nginx.
source "${GATELAB_ROOT:?ctest sets it}/tests/support/shell.sh"
sanitized=$([[ ${GATELAB_SANITIZED:-0} == 1 ]] && echo 1 || echo 0)
key=e2e-key-of-mobile
second_key=e2e-key-of-web

# expect_equal WHAT ACTUAL EXPECTED
expect_equal() { [[ $2 == "$3" ]] || fail "$1: got \`$2\`, expected \`$3\`"; }

# exits CODE COMMAND…: leaves out.txt and err.txt
exits() {
  local want=$1 code=0
  shift
  "$@" >out.txt 2>err.txt </dev/null || code=$?
  [[ $code == "$want" ]] || fail "exit code of $*: got $code, expected $want: $(cat out.txt err.txt)"
}

# status URL [CURL FLAG…]
status() { curl -s -o /dev/null -w '%{http_code}' --max-time 20 "$@"; }

# write_gateway FILE RATE [LINE_UNDER_POLICIES]: a gateway in front of $origin_port with a JSON access log in access.log.
write_gateway() {
  cat >"$1" <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
admin: { address: 127.0.0.1:0, token: e2e-admin-token }
log: { access: $work/access.log, format: json }
consumers:
  - { name: mobile, keys: [ { value: $key } ] }
  - { name: web, keys: [ { value: $second_key } ] }
upstreams: { origin: { url: http://127.0.0.1:$origin_port } }
routes:
  - name: keyed
    match: { path: /items/* }
    policies:
      - api-key: { header: X-Api-Key }
      - rate-limit: { rate: $2, algorithm: fixed-window, key: consumer }
${3:-}
    upstream: origin
  - name: open
    match: { path: /open/* }
    upstream: origin
CONFIG
}
lines() { wc -l <"$1"; }
