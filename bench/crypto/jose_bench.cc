// SPDX-License-Identifier: Apache-2.0
// What a fresh token costs beside OpenSSL alone: `floor` is one EVP_PKEY_verify over a hash that is there, with a context that
// is set up; `plain` is EVP_DigestVerify as manuals show it; `ours` is verify(); `token` all that the policy does: reading the
// token and its claims, choosing the key, verify(). Compare with --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <string>

#include "crypto/claims.h"
#include "crypto/jws.h"
#include "crypto/jws_generate.h"

namespace {

using namespace gatelab::crypto;

constexpr std::string_view kClaims =
    R"({"iss":"https://idp.example","sub":"0c5a7e0e-6a5b-4a1f-9d3c-2f4b8a6d1e90","aud":["orders","catalog"],"scope":"orders:read orders:write","iat":1700000000,"exp":1700003600,"jti":"f1f2f3f4"})";

struct Fixture {
  Algorithm algorithm;
  SigningKeyPtr key;
  JwkSet set;
  std::string token;
  CompactJws jws;
  EVP_PKEY* plain = nullptr;
  std::string signature;  // as OpenSSL wants it
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned hash_length = 0;

  explicit Fixture(Algorithm which) : algorithm(which), key(*generate_signing_key(which, "key-1")) {
    set.keys.push_back(key->verifier());
    token = *sign_compact(jws_header(which, "JWT", "key-1"), kClaims, *key, which);
    jws = *parse_compact(token);
    signature = jws.signature;
    const std::string pem = public_pem(*key->verifier());
    BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    plain = PEM_read_bio_PUBKEY(in, nullptr, nullptr, nullptr);
    BIO_free(in);
    if (key->type() == KeyType::Ec) to_der();
    EVP_Digest(token.data(), jws.signed_size, hash, &hash_length, EVP_sha256(), nullptr);
  }
  void to_der() {
    const auto* raw = reinterpret_cast<const unsigned char*>(jws.signature.data());
    const int half = static_cast<int>(jws.signature.size() / 2);
    ECDSA_SIG* both = ECDSA_SIG_new();
    ECDSA_SIG_set0(both, BN_bin2bn(raw, half, nullptr), BN_bin2bn(raw + half, half, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(both, &der);
    signature.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    ECDSA_SIG_free(both);
  }
  const unsigned char* octets() const { return reinterpret_cast<const unsigned char*>(signature.data()); }
};

const Fixture& fixture(Algorithm algorithm) {
  static const Fixture* all[kAlgorithms] = {};
  auto& one = all[static_cast<std::size_t>(algorithm)];
  if (one == nullptr) one = new Fixture(algorithm);
  return *one;
}

void must(bool holds) {
  if (!holds) std::abort();
}

void floor_of(benchmark::State& state, Algorithm algorithm) {
  const Fixture& f = fixture(algorithm);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(f.plain, nullptr);
  must(EVP_PKEY_verify_init(context) == 1 && EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
  for (auto _ : state) must(EVP_PKEY_verify(context, f.octets(), f.signature.size(), f.hash, f.hash_length) == 1);
  EVP_PKEY_CTX_free(context);
}

void plain(benchmark::State& state, Algorithm algorithm) {
  const Fixture& f = fixture(algorithm);
  const EVP_MD* digest = algorithm == Algorithm::EdDSA ? nullptr : EVP_sha256();
  for (auto _ : state) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    must(EVP_DigestVerifyInit(context, nullptr, digest, nullptr, f.plain) == 1);
    must(EVP_DigestVerify(context, f.octets(), f.signature.size(), reinterpret_cast<const unsigned char*>(f.token.data()), f.jws.signed_size) == 1);
    EVP_MD_CTX_free(context);
  }
}

void ours(benchmark::State& state, Algorithm algorithm) {
  const Fixture& f = fixture(algorithm);
  for (auto _ : state) must(static_cast<bool>(verify(f.jws, *f.key->verifier())));
}

void token(benchmark::State& state, Algorithm algorithm) {
  const Fixture& f = fixture(algorithm);
  for (auto _ : state) {
    const auto jws = parse_compact(f.token);
    const auto claims = Claims::parse(jws->payload);
    const JwkPtr key = f.set.select(jws->kid, jws->algorithm);
    must(claims && claims->expires() && verify(*jws, *key));
  }
}

void reading(benchmark::State& state) {
  const Fixture& f = fixture(Algorithm::ES256);
  for (auto _ : state) {
    const auto jws = parse_compact(f.token);
    benchmark::DoNotOptimize(Claims::parse(jws->payload));
  }
}

BENCHMARK_CAPTURE(floor_of, rs256, Algorithm::RS256);
BENCHMARK_CAPTURE(plain, rs256, Algorithm::RS256);
BENCHMARK_CAPTURE(ours, rs256, Algorithm::RS256);
BENCHMARK_CAPTURE(token, rs256, Algorithm::RS256);
BENCHMARK_CAPTURE(floor_of, es256, Algorithm::ES256);
BENCHMARK_CAPTURE(plain, es256, Algorithm::ES256);
BENCHMARK_CAPTURE(ours, es256, Algorithm::ES256);
BENCHMARK_CAPTURE(token, es256, Algorithm::ES256);
BENCHMARK_CAPTURE(plain, eddsa, Algorithm::EdDSA);
BENCHMARK_CAPTURE(ours, eddsa, Algorithm::EdDSA);
BENCHMARK_CAPTURE(token, hs256, Algorithm::HS256);
BENCHMARK(reading);

}  // namespace
