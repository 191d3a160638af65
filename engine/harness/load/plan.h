// SPDX-License-Identifier: Apache-2.0
// When what is sent, decided before anything is: a pure function of the stages and the seed, in time since the start. Several
// generators (threads, shards) walk the same plan and take every n-th arrival of it, so that together they are the whole. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace gatelab::harness::load {

// From one level to another at a steady slope: requests per second, or users.
struct Stage {
  double from = 0, to = 0;
  Duration length{};
};

// Level over time.
class Curve {
 public:
  explicit Curve(std::vector<Stage> stages);
  const std::vector<Stage>& stages() const noexcept { return stages_; }
  Duration length() const noexcept { return length_; }
  double level(Duration at) const noexcept;
  double most() const noexcept;
  // The area under it until then: how many arrivals.
  double until(Duration at) const noexcept;
  double total() const noexcept { return total_; }
  // The first instant by which `area` is reached; nullopt: never.
  std::optional<Duration> when(double area) const noexcept;

  struct Span {
    Duration begin, end;
  };
  // While it is above `level`: when a user of that number, counted from 0, is there.
  std::vector<Span> above(double level) const;

 private:
  std::vector<Stage> stages_;
  Duration length_{};
  double total_ = 0;
};

enum class Spacing : std::uint8_t { Poisson, Even };

struct Arrival {
  std::uint64_t ordinal = 0;
  Duration at{};
};

// The part `index` of `of` equal ones.
struct Part {
  std::uint32_t index = 0, of = 1;
};

// The arrivals of an open model, in order.
class Arrivals {
 public:
  Arrivals(const Curve& curve, Spacing spacing, Random random, Part part);
  std::optional<Arrival> next() noexcept;

 private:
  const Curve& curve_;
  Spacing spacing_;
  Part part_;
  Dice dice_;
  double area_ = 0;
  std::uint64_t ordinal_ = 0;
};

// Which of the weighted choices the arrival of that ordinal takes.
class Mix {
 public:
  explicit Mix(std::vector<double> weights);
  std::size_t choose(Random random, std::uint64_t ordinal) const noexcept;
  const std::vector<double>& weights() const noexcept { return weights_; }

 private:
  std::vector<double> weights_;
  double sum_ = 0;
};

}  // namespace gatelab::harness::load
