// SPDX-License-Identifier: Apache-2.0
// One JSON document out of several answers. Pure; any thread, off the loop too.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policy/aggregate/plan.h"

namespace gatelab::policy {

// What one part has come to.
struct PartEnd {
  bool asked = true;           // false: `when` did not speak of the request
  std::string failure;         // a word; empty: it has an answer that counts. Outlives the request, as a job may
  std::string why;             // of a failure, for people
  std::uint16_t status = 0;
  std::string body;
};

struct Merge {
  explicit Merge(std::shared_ptr<const AggregatePlan> p) : plan(std::move(p)), parts(plan->parts.size()) {}
  void run() noexcept;
  // The first part without which there is no answer; parts.size(): there is none.
  std::size_t culprit() const noexcept;
  bool is_partial() const noexcept;  // a part has failed

  std::shared_ptr<const AggregatePlan> plan;
  std::vector<PartEnd> parts;  // run() finds failures too
  std::string text;            // the document, unless there is a culprit or it is too large
  bool is_too_large = false;
};

}  // namespace gatelab::policy
