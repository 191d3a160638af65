// SPDX-License-Identifier: Apache-2.0
// A load run as a file and as text. The file holds whole histograms, so that parts of one run merge exactly and a later run
// can be compared with it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/load/compare.h"
#include "harness/load/judge.h"
#include "harness/load/served.h"

namespace gatelab::harness::load {

// Something that happened at an instant of each round.
struct Mark {
  Duration at{};
  std::string text;
};

struct Outcome {
  std::string target;  // as it was named
  std::string plan;    // "open, Poisson, 500/s for 10s"
  Model model = Model::Open;
  std::uint64_t seed = 1;
  std::uint32_t connections = 0, threads = 1;
  Part shard;
  Duration warmup{};
  double confidence = 0.95;
  std::vector<std::string> thresholds;
  Duration timeout{};
  std::uint64_t requests = 0;  // a digest of what is sent: requests but for values of headers, expected statuses, data
  std::vector<Mark> marks;
  std::vector<Round> rounds;
  ServedAll served;  // of a gateway that ran in here, in all rounds with their warm-up
};

// "open, Poisson, 500/s for 10s"
std::string plan_text(const Load& load);
// Of a run that is about to begin: everything but its rounds and marks.
Outcome begin_outcome(std::string target, const Load& load, std::uint32_t threads, double confidence, const std::vector<Threshold>& thresholds);
// `compared` may be null.
std::string to_text(const Outcome& outcome, const Judgement& judgement, const Compared* compared);
std::string to_json(const Outcome& outcome, const Judgement& judgement, const Compared* compared);
// Of rounds whose every request failed, with what they ended with: "no request succeeded (refused: 20)". Empty: some did, or
// none was sent.
std::string none_succeeded(const std::vector<Round>& rounds);
// The latencies of all rounds in HdrHistogram's text form.
std::string to_hdr(const Outcome& outcome);
// One page, without anything from elsewhere.
std::string to_html(const Outcome& outcome, const Judgement& judgement, const Compared* compared);
// ids: bad-result. `name` for messages.
Result<Outcome> read_outcome(std::string_view name, std::string_view json);
// Shards of one run, each exactly once. ids: not-one-run; the message says in what they differ.
Result<Outcome> merge(std::vector<Outcome> parts);

}  // namespace gatelab::harness::load
