// SPDX-License-Identifier: Apache-2.0
// One body beside its schema, on the loop or off it: it knows nothing of the request, which may be over before it is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coding/coder.h"
#include "config/reader.h"
#include "policy/policy.h"
#include "policy/validate/errors.h"
#include "schema/schema.h"

namespace gatelab::policy {

// A larger body is looked at off the loop, and so is one that takes more steps than that: what a body costs does not hang on its size alone.
inline constexpr std::size_t kLargeBody = 64 * 1024;
inline constexpr std::size_t kStepsOnLoop = 20'000;
// Of an answer, which is looked at on the loop.
inline constexpr std::size_t kLargeAnswer = 4 * 1024 * 1024;
inline constexpr std::size_t kStepsOfAnswer = 200'000;

struct BodyCheck {
  enum class As : std::uint8_t { Json, Form };
  // What does not change from body to body.
  struct Rules {
    std::size_t size = 0;  // octets, out of its coding
    json::Limits limits;
    schema::Effort effort;
  };

  std::shared_ptr<const void> keeps;  // what `set` is part of
  const schema::Set* set = nullptr;
  std::int32_t schema = -1;
  As as = As::Json;
  std::optional<coding::Coding> coding;  // that the body is in
  Rules rules;
  std::string body;

  const observe::Reason* reason = nullptr;  // it is not as it should be
  std::string detail;                       // of that
  std::vector<InvalidPart> failures;        // of invalid-body
  bool gave_up = false;                     // to look on would take longer than `rules` allow

  void run();
  // What a step says of it: a refusal, or to go on.
  Step judge(Input& in) const noexcept;

 private:
  void look_at(const json::Document& document);
  void refuse(const observe::Reason& why, std::string what);
};

// Rules of a map: max_size, max_depth, max_values, max_errors. Reports.
BodyCheck::Rules parse_body_rules(config::Reader& r);

// For the memory of a request: a step's effect, and the check that is under way.
struct BodyMemo {
  Effect effect;
  std::shared_ptr<BodyCheck> check;

  static BodyMemo& make(Input& in) noexcept;
  static void drop(Input& in) noexcept;  // at the end of the request
  // Runs `check` here, or asks for it to be run.
  Step run(Input& in) noexcept;
};

}  // namespace gatelab::policy
