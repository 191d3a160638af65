// SPDX-License-Identifier: Apache-2.0
// Which origins may read answers: exact ones, patterns, `null`, or any. Immutable once parsed; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"

namespace re2 {
class RE2;
}

namespace gatelab::policy {

class Origins {
 public:
  // What the value of an Origin field is to them. `by` is what stands in the configuration for it; empty: nothing does.
  struct Verdict {
    bool allowed = false;
    std::string_view by;
  };
  Verdict judge(std::string_view origin) const noexcept;
  bool any() const noexcept { return any_; }

  // The value of `origins:`. With `credentials`, what any site could pass is an error.
  static Origins parse(const config::Node& node, bool credentials, diag::Sink& sink);

 private:
  void add_text(const std::string& text, const diag::Span& span, bool alone, bool credentials, diag::Sink& sink);
  void add_pattern(const config::Node& node, bool credentials, diag::Sink& sink);

  bool any_ = false;
  bool null_ = false;
  std::vector<std::string> exact_;  // sorted
  std::vector<std::shared_ptr<const re2::RE2>> patterns_;
};

}  // namespace gatelab::policy
