// SPDX-License-Identifier: Apache-2.0
// What is replayed and how, as checked values: the step `replay` (docs/record-and-replay.md). Immutable once parsed; any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/match/matcher.h"
#include "harness/replay/recording.h"

namespace gatelab::harness {

// What may differ. One that hides nothing is stale.
struct Masks {
  enum class Unused : std::uint8_t { Fail, Strict, Allow };
  struct Header {
    std::string name;
    diag::Span span;
  };
  struct Path {
    std::string text;
    JsonPath path;
    diag::Span span;
  };
  std::vector<Header> headers;
  std::vector<Path> ignore, unordered;
  Unused unused = Unused::Fail;  // Fail: what is masked is in no answer; Strict: or never differs
};

// What answers are held against.
struct ReplayCompare {
  std::string gateway;  // another configuration; empty: the recording
  std::uint32_t learn = 0;  // more runs of the same, from which noise is learnt
  Masks masks;
  diag::Span span, gateway_span;
};

struct Replay {
  enum class Upstreams : std::uint8_t { Mocks, Recorded, Live };  // Live: those that have no mock are called where they are
  struct Secret {
    std::string mark, text;  // twelve digits, and what they stand for
    diag::Span span;
  };

  std::string from;
  MatcherPtr path, method;             // null: any
  std::vector<std::string> exchanges;  // ids; empty: any
  double speed = 1;                    // times as fast as it was recorded; 0: one after another, without pauses
  Upstreams upstreams = Upstreams::Mocks;
  std::string remint;                  // an issuer of the scenario; empty: tokens go as they are
  std::vector<Secret> secrets;
  bool skip_left_out = false;          // what can't be replayed is left out; else it fails
  std::string listener;                // empty: the first of the recorded scheme
  std::optional<ReplayCompare> compare;
  MatcherPtr compared, different;      // of totals
  diag::Span span, from_span, upstreams_span, remint_span;
  std::shared_ptr<const Recording> recording;  // read before anything runs
};

// Those that `only` leaves.
std::vector<const RecordedExchange*> selected(const Replay& replay);
// Why it can't be replayed; empty: it can.
std::string unplayable(const Replay& replay, const RecordedExchange& exchange);

}  // namespace gatelab::harness
