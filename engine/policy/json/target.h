// SPDX-License-Identifier: Apache-2.0
// What an edit of a JSON body is about: a place by JSON Pointer (RFC 6901), or all that a JSONPath (RFC 9535) selects. Immutable;
// any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "diag/diagnostic.h"
#include "json/path.h"
#include "json/pointer.h"

namespace gatelab::policy {

class JsonTarget {
 public:
  // Reports (bad-json-pointer, bad-jsonpath).
  static std::optional<JsonTarget> parse(std::string_view text, const diag::Span& span, diag::Sink& sink);
  const json::Pointer* pointer() const noexcept { return pointer_ ? &*pointer_ : nullptr; }  // null: it is a path
  bool is_root() const noexcept { return pointer_ ? pointer_->is_root() : is_root_; }
  bool is_one() const noexcept { return pointer_ || path_->singular(); }  // one value at most
  // What stands there. False: to look for all of it would take more visits.
  bool select(const json::Document& document, std::size_t visits, std::vector<json::Ref>& out) const;

 private:
  std::optional<json::Pointer> pointer_;
  std::optional<json::Path> path_;
  bool is_root_ = false;
};

// As parse(), and refuses all but a pointer.
std::optional<json::Pointer> parse_json_pointer(std::string_view text, const diag::Span& span, diag::Sink& sink);

}  // namespace gatelab::policy
