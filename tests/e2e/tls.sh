# SPDX-License-Identifier: Apache-2.0
# TLS against openssl's own client and server, curl, and clients that speak no TLS at all.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
command -v openssl >/dev/null || skip "there is no openssl program"
certificates=$GATELAB_ROOT/fixtures/certificates
export XDG_DATA_HOME=$work/data
s_port=$(free_port)

# An https origin that wants a client certificate.
mkdir -p origin && echo 'from s_server' >origin/page
(cd origin && exec openssl s_server -accept "127.0.0.1:$s_port" -WWW -cert "$certificates/localhost.pem" -key "$certificates/localhost.key" \
  -CAfile "$certificates/ca.pem" -Verify 3) >s_server.out 2>s_server.err </dev/null &
started+=("$!")

cp "$certificates"/{localhost,shop,alice}.{pem,key} "$certificates"/{ca.pem,ca.crl,shop.ocsp} .
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners:
  - name: secure
    address: 127.0.0.1:0
    tls: { certificate: localhost.pem, key: localhost.key, certificates: [ { certificate: shop.pem, key: shop.key, ocsp_staple: shop.ocsp } ], handshake_timeout: 1s }
  - { name: mutual, address: 127.0.0.1:0, tls: { certificate: localhost.pem, key: localhost.key, client_ca: ca.pem, client_certificate: required, crl: ca.crl } }
  - { name: local, address: 127.0.0.1:0, tls: local }
admin: { address: 127.0.0.1:0, token: e2e-admin-token }
log: { access: $work/access.log, format: json }
upstreams:
  secured: { url: "https://localhost:$s_port", tls: { ca: ca.pem, certificate: alice.pem, key: alice.key } }
  unknown: { url: "https://localhost:$s_port" }
  nobody: { url: "https://localhost:$s_port", tls: { ca: ca.pem } }
routes:
  - { name: secured, match: { path: /page }, upstream: secured }
  - { name: unknown, match: { path: /unknown }, upstream: unknown }
  - { name: nobody, match: { path: /nobody }, upstream: nobody }
  - { name: hello, match: { path: /* }, policies: [ { respond: { status: 200, text: hello } } ] }
CONFIG
start_gatelab gateway gateway.yaml
gateway=$pid
mapfile -t ports < <(head -n 1 gateway.out | grep -o 'https://127.0.0.1:[0-9]*' | sed 's/.*://')
expect_equal "listeners that speak TLS" "${#ports[@]}" 3
secure=127.0.0.1:${ports[0]} mutual=127.0.0.1:${ports[1]} local=127.0.0.1:${ports[2]}

# curl: verified, several requests on a connection, both versions.
for flags in --tlsv1.3 '--tlsv1.2 --tls-max 1.2'; do
  # shellcheck disable=SC2086
  expect_equal "curl $flags" "$(curl -s --max-time 20 $flags --cacert ca.pem "https://$secure/x" "https://$secure/y")" hellohello
done
curl -s --max-time 20 "https://$secure/x" >/dev/null && fail "curl trusts a CA that it does not know"
curl -s --max-time 20 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 --cacert ca.pem "https://$secure/x" >/dev/null && fail "TLS 1.1 is spoken"
head -c 3000000 /dev/urandom >big
expect_equal "an upload" "$(curl -s --max-time 20 --cacert ca.pem --data-binary @big "https://$secure/x")" hello

# s_client: what it was told, in its words. The pause keeps it listening until tickets have come.
client() { { sleep 0.3; } | timeout 20 openssl s_client -connect "$1" -CAfile ca.pem "${@:2}" 2>&1 || true; }
grep -q 'ALPN protocol: http/1.1' <(client "$secure" -alpn h2,http/1.1) || fail "ALPN"
grep -q 'no application protocol' <(client "$secure" -alpn h2) || fail "an ALPN that is not spoken"
grep -q 'CN = shop' <(client "$secure" -servername shop.local) || fail "SNI"
grep -q 'OCSP Response Status: successful' <(client "$secure" -servername shop.local -status) || fail "no OCSP response was stapled"
grep -q 'OCSP response: no response sent' <(client "$secure" -servername localhost -status) || fail "an OCSP response for the wrong certificate"
for version in -tls1_2 -tls1_3; do
  client "$secure" $version -sess_out session.pem >first.txt
  grep -q '^New,' first.txt || fail "no first session $version"
  client "$secure" $version -sess_in session.pem >second.txt
  grep -q '^Reused,' second.txt || fail "the session was not resumed $version: $(grep -E '^(New|Reused)' second.txt)"
done
# Renegotiation is refused: the connection does not survive asking for it.
{ printf 'R\n'; sleep 0.5; printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'; sleep 0.5; } | timeout 20 openssl s_client -connect "$secure" -CAfile ca.pem -tls1_2 >renegotiation.txt 2>&1 || true
grep -q 'no renegotiation' renegotiation.txt || fail "renegotiation is not refused: $(tail -n 5 renegotiation.txt)"

# Client certificates. alice.pem has expired by now: that she is told so is the test.
reason() { tail -n 1 access.log | sed -n 's/.*"phase":"handshake","reason":"\([^"]*\)".*/\1/p'; }
told() { [[ $(reason) == "$1" ]]; }
client "$mutual" </dev/null >missing.txt
until_true 10 told client-certificate-missing || fail "without a client certificate: $(tail -n 1 access.log)"
client "$mutual" -cert alice.pem -key alice.key >expired.txt
until_true 10 told client-certificate-expired || fail "with an expired one: $(tail -n 1 access.log)"
client "$mutual" -cert "$certificates/revoked.pem" -key "$certificates/revoked.key" >revoked.txt
until_true 10 told client-certificate-revoked || fail "with a revoked one: $(tail -n 1 access.log)"
expect_equal "with a good one" "$(curl -s --max-time 20 --cacert ca.pem --cert "$certificates/bob.pem" --key "$certificates/bob.key" "https://$mutual/")" hello

# To an https origin: with our certificate, without one, and without its CA.
expect_equal "from s_server" "$(curl -s --max-time 20 --cacert ca.pem "https://$secure/page")" "from s_server"
curl -s --max-time 20 --cacert ca.pem "https://$secure/unknown" >unknown.txt
grep -q '"reason":"tls-certificate-untrusted"' unknown.txt || fail "an origin that nobody vouches for is called"
curl -s --max-time 20 --cacert ca.pem "https://$secure/nobody" >nobody.txt
grep -q '"reason":"tls-refused"' nobody.txt || fail "an origin that wants a certificate"

# The local CA: one file of the user's alone, and names on demand.
expect_equal "mode of the CA's file" "$(stat -c %a data/gatelab/local-ca.pem) $(stat -c %a data/gatelab)" "600 700"
expect_equal "tls: local" "$(curl -s --max-time 20 --cacert data/gatelab/local-ca.crt --resolve "app.localhost:${ports[2]}:127.0.0.1" "https://app.localhost:${ports[2]}/")" hello
expect_equal "tls: local by address" "$(curl -s --max-time 20 --cacert data/gatelab/local-ca.crt "https://$local/")" hello
"$GATELAB" mint cert --host minted.local --host 127.0.0.1 --out minted >minted.txt
expect_equal "what mint wrote" "$(stat -c '%n %a' minted.key) $(paste -sd' ' minted.txt)" "minted.key 600 minted.pem minted.key"
openssl verify -CAfile data/gatelab/local-ca.crt -purpose sslserver -verify_hostname minted.local minted.pem >verify.txt 2>&1 || fail "a minted certificate: $(<verify.txt)"
"$GATELAB" mint ca --trust-help >help.txt
grep -q "update-ca-certificates" help.txt || fail "mint ca --trust-help"
# Two at once make one CA.
for n in 1 2 3 4; do XDG_DATA_HOME=$work/several "$GATELAB" mint cert >"several.$n" & minting[n]=$!; done
for n in 1 2 3 4; do wait "${minting[n]}" || fail "one of four that mint at once fails"; done
for n in 1 2 3 4; do openssl verify -CAfile several/gatelab/local-ca.crt "several.$n" >/dev/null 2>&1 || fail "four at once make more than one CA"; done

# What is not TLS.
expect_equal "plain HTTP" "$(status "http://$secure/x")" 400
raw() { timeout 20 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; cat >&3; cat <&3 >/dev/null' raw "${ports[0]}" || true; }
head -c 100000 /dev/urandom >garbage
printf '\x16\x03\x01\xff\xff%065535d' 0 >oversized
{ printf '\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03'; head -c 16373 /dev/zero; } >hello
printf '\x16\x03\x01\x02\x00\x01' >half
for what in garbage oversized hello half; do raw <"$what" 2>/dev/null; done
until_true 10 told handshake-timeout || fail "a half handshake is waited for: $(tail -n 1 access.log)"
expect_equal "after all that" "$(curl -s --max-time 20 --cacert ca.pem "https://$secure/x")" hello
curl -s "$admin/metrics" >metrics.txt
grep -q '^gatelab_tls_handshakes_total{side="client",result="handshake-timeout"} [1-9]' metrics.txt || fail "failed handshakes are not counted: $(grep tls_handshakes metrics.txt)"

# A new certificate, saved over the old one, is served by itself; a broken one changes nothing. No connection is dropped.
{ printf 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'; sleep 3; printf 'GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'; sleep 1; } |
  timeout 20 openssl s_client -quiet -connect "$secure" -CAfile ca.pem >kept.txt 2>kept.err &
kept=$!
started+=("$kept")
cp "$certificates/shop.key" localhost.key
refused() { grep -q 'key-mismatch' gateway.err; }
until_true 10 refused || fail "a key that does not fit is taken, or not noticed"
grep -q 'CN = localhost' <(client "$secure" -servername localhost) || fail "the old certificate does not stay"
cp "$certificates/rsa.pem" localhost.pem
cp "$certificates/rsa.key" localhost.key
shows_new() { client "$secure" -servername localhost >shown.txt && grep -q 'CN = rsa' shown.txt; }
until_true 10 shows_new || fail "the new certificate is not shown: $(tail -n 5 gateway.err)"
wait "$kept" || true
expect_equal "answers on a connection that lived through it" "$(grep -o 'HTTP/1.1 200' kept.txt | wc -l)" 2

kill -TERM "$gateway"
ended "$gateway" 20 || fail "no end after SIGTERM"
