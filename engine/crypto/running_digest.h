// SPDX-License-Identifier: Apache-2.0
// A digest of octets that come in pieces: of a body that streams. Plain memory, so that an arena can hold it. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gatelab::crypto {

class RunningDigest {
 public:
  enum class Kind : std::uint8_t { Bits256, Bits512 };
  explicit RunningDigest(Kind kind) noexcept;

  void add(std::string_view octets) noexcept;
  // The digest of all that was added, digest_size() octets. Nothing can be added from then on.
  void end(std::span<char> out) noexcept;
  // The same, compared with one.
  bool matches(std::string_view digest) noexcept;

 private:
  Kind kind_;
  alignas(std::max_align_t) std::array<unsigned char, 224> state_{};
};

// "sha-256" or "sha-512", as RFC 9530 names them.
std::string_view name(RunningDigest::Kind kind) noexcept;
std::optional<RunningDigest::Kind> parse_digest_kind(std::string_view name) noexcept;
std::size_t digest_size(RunningDigest::Kind kind) noexcept;

}  // namespace gatelab::crypto
