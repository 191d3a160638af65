// SPDX-License-Identifier: Apache-2.0
// SHA-256, 384 and 512 and HMAC over them, by OpenSSL's blocks (digest.cc says why not through EVP). Private to the room.
#pragma once

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace gatelab::crypto {

struct Hash {
  std::array<unsigned char, SHA512_DIGEST_LENGTH> octets{};
  std::size_t size = 0;  // 32, 48 or 64
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(octets.data()), size}; }
};

// `size`: 32, 48 or 64.
Hash hash_of(std::size_t size, std::string_view octets) noexcept;

// HMAC (RFC 2104) with a key that is used often: the two blocks made of the key are hashed once.
class Hmac {
 public:
  Hmac(std::size_t size, std::string_view key) noexcept;
  ~Hmac();
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  Hash of(std::string_view octets) const noexcept;

 private:
  struct State {
    SHA256_CTX small;
    SHA512_CTX large;
  };
  std::size_t size_;
  State inner_{}, outer_{};
};

}  // namespace gatelab::crypto
