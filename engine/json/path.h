// SPDX-License-Identifier: Apache-2.0
// JSONPath (RFC 9535), whole: segments, slices, descendants, filters, the five functions. path_evaluate.h selects by it. Pure;
// immutable; any thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace gatelab::json {

class Path {
 public:
  // On failure the message says what was expected and at which octet of `text`.
  static Result<Path> compile(std::string_view text);
  // True if it can select one value at most (RFC 9535 §2.3.5.1).
  bool singular() const noexcept;

  struct Query;
  const Query& query() const noexcept { return *query_; }

 private:
  explicit Path(std::shared_ptr<const Query> query) noexcept : query_(std::move(query)) {}
  std::shared_ptr<const Query> query_;
};

}  // namespace gatelab::json
