#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Traffic to a real nginx, recorded through gatelab and replayed: nothing differs, in virtual time and on sockets; another
# configuration is found out; no planted secret is in any file that was written, the recording and the HAR.
source "$(dirname "${BASH_SOURCE[0]}")/../support/shell.sh"

start_nginx origin 'default_type application/json;
    location /items { add_header ETag "\"v1\""; add_header Set-Cookie "sid=planted-cookie-1; Path=/; HttpOnly"; return 200 "{\"id\":1,\"request\":\"$request_id\",\"tags\":[\"a\",\"b\"]}"; }
    location /login { return 200 "{\"access_token\":\"planted-answer-token\",\"password\":\"planted-answer-password\",\"user\":{\"apiKey\":\"planted-answer-key\"},\"name\":\"lamp\"}"; }
    location /moved { return 302 "/items?access_token=planted-location-token"; }
    location /gone { return 404 "{}"; }
    location /slow { return 204; }
    location = /dot.gif { default_type image/gif; }'
head -c 300000 /dev/zero | tr '\0' 'x' >origin/html/large.txt
printf 'GIF89a\1\0\1\0\0\377\0,' >origin/html/dot.gif
chmod 644 origin/html/*

cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:0 } ]
log: { access: "off" }
consumers: [ { name: mobile, keys: [ { value: planted-key-of-mobile } ] } ]
upstreams: { shop: { url: http://127.0.0.1:$origin_port } }
routes:
  - { name: keyed, match: { path: /items/keyed }, policies: [ { api-key: { header: X-Api-Key } } ], upstream: shop }
  - { name: rest, upstream: shop }
CONFIG

start recorder "$GATELAB" record --gateway gateway.yaml --out traffic.gtl --har traffic.har --no-watch
until_true 30 is_ready recorder "$pid" || fail "no ready line"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' recorder.out)
[[ -n $url ]] || fail "record does not serve: $(<recorder.err)"
recorder=$pid
sent=0
ask() {
  curl -s --max-time 20 "$@" >/dev/null || fail "curl $*"
  sent=$((sent + 1))
}
part() { printf '%s' "$1" | base64 -w0 | tr '+/' '-_' | tr -d =; }
token=$(part '{"alg":"RS256","kid":"k1"}').$(part '{"sub":"alice","email":"planted-claim"}').$(part planted-signature-of-a-token)

# One connection for several, and one each.
ask "$url/items?page=1" "$url/items?page=2" "$url/gone" && sent=$((sent + 2))
ask -I "$url/items"
ask "$url/large.txt"
ask "$url/dot.gif"
ask "$url/moved"
ask "$url/slow" -H 'Accept-Encoding: gzip'
ask "$url/items/keyed" -H 'X-Api-Key: planted-key-of-mobile'
ask "$url/items/keyed" -H 'X-Api-Key: planted-wrong-key'
ask "$url/items" --http1.0
ask "$url/items" -H 'Transfer-Encoding: chunked' -d '{"sku":"A1"}'
# Thirty kinds of secrets: each value says "planted", or is one that is known by its looks.
ask "$url/items" -u planted-user:planted-password
ask "$url/items" -H 'Authorization: Bearer planted-bearer-token'
ask "$url/items" -H "Authorization: Bearer $token"
ask "$url/items" -H 'Authorization: Digest username="a", response="planted-digest-response"'
ask "$url/items" -H 'Proxy-Authorization: Basic planted-proxy'
ask "$url/items" -b 'theme=dark; sid=planted-cookie-2'
for name in X-Auth-Token X-CSRF-Token X-Vault-Token X-Hub-Signature X-Forwarded-Client-Cert X-Amz-Security-Token X-Session-Id; do ask "$url/items" -H "$name: planted-in-$name"; done
ask "$url/items" -H 'X-Thing: q7Zt3LpX9vKc2RmN8sWd'
for name in api_key password sig code access_token client_secret; do ask "$url/items?$name=planted-query-$name"; done
ask "$url/hooks/q7Zt3LpX9vKc2RmN8sWd/run"
ask "$url/items" -e "https://shop.test/?access_token=planted-referer"
ask "$url/items" -d 'user=a&password=planted-form-password&pin=planted-pin'
ask "$url/items" -H 'Content-Type: application/json' -d '{"a":{"client_secret":"planted-json-secret"},"card":[{"token":"planted-json-token"}]}'
ask "$url/items" -F 'password=planted-multipart' -F 'note=hello'
ask "$url/items" -H 'Content-Type: application/xml' -d '<a><password>planted-xml</password></a>'
ask "$url/items" -H 'Content-Type: text/plain' -d 'AKIAIOSFODNN7EXAMPLE and ghp_16C7e42F292c6912E7710c838347Ae178B4a and postgres://u:planted-url-password@db/'
ask "$url/items" -H 'Content-Type: text/plain' -d "-----BEGIN PRIVATE KEY-----
plantedprivatekeyplantedprivatekey
-----END PRIVATE KEY-----"
ask "$url/login"
kill -TERM "$recorder"
ended "$recorder" 20 || fail "record does not end"
grep -q "$sent exchanges in" recorder.err || fail "sent $sent, but: $(<recorder.err)"
[[ $(grep -c '^{"exchange"' traffic.gtl) == "$sent" ]] || fail "not every exchange is in the file"
[[ $(stat -c %a traffic.gtl traffic.har | sort -u) == 600 ]] || fail "others may read what was recorded"

# No secret in anything that was written.
sed -n 's/.*"base64":"\([^"]*\)".*/\1/p' traffic.gtl | while read -r body; do base64 -d <<<"$body"; echo; done >bodies.bin
grep -o 'eyJ[A-Za-z0-9_-]*' traffic.gtl traffic.har | sed 's/.*://' | sort -u | while read -r word; do tr '_-' '/+' <<<"$word===" | base64 -d 2>/dev/null; echo; done >tokens.txt || true
for secret in planted q7Zt3LpX9vKc2RmN8sWd AKIAIOSFODNN7EXAMPLE ghp_16C7 "$(printf planted-user:planted-password | base64 -w0)" "$(part planted-signature-of-a-token)"; do
  ! grep -a -n -- "$secret" traffic.gtl traffic.har bodies.bin tokens.txt || fail "a secret was written: $secret"
done
grep -a -q '"name":"lamp"' bodies.bin || fail "what is no secret is missing"

mark=$(grep -o '\["X-Api-Key","<redacted:[0-9a-f]*' traffic.gtl | head -n 1 | sed 's/.*redacted://')
export SHOP_KEY=planted-key-of-mobile
replay() { "$GATELAB" replay traffic.gtl --gateway gateway.yaml --secret "$mark=SHOP_KEY" --ignore-header X-Request-Id --ignore-header Date --ignore-json '$.request_id' "$@"; }
replay >sim.out 2>&1 || fail "replayed in virtual time: $(<sim.out)"
grep -q "$sent exchanges compared, 0 different" sim.out || fail "not all were compared: $(<sim.out)"
replay --real --pace fast >real.out 2>&1 || fail "replayed on sockets: $(<real.out)"
grep -q "$sent exchanges compared, 0 different" real.out || fail "not all were compared: $(<real.out)"

# A route that is closed is found, and one exchange is enough to see it.
sed 's/name: rest,/name: rest, match: { methods: [GET, HEAD] },/' gateway.yaml >closed.yaml
status=0
"$GATELAB" replay traffic.gtl --gateway closed.yaml --secret "$mark=SHOP_KEY" --ignore-header X-Request-Id --ignore-header Date --ignore-json '$.request_id' --shrink >smallest.yaml 2>shrink.err || status=$?
[[ $status == 1 ]] || fail "a closed route is not found: exit $status $(<shrink.err)"
grep -q 'enough for `status 200 → 405`: 1 of' shrink.err || fail "what differs: $(<shrink.err)"
[[ $(grep -c 'exchanges: \[ "[^"]*" \]' smallest.yaml) == 1 ]] || fail "not shrunk: $(<smallest.yaml)"
status=0
"$GATELAB" test smallest.yaml >smallest.out 2>&1 || status=$?
[[ $status == 1 ]] || fail "the smallest scenario does not fail: $(<smallest.out)"
grep -q 'status 200 → 405' smallest.out || fail "it fails otherwise: $(<smallest.out)"

# The HAR knows one side, and no mock stands for the other: the tenth, with a wrong key, needs none.
"$GATELAB" replay traffic.har --gateway gateway.yaml --exchange import-10 --ignore-header X-Request-Id --ignore-header Date --ignore-json '$.request_id' >har.out 2>&1 || fail "the HAR: $(<har.out)"
grep -q '1 exchange compared, 0 different' har.out || fail "the HAR: $(<har.out)"

# In front of anything, in files of a bounded size.
start to "$GATELAB" record --to "http://127.0.0.1:$origin_port" --listen 127.0.0.1:0 --out small.gtl --max-file 8KiB --keep 3
until_true 30 is_ready to "$pid" || fail "no ready line of --to"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' to.out)
for n in $(seq 40); do curl -s -o /dev/null --max-time 20 "$url/items?n=$n" || fail "through --to"; done
kill -TERM "$pid"
ended "$pid" 20 || fail "record --to does not end"
lines=$(cat small.gtl small.gtl.1 small.gtl.2 | grep -c '^{"exchange":' || true)
grep -q "$lines exchanges in \`small.gtl\` and the files" to.err || fail "$lines are there, but: $(<to.err)"
grep -q "$((40 - lines)) exchanges before them went for newer ones" to.err || fail "$((40 - lines)) are gone, but: $(<to.err)"
[[ -e small.gtl && -e small.gtl.1 && -e small.gtl.2 && ! -e small.gtl.3 ]] || fail "not rotated: $(ls)"
for file in small.gtl small.gtl.1 small.gtl.2; do
  (($(stat -c %s "$file") < 16384)) || fail "$file is too long"
  "$GATELAB" record import "$file" --force --out again.gtl 2>again.err || fail "$file is no whole recording: $(<again.err)"
done

# A file that may not grow: the recording ends, and says so at once; clients are served on; the file is whole as far as it goes.
start full bash -c 'ulimit -f 24; exec "$@"' - "$GATELAB" record --to "http://127.0.0.1:$origin_port" --listen 127.0.0.1:0 --out full.gtl --har full.har
full=$pid
until_true 30 is_ready full "$full" || fail "no ready line under a limit"
url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' full.out)
is_full() { curl -s -o /dev/null --max-time 20 "$url/items?n=1" && grep -q 'the recording ends here.*full\.' full.err; }
until_true 30 is_full || fail "nobody hears of a full disk: $(<full.err)"
for n in 1 2 3; do curl -sf -o /dev/null --max-time 20 "$url/items?n=$n" || fail "a full disk ends the service"; done
kill -TERM "$full"
status=0
wait "$full" || status=$?
[[ $status == 4 ]] || fail "a recording that is not whole: exit $status"
[[ $(grep -c 'the recording ends here' full.err) == 1 ]] && grep -Eq '[0-9]+ exchanges could not be written' full.err || fail "what is lost: $(<full.err)"
for file in full.gtl full.har; do
  "$GATELAB" record import "$file" --force --out again.gtl 2>again.err || fail "$file is half written: $(<again.err)"
  ! grep -q 'cut off' again.err || fail "$file ends in a torn line: $(<again.err)"
done

status=0
"$GATELAB" record --to "http://127.0.0.1:$origin_port" --out small.gtl 2>exists.err || status=$?
[[ $status == 4 ]] && grep -q 'is there already' exists.err || fail "a recording was replaced: $status $(<exists.err)"
