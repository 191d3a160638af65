# SPDX-License-Identifier: Apache-2.0
# Tokens with others: keys that openssl makes, PyJWT on both sides, the identity provider beside `run`, `mint` and its forgeries.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
export XDG_DATA_HOME=$work/data
python=/usr/bin/python3
"$python" -c 'import jwt, cryptography' 2>/dev/null || skip "python3-jwt and python3-cryptography are not installed"

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out RS256.key 2>/dev/null
cp RS256.key PS512.key
for curve in ES256:P-256 ES384:P-384 ES512:P-521; do openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:${curve#*:}" -out "${curve%:*}.key" 2>/dev/null; done
openssl genpkey -algorithm ED25519 -out EdDSA.key
for key in *.key; do openssl pkey -in "$key" -pubout -out "${key%.key}.pub"; done
algorithms="RS256 PS512 ES256 ES384 ES512 EdDSA"

# Both ways: what PyJWT signs the gateway takes, what gatelab signs PyJWT takes.
cat >sign.py <<'PYTHON'
import sys, time, jwt
alg, key = sys.argv[1:3]
print(jwt.encode({"iss": "https://" + alg, "aud": "orders", "sub": "py", "exp": int(time.time()) + 60}, open(key).read(), algorithm=alg))
PYTHON
cat >verify.py <<'PYTHON'
import sys, jwt
alg, key, token = sys.argv[1:4]
print(jwt.decode(token, open(key).read(), algorithms=[alg], audience="orders", issuer="https://" + alg)["sub"])
PYTHON
cat >jwks.py <<'PYTHON'
import json, sys, jwt
from jwt.algorithms import RSAAlgorithm, ECAlgorithm, OKPAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
for alg in sys.argv[1:]:
    kind = {"R": RSAAlgorithm, "P": RSAAlgorithm, "E": ECAlgorithm}[alg[0]] if alg != "EdDSA" else OKPAlgorithm
    key = json.loads(kind.to_jwk(load_pem_public_key(open(alg + ".pub", "rb").read())))
    # RFC 7518, 6.2.1.2 wants coordinates in full length; this PyJWT leaves zeros in front away.
    if key["kty"] == "EC":
        octets = {"P-256": 32, "P-384": 48, "P-521": 66}[key["crv"]]
        for name in "x", "y":
            value = jwt.utils.base64url_decode(key[name].encode())
            key[name] = jwt.utils.base64url_encode(value.rjust(octets, b"\0")).decode()
    print(json.dumps(key))
PYTHON
{
  printf 'gatelab: 1\nlisteners: [ { name: plain, address: 127.0.0.1:0 } ]\nlog: { access: %s/access.log, format: json }\nissuers:\n' "$work"
  for alg in $algorithms; do echo "  $alg: { issuer: https://$alg, audiences: [orders], algorithms: [$alg], keys: { pem: $alg.pub } }"; done
  echo '  dev: { issuer: http://dev.local, audiences: [orders], keys: local }'
  echo 'upstreams: { orders: { mock: [ { when: { path: { matches: ^/ } }, reply: { echo: true } } ] } }'
  echo 'routes:'
  for alg in $algorithms; do echo "  - { name: $alg, match: { path: /$alg }, policies: [ { jwt: { issuer: $alg, forward: { sub: X-User } } } ], upstream: orders }"; done
  echo '  - { name: dev, match: { path: /dev }, policies: [ { jwt: { issuer: dev, scopes: [a], forward: { sub: X-User } } } ], upstream: orders }'
} >gateway.yaml
start_gatelab gateway gateway.yaml --idp 127.0.0.1:0
with() { status -H "Authorization: Bearer $1" "$url/$2"; }
mint() { "$GATELAB" mint jwt "$@" 2>mint.err; }

for alg in $algorithms; do
  token=$("$python" sign.py "$alg" "$alg.key")
  expect_equal "$alg by PyJWT" "$(with "$token" "$alg")" 200
  expect_equal "$alg by PyJWT, spoilt" "$(with "${token%?????}AAAAA" "$alg")" 401
  token=$(mint --key "$alg.key" --alg "$alg" --claim "iss=https://$alg" --aud orders --sub lab)
  expect_equal "$alg by gatelab" "$(with "$token" "$alg")" 200
  expect_equal "$alg by gatelab, read by PyJWT" "$("$python" verify.py "$alg" "$alg.pub" "$token")" lab
  # The engine's verifier by itself, with a JWK that PyJWT made.
  expect_equal "$alg by jws_verify" "$(printf '%s\t%s\n' "$("$python" jwks.py "$alg")" "$token" | "$E2E_JWS_VERIFY")" valid
done
# openssl by itself, which knows nothing of JOSE: both ways, ECDSA's two numbers going between its DER and ours.
cat >ecdsa.py <<'PYTHON'
import sys
to, half, data = sys.argv[1], int(sys.argv[2]), sys.stdin.buffer.read()
def number(at):
    end = at + 2 + data[at + 1]
    return data[at + 2:end], end
def integer(octets):
    octets = octets.lstrip(b"\0") or b"\0"
    octets = b"\0" + octets if octets[0] & 0x80 else octets
    return bytes([2, len(octets)]) + octets
if to == "raw":
    r, at = number(3 if data[1] == 0x81 else 2)
    s, _ = number(at)
    out = b"".join(one.lstrip(b"\0").rjust(half, b"\0") for one in (r, s))
else:
    body = integer(data[:half]) + integer(data[half:])
    out = bytes([0x30] + ([0x81] if len(body) > 127 else []) + [len(body)]) + body
sys.stdout.buffer.write(out)
PYTHON
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
from_base64url() {
  local text=$1
  while ((${#text} % 4)); do text+="="; done
  tr -- '-_' '+/' <<<"$text" | openssl base64 -d -A
}
half_of() { case $1 in ES256) echo 32 ;; ES384) echo 48 ;; ES512) echo 66 ;; esac; }
options_of() { [[ $1 != PS* ]] || echo "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"; }
# Both on the file `part`; the options are words.
# shellcheck disable=SC2046
openssl_signs() {
  case $1 in
    EdDSA) openssl pkeyutl -sign -rawin -inkey "$1.key" -in part ;;
    ES*) openssl dgst "-sha${1:2}" -sign "$1.key" part | "$python" ecdsa.py raw "$(half_of "$1")" ;;
    *) openssl dgst "-sha${1:2}" $(options_of "$1") -sign "$1.key" part ;;
  esac
}
# shellcheck disable=SC2046
openssl_verifies() {
  from_base64url "$2" >signature
  case $1 in
    EdDSA) openssl pkeyutl -verify -rawin -pubin -inkey "$1.pub" -in part -sigfile signature ;;
    *)
      [[ $1 != ES* ]] || { "$python" ecdsa.py der "$(half_of "$1")" <signature >signature.der && mv signature.der signature; }
      openssl dgst "-sha${1:2}" $(options_of "$1") -verify "$1.pub" -signature signature part
      ;;
  esac
}
for alg in $algorithms; do
  printf '%s.%s' "$(printf '{"alg":"%s"}' "$alg" | base64url)" "$(printf '{"iss":"https://%s","aud":"orders","sub":"ssl","exp":4102444800}' "$alg" | base64url)" >part
  expect_equal "$alg by openssl" "$(with "$(<part).$(openssl_signs "$alg" | base64url)" "$alg")" 200
  token=$(mint --key "$alg.key" --alg "$alg" --claim "iss=https://$alg" --aud orders --sub lab)
  printf '%s' "${token%.*}" >part
  openssl_verifies "$alg" "${token##*.}" >openssl.out 2>&1 || fail "$alg by gatelab: openssl says $(<openssl.out)"
  printf 'x' >>part
  ! openssl_verifies "$alg" "${token##*.}" >openssl.out 2>&1 || fail "$alg: openssl verifies anything"
done
printf '%s\n' 'no tab' $'{}\ta.b.c' "$("$python" jwks.py ES256)"$'\tx' >lines.txt
expect_equal "lines that are none" "$("$E2E_JWS_VERIFY" <lines.txt | tr '\n' ' ')" "invalid malformed invalid key-malformed invalid malformed "

# The provider: discovery leads to the keys, PyJWT's client finds them, and a token from it opens the route.
idp=$(head -n 1 gateway.out | sed 's/.*"idp":"\([^"]*\)".*/\1/')
curl -s "$idp/.well-known/openid-configuration" >discovery.json
jwks=$(sed 's/.*"jwks_uri":"\([^"]*\)".*/\1/' discovery.json)
curl -s -u robot:anything -d 'grant_type=client_credentials&scope=a+b&issuer=dev' "$(sed 's/.*"token_endpoint":"\([^"]*\)".*/\1/' discovery.json)" >token.json
token=$(sed 's/.*"access_token":"\([^"]*\)".*/\1/' token.json)
cat >client.py <<'PYTHON'
import sys, jwt
client, token = jwt.PyJWKClient(sys.argv[1]), sys.argv[2]
print(jwt.decode(token, client.get_signing_key_from_jwt(token).key, algorithms=["ES256"], audience="orders", issuer="http://dev.local")["sub"])
PYTHON
"$python" client.py "$jwks" "$token" >client.out 2>client.err || fail "PyJWT: $(tail -n 3 client.err)"
expect_equal "PyJWT with the provider's keys" "$(<client.out)" robot
expect_equal "a token of the provider's" "$(with "$token" dev)" 200
expect_equal "no client" "$(status -d grant_type=client_credentials "$idp/token")" 401
expect_equal "another grant" "$(status -d 'grant_type=password&client_id=a' "$idp/token")" 400
expect_equal "no such door" "$(status "$idp/nothing")" 404

# `mint` for an issuer of the configuration, right and wrong.
expect_equal "a minted token" "$(with "$(mint --issuer dev --sub me --scope a)" dev)" 200
expect_equal "without the scope" "$(with "$(mint --issuer dev --sub me)" dev)" 403
expect_equal "expired" "$(with "$(mint --issuer dev --scope a --ttl=-1m)" dev)" 401
for forge in '{ alg: none }' '{ alg: HS256, key: public }' '{ signature: flip }' '{ kid: other }' '{ crit: [exp] }' '{ duplicate: { claim: sub } }'; do
  expect_equal "forged by $forge" "$(with "$(mint --issuer dev --scope a --forge "$forge")" dev)" 401
done
mint --issuer nobody && fail "an issuer that is not there was taken"
grep -q 'it has: RS256' mint.err || fail "mint does not say which issuers there are: $(<mint.err)"
"$GATELAB" mint jwt --forge '{ algg: none }' 2>mint.err && fail "a forgery that is not known was taken"
grep -q 'did you mean `alg`' mint.err || fail "mint does not say what was meant: $(<mint.err)"

# An API key opens what its digest is written down for.
"$GATELAB" mint key >key.txt 2>key.err
printf 'gatelab: 1\nlisteners: [ { name: plain, address: 127.0.0.1:0 } ]\nconsumers:\n  - name: me\n  %s\nroutes: [ { name: a, policies: [ { api-key: {} }, { respond: { status: 200, text: ok } } ] } ]\n' "$(grep keys: key.err)" >keyed.yaml
start_gatelab keyed keyed.yaml
expect_equal "a minted key" "$(status -H "X-Api-Key: $(<key.txt)" "$url/")" 200
expect_equal "another key" "$(status -H "X-Api-Key: gl_x" "$url/")" 401
for file in data/gatelab/*.key; do expect_equal "mode of $file" "$(stat -c %a "$file")" 600; done
! "$GATELAB" run gateway.yaml --idp 0.0.0.0:0 >/dev/null 2>public.err || fail "a provider for everyone was started"
grep -q 'this machine alone' public.err || fail "it does not say why: $(<public.err)"
! grep -q "eyJ" access.log || fail "a token is in the log"

# explain with a token, at another time, and as somebody.
token=$(mint --issuer dev --sub me --scope a)
"$GATELAB" explain GET /dev --token "$token" >explained.txt
grep -q '✓ allow.*ES256 kid=local-ES256 sub=me' explained.txt || fail "explain with a token: $(<explained.txt)"
"$GATELAB" explain GET /dev --token "$token" --at 2100-01-01T00:00:00Z >explained.txt
grep -q '401 expired' explained.txt || fail "explain in 2100: $(<explained.txt)"
"$GATELAB" explain -c keyed.yaml GET / --as me >explained.txt
grep -q 'not asked: --as' explained.txt || fail "explain as a consumer: $(<explained.txt)"
! "$GATELAB" explain -c keyed.yaml GET / --as you 2>explained.txt || fail "explain as nobody"
! "$GATELAB" explain -c keyed.yaml GET / --at noon 2>explained.txt || fail "explain at noon"
! grep -q "$token" explained.txt || fail "a token is shown"
