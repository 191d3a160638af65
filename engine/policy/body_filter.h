// SPDX-License-Identifier: Apache-2.0
// What changes a body as it streams: octets in, octets out. Pure, and bounded: whoever runs it says how much may come out at
// once. Made by a policy for one body of one exchange, whose thread runs it (engine/proxy/filtered.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "coding/coder.h"
#include "observe/reason.h"

namespace gatelab::policy {

class Policy;
using coding::Behind;

class BodyFilter {
 public:
  struct Moved {
    std::size_t taken = 0;  // octets of `in`
    std::size_t made = 0;   // octets of `out`
    // There is more to come out: call again, with what is left of `in`, the same `behind` and fresh room. Else all of `in` has
    // been taken, and at the End everything is out.
    bool more = false;
    const observe::Reason* failure = nullptr;  // the body can't be gone on with
    const observe::Reason* observed = nullptr;  // of an answer: why it would not be gone on with, if its policy did not only observe
    const Policy* observed_by = nullptr;
    std::string_view detail;                   // for the client; until the next call
  };

  // `of` is said to have refused a body that can't be gone on with; it outlives the filter.
  explicit BodyFilter(const Policy& of) noexcept : by(of) {}
  virtual ~BodyFilter() = default;
  BodyFilter(const BodyFilter&) = delete;
  BodyFilter& operator=(const BodyFilter&) = delete;

  // Reads from `in` and writes to `out`, which is not empty. Without `more` there was progress, or nothing to do.
  virtual Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept = 0;
  // Of an answer: nothing of it may go to the client yet, its head neither. Nothing has come out so far, and if the body can't be
  // gone on with, another answer takes its place. Once it is false it stays so.
  virtual bool holds_head() const noexcept { return false; }
  // Of an answer whose head is held no longer: how many octets come out in all; nullopt: that is not known.
  virtual std::optional<std::uint64_t> length() const noexcept { return std::nullopt; }
  // Whose the last failure was.
  virtual const Policy& blamed() const noexcept { return by; }

  const Policy& by;
};
using BodyFilterPtr = std::unique_ptr<BodyFilter>;

// Makes `next` follow upon what `chain` has already; that may be null.
void append(BodyFilterPtr& chain, BodyFilterPtr next);

}  // namespace gatelab::policy
