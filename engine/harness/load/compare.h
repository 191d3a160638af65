// SPDX-License-Identifier: Apache-2.0
// Is one run slower than another? Rounds are what is compared, not requests: requests of one round are alike in everything
// that the machine did meanwhile. Pure.
#pragma once

#include <optional>
#include <vector>

#include "harness/load/judge.h"

namespace gatelab::harness::load {

struct Comparison {
  double quantile = 0.5;
  double ratio = 1, low = 0, high = 0;  // of the new latency to the old one; the bounds are one-sided each
  Verdict verdict = Verdict::Inconclusive;
  std::string text;
};

// Fail: this run has more errors than the base. Invalid: the base has more than this run, and so its latencies are those of
// fewer requests. Pass: they do not differ as far as the samples tell.
struct ComparedErrors {
  double base = 0, now = 0;  // shares
  Verdict verdict = Verdict::Pass;
  std::string text;
};

struct Compared {
  std::string base;         // as it was named
  double tolerance = 0;     // a share
  double superiority = 0.5; // the chance that a request of the new one is the slower of two
  std::vector<Comparison> findings;
  ComparedErrors errors;
  std::vector<std::string> invalid;  // why the base is nothing to compare with
  Verdict verdict = Verdict::Inconclusive;
};

// One of the two.
struct Measured {
  const std::vector<Round>& rounds;
  Model model = Model::Open;
  std::uint32_t connections = 0;
};

struct Comparing {
  std::vector<double> quantiles;
  double tolerance = 0;      // a share
  double confidence = 0.95;  // with which all findings hold together
  // Round i of both ran one after the other, so that they met the same machine: their log ratios are tested. Else the two sets
  // of log latencies are (Welch).
  bool paired = false;
};

// Whether the generator of `now` was good enough is judge()'s to say.
Compared compare(const Measured& base, const Measured& now, const Comparing& how);

}  // namespace gatelab::harness::load
