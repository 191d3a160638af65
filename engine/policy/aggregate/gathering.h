// SPDX-License-Identifier: Apache-2.0
// One request's parts: which are asked when, and what they were answered. In the request's arena; its thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/aggregate/merge.h"

namespace gatelab::policy {

class Gathering final : public CallGroup, public PartValues {
 public:
  Gathering(Input& in, const std::shared_ptr<const AggregatePlan>& plan) : in_(in), plan_(*plan), merge(std::make_shared<Merge>(plan)), parts_(plan->parts.size()) {}
  ~Gathering() = default;

  const Call* after(const Call* ended) noexcept override;
  // A part has failed without which there is no answer.
  bool is_over() const noexcept override { return is_over_; }
  std::string_view part_value(std::string_view part, std::string_view pointer, Arena& arena) const noexcept override;

  // Hands over to `merge` what the parts were answered.
  void finish() noexcept;
  // Null: it was not asked.
  const CallAnswer* answer_of(std::size_t part) const noexcept { return parts_[part].answer; }
  // False: it was given up, or never begun, as there is no answer without another one.
  bool has_ended(std::size_t part) const noexcept { return parts_[part].state == Part::State::Ended; }

 private:
  struct Part {
    enum class State : std::uint8_t { Waits, Asked, Ended } state = State::Waits;
    Call* call = nullptr;
    CallAnswer* answer = nullptr;
    std::optional<json::Document> document;  // of one that others read, and that has an answer
  };
  void judge(std::size_t i) noexcept;
  void end(std::size_t i, std::string_view failure, std::string why) noexcept;
  bool may_begin(std::size_t i) const noexcept;
  const Call* begin(std::size_t i) noexcept;
  bool set_target(const AggregatePart& part, Call& call, std::string& why) noexcept;
  bool set_fields(const AggregatePart& part, Call& call, std::string& why) noexcept;
  void set_cache(const AggregatePart& part, Call& call) noexcept;

  Input& in_;
  const AggregatePlan& plan_;

 public:
  std::shared_ptr<Merge> merge;  // never null

 private:
  std::vector<Part> parts_;
  bool is_over_ = false;
};

}  // namespace gatelab::policy
