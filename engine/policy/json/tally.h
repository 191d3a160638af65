// SPDX-License-Identifier: Apache-2.0
// How many bodies a json policy has edited, left as they were, and refused, over all workers and reloads. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/state.h"

namespace gatelab::policy {

class JsonTally final : public State {
 public:
  enum class Of : std::uint8_t { RequestEdited, RequestSame, RequestFailed, AnswerEdited, AnswerSame, AnswerFailed };
  static constexpr std::array<std::string_view, 6> kWords{"request-edited", "request-same", "request-failed", "answer-edited", "answer-same", "answer-failed"};

  void count(Of of) noexcept { bodies_[static_cast<std::size_t>(of)].fetch_add(1, std::memory_order_relaxed); }

  void measure(std::vector<Measure>& out) const override {
    for (std::size_t i = 0; i < kWords.size(); ++i)
      out.push_back({"gatelab_json_bodies_total", "Bodies that a json policy has edited, left as they were, or could not edit.", static_cast<double>(bodies_[i].load(std::memory_order_relaxed)), true, "of", std::string(kWords[i])});
  }

 private:
  std::array<std::atomic<std::uint64_t>, kWords.size()> bodies_{};
};

}  // namespace gatelab::policy
