#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes checkout.gtl anew: a shop of mocks, ../replay.gateway.yaml in front of it with local keys, recorded.
# Usage: record.sh path/to/gatelab
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
gatelab=$(realpath "${1:?which gatelab?}")
work=$(mktemp -d)
export XDG_DATA_HOME=$work/data
cd "$work"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

cat >shop.yaml <<'SHOP'
gatelab: 1
listeners: [ { name: shop, address: 127.0.0.1:0 } ]
log: { access: "off" }
upstreams:
  shop:
    mock:
      - { when: GET /api/items, reply: { headers: { Server: shop/7 }, json: { items: [ { sku: A1, price: 1250 }, { sku: B2, price: 399 } ], updated_at: "2026-01-01T09:00:00Z" } } }
      - { when: GET /api/cart/1, reply: { headers: { Server: shop/7 }, json: { cart: { id: c-7f3a, total: 1649, lines: 2 }, updated_at: "2026-01-01T09:00:05Z" } } }
      - { when: GET /api/cart/2, reply: { status: 404, headers: { Server: shop/7 }, json: { error: no such cart } } }
      - { when: { request: POST /api/cart/1/lines }, reply: { status: 201, headers: { Server: shop/7, Location: /api/cart/1 }, json: { cart: { id: c-7f3a, total: 1649, lines: 3 }, updated_at: "2026-01-01T09:00:06Z" } } }
      - { when: { request: POST /api/cart/1/checkout }, reply: { status: 200, headers: { Server: shop/7, Set-Cookie: "order=o-118; HttpOnly" }, json: { order: 118, cart: { id: c-7f3a, total: 1649, lines: 3 } } } }
      - { when: GET /pages/home, reply: { headers: { Server: shop/7, Content-Type: text/html }, body: "<h1>shop</h1>" } }
routes: [ { name: shop, upstream: shop } ]
SHOP
serve() {
  "$gatelab" "$@" >"$1.out" 2>"$1.err" &
  pids+=($!)
  until grep -q '"ready":true' "$1.out"; do kill -0 "${pids[-1]}" || { cat "$1.err"; exit 1; }; sleep 0.1; done
  url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' "$1.out")
}
serve run shop.yaml --no-watch
sed -e "s#http://127.0.0.1:900[12]#$url#" -e 's#{ jwks_url: [^ ]* }#local#' -e 's#127.0.0.1:8080#127.0.0.1:0#' "$here/../replay.gateway.yaml" >gateway.yaml
serve record --gateway gateway.yaml --out "$here/checkout.gtl" --force --no-watch
token() { "$gatelab" mint jwt --issuer main "$@"; }
alice=$(token --sub alice) bob=$(token --sub bob) late=$(token --sub alice --ttl=-1m)
ask() { curl -s -o /dev/null -H 'User-Agent: shop-app/3' "$@"; }
for round in 1 2 3 4 5 6 7 8; do
  ask "$url/api/items?page=$round"
  ask "$url/api/cart/1" -H "Authorization: Bearer $alice"
  ask "$url/api/cart/1/lines" -H "Authorization: Bearer $alice" --json "{\"sku\":\"A1\",\"count\":$round}"
  ask "$url/api/cart/1/checkout" -H "Authorization: Bearer $alice" --json '{"card_token":"tok_visa_4242"}'
  ask "$url/api/cart/2" -H "Authorization: Bearer $bob"
  ask "$url/pages/home"
done
ask "$url/api/cart/1"
ask "$url/api/cart/1" -H "Authorization: Bearer $late"
ask "$url/api/nothing"
kill -TERM "${pids[1]}"
wait "${pids[1]}" || true
cat record.err
