// SPDX-License-Identifier: Apache-2.0
#include "harness/load/plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gatelab::harness::load {
namespace {

double seconds(Duration d) noexcept { return static_cast<double>(d.count()) / 1e9; }
Duration from_seconds(double s) noexcept { return Duration{std::llround(s * 1e9)}; }

double area_of(const Stage& s) noexcept { return (s.from + s.to) / 2 * seconds(s.length); }

}  // namespace

Curve::Curve(std::vector<Stage> stages) : stages_(std::move(stages)) {
  for (const Stage& s : stages_) {
    length_ += s.length;
    total_ += area_of(s);
  }
}

double Curve::level(Duration at) const noexcept {
  for (const Stage& s : stages_) {
    if (at < s.length) return s.from + (s.to - s.from) * seconds(at) / seconds(s.length);
    at -= s.length;
  }
  return 0;
}

double Curve::most() const noexcept {
  double out = 0;
  for (const Stage& s : stages_) out = std::max({out, s.from, s.to});
  return out;
}

double Curve::until(Duration at) const noexcept {
  double area = 0;
  for (const Stage& s : stages_) {
    if (at <= Duration{}) break;
    const Duration inside = std::min(at, s.length);
    const double share = s.length > Duration{} ? seconds(inside) / seconds(s.length) : 0;
    area += (s.from + (s.from + (s.to - s.from) * share)) / 2 * seconds(inside);
    at -= s.length;
  }
  return area;
}

std::optional<Duration> Curve::when(double area) const noexcept {
  Duration begin{};
  for (const Stage& s : stages_) {
    const double here = area_of(s);
    if (area <= here && here > 0) {
      // from·t + slope/2·t² = area, in the form that does not cancel when the slope is near nothing.
      const double slope = (s.to - s.from) / seconds(s.length);
      const double root = std::sqrt(std::max(0.0, s.from * s.from + 2 * slope * area));
      const double t = area == 0 ? 0 : 2 * area / (s.from + root);
      return begin + std::min(from_seconds(t), s.length);
    }
    area -= here;
    begin += s.length;
  }
  return std::nullopt;
}

std::vector<Curve::Span> Curve::above(double level) const {
  std::vector<Span> out;
  Duration begin{};
  const auto add = [&out](Duration from, Duration to) {
    if (from >= to) return;
    if (!out.empty() && out.back().end == from) out.back().end = to;
    else out.push_back({from, to});
  };
  for (const Stage& s : stages_) {
    const bool first = s.from > level, last = s.to > level;
    const Duration crossing = first == last ? Duration{} : begin + from_seconds((level - s.from) / (s.to - s.from) * seconds(s.length));
    if (first && last) add(begin, begin + s.length);
    else if (first) add(begin, crossing);
    else if (last) add(crossing, begin + s.length);
    begin += s.length;
  }
  return out;
}

Arrivals::Arrivals(const Curve& curve, Spacing spacing, Random random, Part part) : curve_(curve), spacing_(spacing), part_(part), dice_(random.fork("arrivals")) {}

// A Poisson process of a changing rate is one of rate 1 seen through the area under the rate: exact for every ramp.
std::optional<Arrival> Arrivals::next() noexcept {
  for (;;) {
    if (spacing_ == Spacing::Poisson) area_ -= std::log1p(-dice_.unit());
    else area_ = static_cast<double>(ordinal_);
    // The end itself is no part of the plan.
    if (area_ > curve_.total() - 1e-9) return std::nullopt;
    const std::uint64_t ordinal = ordinal_++;
    if (ordinal % part_.of != part_.index) continue;
    const auto at = curve_.when(area_);
    if (!at) return std::nullopt;
    return Arrival{ordinal, *at};
  }
}

Mix::Mix(std::vector<double> weights) : weights_(std::move(weights)) {
  for (const double w : weights_) sum_ += w;
}

std::size_t Mix::choose(Random random, std::uint64_t ordinal) const noexcept {
  if (weights_.size() < 2) return 0;
  double at = random.fork("mix", ordinal).unit() * sum_;
  for (std::size_t i = 0; i + 1 < weights_.size(); ++i) {
    at -= weights_[i];
    if (at < 0) return i;
  }
  return weights_.size() - 1;
}

}  // namespace gatelab::harness::load
