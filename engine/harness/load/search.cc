// SPDX-License-Identifier: Apache-2.0
#include "harness/load/search.h"

#include <algorithm>
#include <cmath>

namespace gatelab::harness::load {

void RateSearch::tell(bool holds) noexcept {
  if (!next_) return;
  (holds ? good_ : bad_) = *next_;
  ++steps_;
  next_ = following();
}

bool RateSearch::found() const noexcept {
  if (good_ <= 0 || bad_ <= 0) return false;
  return bad_ - good_ <= kResolution * good_ || std::floor(good_) + 1 >= bad_;
}

std::optional<double> RateSearch::following() const noexcept {
  if (found() || steps_ >= kMostSteps) return std::nullopt;
  if (bad_ <= 0) return std::max(std::floor(good_ * 2), std::floor(good_) + 1);
  // Downwards a whole rate stays a whole one, and is less each time.
  const double below = std::ceil(bad_) - 1;
  if (good_ <= 0) return below < 1 ? std::nullopt : std::optional(std::max(1.0, std::floor(bad_ / 2)));
  return std::clamp(std::round(std::sqrt(good_ * bad_)), std::floor(good_) + 1, below);
}

}  // namespace gatelab::harness::load
