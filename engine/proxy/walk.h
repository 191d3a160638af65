// SPDX-License-Identifier: Apache-2.0
// The one visible list of phases that policies run in (docs/life-of-a-request.md), as a synchronous walk over values: the
// exchange performs the effects, `explain` has none to perform. One thread; everything it makes lives in the arena.
#pragma once

#include <span>

#include "observe/record.h"
#include "policy/policy.h"

namespace gatelab::proxy {

class Walk {
 public:
  // `policies` are sorted by phase. `scratch` is what `input.scratch` refers to.
  Walk(std::span<const policy::Policy* const> policies, policy::Input& input, policy::Scratch& scratch,
       observe::Record& record) noexcept;

  // From here on every policy's time is written down. `clock` outlives the walk.
  void keep_times(const Clock& clock, Instant origin) noexcept {
    clock_ = &clock;
    origin_ = origin;
  }

  enum class End : std::uint8_t {
    Through,  // every policy let it pass
    Answer,   // answer() is to be sent
    Effect,   // perform effect(), set input.effect_done, call run() again
    Abort,    // close without an answer
  };
  End run() noexcept;

  policy::Answer* answer() const noexcept { return step_.answer; }
  policy::Effect* effect() const noexcept { return step_.effect; }
  // The policy that stopped the walk.
  const policy::Policy& stopped_by() const noexcept { return *policies_[next_]; }
  std::string_view reason() const noexcept { return step_.reason; }

  // Gives back what limits were charged, for a walk that only explains.
  void take_back() noexcept { undo_limits(); }

  // Policies that were stepped, in reverse order.
  void on_response(policy::ResponseInput& response) noexcept;
  bool has_on_response() const noexcept;
  void on_end(const observe::Record& record) noexcept;

 private:
  // What a policy keeps of the request while others have their turn.
  struct Place {
    policy::Scratch scratch;
    bool is_left_out = false;  // its condition does not hold: it has never met the request
  };
  bool leaves_out(const policy::Policy& policy) noexcept;
  template <class F>
  void each_reverse(std::size_t from, F&& call) noexcept;
  void note(const policy::Policy& policy, observe::Outcome outcome) noexcept;
  void undo_limits() noexcept;

  std::span<const policy::Policy* const> policies_;
  policy::Input& input_;
  policy::Scratch& current_;
  observe::Record& record_;
  std::span<Place> places_;
  std::size_t next_ = 0;
  std::size_t stepped_ = 0;
  policy::Step step_;
  const Clock* clock_ = nullptr;  // null: nobody asks how long policies take
  Instant origin_, begun_;
  bool resumes_ = false;          // the policy has been stepped before, and its effect is over
};

}  // namespace gatelab::proxy
