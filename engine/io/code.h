// SPDX-License-Identifier: Apache-2.0
// How an I/O operation ended. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatelab::io {

enum class Code : std::uint8_t {
  Ok, WouldBlock, Eof, Reset, Refused, TimedOut, Cancelled, AddressInUse, Unreachable, NotFound, Denied, TooMany, Other,
};
std::string_view name(Code code) noexcept;  // "refused"

struct [[nodiscard]] Count {
  Code code = Code::Ok;
  std::size_t octets = 0;  // meaningful when code is Ok; never 0 then, unless the buffer was empty
};

struct ConstBuffer {
  const char* data = nullptr;
  std::size_t size = 0;
};

}  // namespace gatelab::io
