// SPDX-License-Identifier: Apache-2.0
// Looks for the highest rate that holds: doubles it while it does, halves it while it does not, and then halves the gap, as a
// ratio. No rate is asked about twice. Pure; one thread.
#pragma once

#include <optional>

namespace gatelab::harness::load {

class RateSearch {
 public:
  static constexpr double kResolution = 0.05;  // of the gap, as a share of the rate that holds
  static constexpr int kMostSteps = 32;

  // `first`: requests per second, to begin with. Every other rate is a whole number.
  explicit RateSearch(double first) noexcept : next_(first) {}
  // What is to be tried; nullopt: the search is over.
  std::optional<double> next() const noexcept { return next_; }
  void tell(bool holds) noexcept;  // of next()

  double good() const noexcept { return good_; }  // the highest that held; 0: none
  double bad() const noexcept { return bad_; }    // the lowest that did not; 0: all held
  // The gap is small enough, or there is no whole rate within it.
  bool found() const noexcept;

 private:
  std::optional<double> following() const noexcept;

  std::optional<double> next_;
  double good_ = 0, bad_ = 0;
  int steps_ = 0;
};

}  // namespace gatelab::harness::load
