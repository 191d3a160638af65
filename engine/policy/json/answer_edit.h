// SPDX-License-Identifier: Apache-2.0
// An answer's body on its way through a json policy: held until all of it is there, edited, and given out.
#pragma once

#include <memory>
#include <optional>

#include "policy/body_filter.h"
#include "policy/json/program.h"
#include "policy/json/tally.h"

namespace gatelab::policy {

// What the filter needs to know. The policy outlives it.
struct AnswerEditing {
  const JsonProgram& program;
  const JsonBounds& bounds;
  std::uint16_t status = 0;
  RenderedTexts rendered;
  std::optional<coding::Coding> coding;          // that it is in
  bool passes = false;                           // what can't be edited goes on as it is
  const observe::Reason* failure = nullptr;      // it can't be edited whatever it is
  std::string_view detail;                       // of that; a literal
};

BodyFilterPtr make_answer_edit(const Policy& by, AnswerEditing what, JsonTally& tally);

}  // namespace gatelab::policy
