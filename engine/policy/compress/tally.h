// SPDX-License-Identifier: Apache-2.0
// How many octets went into a compress policy's filters, and how many came out, over all workers and reloads. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/state.h"

namespace gatelab::policy {

class Tally final : public State {
 public:
  enum class Of : std::uint8_t { AnswerPlain, AnswerCoded, RequestCoded, RequestPlain };
  static constexpr std::array<std::string_view, 4> kWords{"answer-plain", "answer-coded", "request-coded", "request-plain"};

  void add(Of of, std::size_t octets) noexcept { octets_[static_cast<std::size_t>(of)].fetch_add(octets, std::memory_order_relaxed); }

  void measure(std::vector<Measure>& out) const override {
    for (std::size_t i = 0; i < kWords.size(); ++i)
      out.push_back({"gatelab_compress_octets_total", "Octets of bodies before and behind a compress policy.", static_cast<double>(octets_[i].load(std::memory_order_relaxed)), true, "of", std::string(kWords[i])});
  }

 private:
  std::array<std::atomic<std::uint64_t>, kWords.size()> octets_{};
};

}  // namespace gatelab::policy
