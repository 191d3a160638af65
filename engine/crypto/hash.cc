// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <cstring>

namespace gatelab::crypto {
namespace {

constexpr std::size_t kMaxBlock = SHA512_CBLOCK;

template <class State>
void begin(std::size_t size, State& state) noexcept {
  const int done = size == 32 ? SHA256_Init(&state.small) : size == 48 ? SHA384_Init(&state.large) : SHA512_Init(&state.large);
  if (done != 1) std::abort();
}
template <class State>
void add(std::size_t size, State& state, const void* octets, std::size_t count) noexcept {
  const int done = size == 32 ? SHA256_Update(&state.small, octets, count)
                   : size == 48 ? SHA384_Update(&state.large, octets, count)
                                : SHA512_Update(&state.large, octets, count);
  if (done != 1) std::abort();
}
template <class State>
Hash end(std::size_t size, State& state) noexcept {
  Hash out;
  out.size = size;
  const int done = size == 32 ? SHA256_Final(out.octets.data(), &state.small)
                   : size == 48 ? SHA384_Final(out.octets.data(), &state.large)
                                : SHA512_Final(out.octets.data(), &state.large);
  if (done != 1) std::abort();
  return out;
}

struct BothStates {
  SHA256_CTX small;
  SHA512_CTX large;
};

}  // namespace

Hash hash_of(std::size_t size, std::string_view octets) noexcept {
  BothStates state;
  begin(size, state);
  add(size, state, octets.data(), octets.size());
  return end(size, state);
}

Hmac::Hmac(std::size_t size, std::string_view key) noexcept : size_(size) {
  const std::size_t block = size == 32 ? SHA256_CBLOCK : SHA512_CBLOCK;
  std::array<unsigned char, kMaxBlock> pad{};
  if (key.size() > block) {
    const Hash hashed = hash_of(size, key);
    std::memcpy(pad.data(), hashed.octets.data(), hashed.size);
  } else if (!key.empty()) {
    std::memcpy(pad.data(), key.data(), key.size());
  }
  for (unsigned char& one : pad) one ^= 0x36;
  begin(size, inner_);
  add(size, inner_, pad.data(), block);
  for (unsigned char& one : pad) one ^= 0x36 ^ 0x5c;
  begin(size, outer_);
  add(size, outer_, pad.data(), block);
  OPENSSL_cleanse(pad.data(), pad.size());
}

Hmac::~Hmac() {
  OPENSSL_cleanse(&inner_, sizeof inner_);
  OPENSSL_cleanse(&outer_, sizeof outer_);
}

Hash Hmac::of(std::string_view octets) const noexcept {
  State state = inner_;
  add(size_, state, octets.data(), octets.size());
  const Hash inner = end(size_, state);
  state = outer_;
  add(size_, state, inner.octets.data(), inner.size);
  return end(size_, state);
}

}  // namespace gatelab::crypto
