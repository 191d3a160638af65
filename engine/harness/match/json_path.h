// SPDX-License-Identifier: Apache-2.0
// JSONPath (RFC 9535, json/path.h) over the values that a scenario compares. Pure; bounded in depth, in what
// it visits and in what a regular expression may cost. A compiled path may be used from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace gatelab::harness {

class JsonPath {
 public:
  // On failure the message says what was expected and at which octet of `text`.
  static Result<JsonPath> compile(std::string_view text);
  // The selected values, in the order of RFC 9535; pointers into `root`. At most a million are visited.
  std::vector<const nlohmann::json*> select(const nlohmann::json& root) const;
  // True if it can select one value at most (RFC 9535 §2.3.5.1).
  bool singular() const noexcept;

  struct Compiled;

 private:
  explicit JsonPath(std::shared_ptr<const Compiled> compiled) noexcept : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace gatelab::harness
