// SPDX-License-Identifier: Apache-2.0
// An answer's body on its way through an openapi policy: held until it was looked at, and then given as it came.
#pragma once

#include "policy/body_filter.h"
#include "policy/validate/body_check.h"

namespace gatelab::policy {

struct AnswerChecking {
  BodyCheck check;                           // its body is empty so far; no set: the body is not looked at
  const observe::Reason* failure = nullptr;  // it is wrong whatever its body is
  std::string detail;
  bool observes = false;                     // it goes on all the same, and that is written down
};

BodyFilterPtr make_answer_check(const Policy& by, AnswerChecking what);

}  // namespace gatelab::policy
