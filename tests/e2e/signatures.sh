# SPDX-License-Identifier: Apache-2.0
# Message signatures by somebody else: openssl signs what RFC 9421 says, put together by this script, and curl sends it.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"

secret="a secret of at least 32 octets, for this test"
openssl genpkey -algorithm ED25519 -out ed25519.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa-pss-sha512.key 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ecdsa-p256-sha256.key 2>/dev/null
for key in *.key; do openssl pkey -in "$key" -pubout -out "${key%.key}.pub"; done
{
  printf 'gatelab: 1\nlisteners: [ { name: plain, address: 127.0.0.1:0 } ]\n'
  echo 'upstreams: { orders: { mock: [ { when: { path: { matches: ^/ } }, reply: { echo: true } } ] } }'
  echo 'routes:'
  echo '  - name: all'
  echo '    match: { path: /orders }'
  echo '    policies:'
  echo '      - hmac:'
  echo '          keys:'
  echo "            - { id: hmac-sha256, algorithm: hmac-sha256, secret: \"$secret\" }"
  for alg in ed25519 rsa-pss-sha512 ecdsa-p256-sha256; do echo "            - { id: $alg, algorithm: $alg, public_key: $alg.pub }"; done
  echo '    upstream: orders'
} >gateway.yaml
start_gatelab gateway gateway.yaml
host=${url#http://}

# sign ALGORITHM <BASE: the signature in Base64.
sign() {
  cat >base
  case $1 in
    hmac-sha256) openssl dgst -sha256 -hmac "$secret" -binary base ;;
    ed25519) openssl pkeyutl -sign -rawin -inkey ed25519.key -in base ;;
    rsa-pss-sha512) openssl dgst -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64 -sign rsa-pss-sha512.key -binary base ;;
    ecdsa-p256-sha256)
      # r and s out of their SEQUENCE, each as 32 octets.
      openssl dgst -sha256 -sign ecdsa-p256-sha256.key -binary base | openssl asn1parse -inform DER |
        sed -n 's/.*INTEGER *://p' | while read -r number; do printf '%64s' "$number" | tr ' ' 0; done | sed 's/../\\x&/g' >octets
      printf '%b' "$(<octets)"
      ;;
  esac | base64 -w 0
}

# signed ALGORITHM BODY NONCE [SENT]: a POST with that body, signed for it and sent with SENT.
signed() {
  local alg=$1 body=$2 nonce=$3 sent=${4-$2} digest parameters signature
  digest="sha-256=:$(printf %s "$body" | openssl dgst -sha256 -binary | base64 -w 0):"
  parameters="(\"@method\" \"@target-uri\" \"@authority\" \"@path\" \"@query\" \"content-type\" \"content-digest\");created=$(date +%s);keyid=\"$alg\";alg=\"$alg\";nonce=\"$nonce\""
  signature=$(printf '"@method": POST\n"@target-uri": %s/orders?a=1&b=x%%20y\n"@authority": %s\n"@path": /orders\n"@query": ?a=1&b=x%%20y\n"content-type": text/plain\n"content-digest": %s\n"@signature-params": %s' \
    "$url" "$host" "$digest" "$parameters" | sign "$alg")
  status -X POST --data-binary "$sent" -H 'Content-Type: text/plain' -H "Content-Digest: $digest" -H "Signature-Input: sig1=$parameters" -H "Signature: sig1=:$signature:" "$url/orders?a=1&b=x%20y"
}

for alg in hmac-sha256 ed25519 rsa-pss-sha512 ecdsa-p256-sha256; do
  expect_equal "$alg by openssl" "$(signed "$alg" 'pay alice 10' "$alg-1")" 200
  expect_equal "$alg, the nonce again" "$(signed "$alg" 'pay alice 10' "$alg-1")" 401
  expect_equal "$alg, another body" "$(signed "$alg" 'pay alice 10' "$alg-2" 'pay mallory 9999')" 400
done
openssl genpkey -algorithm ED25519 -out ed25519.key
expect_equal "a stranger's key" "$(signed ed25519 'pay alice 10' stranger)" 401
