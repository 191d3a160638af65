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

}  // namespace gatelab::io
