// SPDX-License-Identifier: Apache-2.0
#include "io/code.h"

namespace gatelab::io {

std::string_view name(Code code) noexcept {
  switch (code) {
    case Code::Ok: return "ok";
    case Code::WouldBlock: return "would-block";
    case Code::Eof: return "eof";
    case Code::Reset: return "reset";
    case Code::Refused: return "refused";
    case Code::TimedOut: return "timed-out";
    case Code::Cancelled: return "cancelled";
    case Code::AddressInUse: return "address-in-use";
    case Code::Unreachable: return "unreachable";
    case Code::NotFound: return "not-found";
    case Code::Denied: return "denied";
    case Code::TooMany: return "too-many";
    case Code::Other: break;
  }
  return "other";
}

}  // namespace gatelab::io
