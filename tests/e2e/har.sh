# SPDX-License-Identifier: Apache-2.0
# A page in Chromium talks to gatelab; the HAR of it is imported without its secrets and replayed: nothing differs, until the
# configuration does.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer chromium
command -v python3 >/dev/null || skip "python3 is not there"
cat >gateway.yaml <<'CONFIG'
gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:0 } ]
log: { access: access.log, format: json }
consumers: [ { name: page, keys: [ { value: planted-key-of-the-page } ] } ]
upstreams:
  shop:
    mock:
      - when: GET /page.html
        reply:
          headers: { Content-Type: text/html; charset=utf-8, Set-Cookie: sid=planted-session; Path=/ }
          body: "<!doctype html><meta charset=utf-8><title>shop</title><script src=page.js defer></script>"
      - when: GET /page.js
        reply:
          headers: { Content-Type: text/javascript }
          body: |
            const key = { 'X-Api-Key': 'planted-key-of-the-page' };
            const json = { ...key, 'Content-Type': 'application/json' };
            (async () => {
              await (await fetch('/api/items?page=1', { headers: key })).json();
              await (await fetch('/api/orders', { method: 'POST', headers: json, body: JSON.stringify({ item: 'lamp', password: 'planted-password' }) })).json();
              await (await fetch('/api/items?page=2')).text();
              await (await fetch('/moved')).text();
              await fetch('/done', { method: 'POST' });
            })();
      - { when: GET /api/items, reply: { json: { items: [ lamp, grüße ], access_token: planted-token-in-the-answer } } }
      - { when: POST /api/orders, reply: { status: 201, json: { id: 7 } } }
      - { when: GET /moved, reply: { status: 302, headers: { Location: /landed }, body: moved } }   # browsers keep no body of a redirect
      - { when: GET /landed, reply: { headers: { Content-Type: text/plain }, body: here } }
      - { when: POST /done, reply: { status: 204 } }
      - { when: GET /favicon.ico, reply: { status: 404 } }
routes:
  - { name: api, match: { path: /api/* }, policies: [ { api-key: { header: X-Api-Key } } ], upstream: shop }
  - { name: rest, policies: [ anonymous: {} ], upstream: shop }
CONFIG
start_gatelab gateway gateway.yaml --no-watch
export HOME=$work/home
mkdir home
"$GATELAB_ROOT/tests/support/chromium_har" "$GATELAB_PEERS/bin/chromium" "$work/profile" "$url/page.html" /done shop.har 2>browser.err ||
  { grep -q '"path\|page.html' access.log && fail "no HAR: $(tail -n 5 browser.err)" || skip "chromium does not run on this machine: $(tail -n 3 browser.err)"; }
chmod 600 shop.har
for seen in planted-key-of-the-page planted-session planted-password planted-token-in-the-answer /page.js '/api/items?page=1' '/api/orders' /landed; do
  grep -qF -- "$seen" shop.har || fail "the browser's HAR does not have $seen"
done

exits 0 "$GATELAB" record import shop.har --out shop.gtl
count=$(grep -c '^{"exchange"' shop.gtl)
((count >= 8)) || fail "the page, its script, four calls, a redirect and its end are 8 exchanges, not $count: $(<err.txt)"
sed -n 's/.*"base64":"\([^"]*\)".*/\1/p' shop.gtl | while read -r body; do base64 -d <<<"$body"; echo; done >bodies.bin
grep -a -q '"item":"lamp"' bodies.bin || fail "what was sent is missing"
grep -a -q 'grüße' bodies.bin || fail "what was answered is missing"
# The script's own text has its key in the middle of a program: the place does not make it a secret there.
grep -a -v "const key" bodies.bin >data.bin
for secret in planted-key-of-the-page planted-session planted-password planted-token-in-the-answer; do
  ! grep -a -n -- "$secret" shop.gtl data.bin || fail "a secret was written: $secret"
done

mark=$(grep -io '\["X-Api-Key","<redacted:[0-9a-f]*' shop.gtl | head -n 1 | sed 's/.*redacted://')
[[ -n $mark ]] || fail "the key has no mark"
export SHOP_KEY=planted-key-of-the-page
replay() { "$GATELAB" replay "$1" --gateway "$2" --secret "$mark=SHOP_KEY" --ignore-header X-Request-Id --ignore-header Date "${@:3}"; }
exits 0 replay shop.gtl gateway.yaml
grep -q "^$count exchanges compared, 0 different" out.txt || fail "not all were compared: $(cat out.txt err.txt)"
exits 0 replay shop.gtl gateway.yaml --real --pace fast
grep -q "^$count exchanges compared, 0 different" out.txt || fail "not all were compared on sockets: $(cat out.txt err.txt)"

sed 's/status: 201, json: { id: 7 }/status: 201, json: { id: 8 }/' gateway.yaml >other.yaml
exits 1 replay shop.gtl other.yaml
grep -q "^$count exchanges compared, 1 different" out.txt || fail "another answer is not found: $(cat out.txt err.txt)"
grep -q 'POST /api/orders' out.txt || fail "the wrong one differs: $(<out.txt)"
