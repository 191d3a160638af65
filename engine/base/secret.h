// SPDX-License-Identifier: Apache-2.0
// A value that must never be printed. It has no conversion to text; printing one prints <redacted>. Plain value.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace gatelab {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  bool empty() const noexcept { return value_.empty(); }
  // Constant time in the content.
  bool equals(std::string_view candidate) const noexcept { return constant_time_equals(value_, candidate); }
  // The only way to the octets: for hashing or sending, never for printing. Lives as long as the Secret.
  std::string_view reveal() const noexcept { return value_; }

  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "<redacted>"; }

 private:
  std::string value_;
};

}  // namespace gatelab
