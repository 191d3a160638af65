// SPDX-License-Identifier: Apache-2.0
// What becomes of a JSON body: edits, one after the other. Immutable; any thread, off the loop too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/document.h"
#include "policy/json/target.h"
#include "policy/json/value.h"
#include "policy/statuses.h"

namespace gatelab::policy {

struct JsonBounds {
  std::size_t size = 0;  // octets, before and behind
  json::Limits limits;
  std::size_t visits = 1'000'000;  // by each JSONPath
};

struct JsonEdited {
  enum class End : std::uint8_t { Same, Changed, Malformed, TooDeep, TooMany, Mismatch, TooLarge } end = End::Same;
  std::string text;  // Changed: the new body; what is no success: why, for people
  bool gave_up = false;  // of TooMany: a JSONPath would have had to look at more than `visits`
};

// In this order: pick, remove, move, rename, set, wrap.
struct JsonEdit {
  std::vector<JsonTarget> pick, remove;
  std::vector<std::pair<JsonTarget, json::Pointer>> move;
  std::vector<std::pair<JsonTarget, std::string>> rename;
  std::vector<std::pair<JsonTarget, JsonNewValue>> set;
  std::vector<std::string> wrap;  // names, the outermost first
  Statuses statuses;              // of answers; of a request: all

  enum class Side : std::uint8_t { Request, Response };
  // Reports.
  static std::optional<JsonEdit> parse(const config::Node& node, Side side, diag::Sink& sink);
  bool empty() const noexcept { return pick.empty() && remove.empty() && move.empty() && rename.empty() && set.empty() && wrap.empty(); }
};

class JsonProgram {
 public:
  void add(JsonEdit edit) { edits_.push_back(std::move(edit)); }
  bool empty() const noexcept { return edits_.empty(); }
  bool speaks_of(std::uint16_t status) const noexcept;
  // Takes what is needed of the request, so that run() needs none. `status`: of the answer; 0: it is about a request's body.
  RenderedTexts render(const Input& in, std::uint16_t status) const;
  JsonEdited run(std::string_view body, std::uint16_t status, const RenderedTexts& rendered, const JsonBounds& bounds) const;

 private:
  std::vector<JsonEdit> edits_;
};

}  // namespace gatelab::policy
