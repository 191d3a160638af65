// SPDX-License-Identifier: Apache-2.0
// Is one run slower than another? Rounds are what is compared, not requests: requests of one round are alike in everything
// that the machine did meanwhile. Pure.
#pragma once

#include <vector>

#include "harness/load/judge.h"

namespace gatelab::harness::load {

struct Comparison {
  double quantile = 0.5;
  double ratio = 1, low = 0, high = 0;  // of the new latency to the old one; the bounds are one-sided each
  Verdict verdict = Verdict::Inconclusive;
  std::string text;
};

struct Compared {
  std::string base;         // as it was named
  double tolerance = 0;     // a share
  double superiority = 0.5; // the chance that a request of the new one is the slower of two
  std::vector<Comparison> findings;
  Verdict verdict = Verdict::Inconclusive;
};

// `paired`: round i of both ran one after the other, so that they met the same machine: their log ratios are tested. Else the
// two sets of log latencies are (Welch). All findings together hold with `confidence`.
Compared compare(const std::vector<Round>& base, const std::vector<Round>& now, const std::vector<double>& quantiles, double tolerance, double confidence, bool paired);

}  // namespace gatelab::harness::load
