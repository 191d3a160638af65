// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

// SHA256_Init and its kin are called obsolete by OpenSSL 3 and are the same code as behind EVP, without the layers that cost
// several times a short digest: a key is hashed for each request.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <cstdlib>

namespace gatelab::crypto {
namespace {

int hex(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Sha256 sha256(std::string_view octets) noexcept {
  Sha256 out{};
  SHA256_CTX context;
  const bool done = SHA256_Init(&context) == 1 && SHA256_Update(&context, octets.data(), octets.size()) == 1 && SHA256_Final(out.data(), &context) == 1;
  if (!done) std::abort();
  return out;
}

Sha1 sha1(std::string_view octets) noexcept {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  Sha1 out{};
  if (algorithm == nullptr || EVP_Digest(octets.data(), octets.size(), out.data(), nullptr, algorithm, nullptr) != 1) std::abort();
  return out;
}

std::optional<Sha256> parse_sha256(std::string_view text) noexcept {
  Sha256 out{};
  if (text.size() != 2 * out.size()) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex(text[2 * i]), low = hex(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return out;
}

}  // namespace gatelab::crypto
