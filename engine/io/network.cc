// SPDX-License-Identifier: Apache-2.0
#include "io/network.h"

namespace gatelab::io {

Code write_now(Transport& transport, std::span<ConstBuffer>& left) noexcept {
  while (!left.empty()) {
    const Count written = transport.try_write(left);
    if (written.code != Code::Ok) return written.code;
    std::size_t octets = written.octets;
    while (!left.empty() && octets >= left.front().size) {
      octets -= left.front().size;
      left = left.subspan(1);
    }
    if (left.empty()) break;
    left.front().data += octets;
    left.front().size -= octets;
  }
  return Code::Ok;
}

Task<Code> write_all(Transport& transport, std::string_view octets, Wait wait) {
  ConstBuffer buffer{octets.data(), octets.size()};
  std::span<ConstBuffer> left(&buffer, octets.empty() ? 0 : 1);
  Code code = write_now(transport, left);
  while (code == Code::WouldBlock) {
    code = co_await transport.writable(wait);
    if (code == Code::Ok) code = write_now(transport, left);
  }
  co_return code;
}

}  // namespace gatelab::io
