// SPDX-License-Identifier: Apache-2.0
#include "crypto/running_digest.h"

#include <cstdlib>
#include <new>
#include <type_traits>

#include "crypto/hash.h"

namespace gatelab::crypto {
namespace {

using Kind = RunningDigest::Kind;

template <class T>
T* as(void* state) noexcept {
  return std::launder(static_cast<T*>(state));
}

}  // namespace

RunningDigest::RunningDigest(Kind kind) noexcept : kind_(kind) {
  static_assert(sizeof(SHA256_CTX) <= sizeof state_ && sizeof(SHA512_CTX) <= sizeof state_);
  static_assert(std::is_trivially_destructible_v<SHA512_CTX> && std::is_trivially_copyable_v<SHA512_CTX>);
  const int done = kind == Kind::Bits256 ? SHA256_Init(new (state_.data()) SHA256_CTX) : SHA512_Init(new (state_.data()) SHA512_CTX);
  if (done != 1) std::abort();
}

void RunningDigest::add(std::string_view octets) noexcept {
  const int done = kind_ == Kind::Bits256 ? SHA256_Update(as<SHA256_CTX>(state_.data()), octets.data(), octets.size())
                                         : SHA512_Update(as<SHA512_CTX>(state_.data()), octets.data(), octets.size());
  if (done != 1) std::abort();
}

void RunningDigest::end(std::span<char> out) noexcept {
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  const int done = out.size() != digest_size(kind_) ? 0 : kind_ == Kind::Bits256 ? SHA256_Final(to, as<SHA256_CTX>(state_.data())) : SHA512_Final(to, as<SHA512_CTX>(state_.data()));
  if (done != 1) std::abort();
}

bool RunningDigest::matches(std::string_view digest) noexcept {
  std::array<char, SHA512_DIGEST_LENGTH> own{};
  const std::span<char> used = std::span(own).first(digest_size(kind_));
  end(used);
  return digest == std::string_view(used.data(), used.size());
}

std::string_view name(Kind kind) noexcept { return kind == Kind::Bits256 ? "sha-256" : "sha-512"; }

std::optional<Kind> parse_digest_kind(std::string_view text) noexcept {
  for (const Kind one : {Kind::Bits256, Kind::Bits512})
    if (text == name(one)) return one;
  return std::nullopt;
}

std::size_t digest_size(Kind kind) noexcept { return kind == Kind::Bits256 ? 32 : 64; }

}  // namespace gatelab::crypto
