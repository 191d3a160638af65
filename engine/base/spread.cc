// SPDX-License-Identifier: Apache-2.0
#include "base/spread.h"

#include <cmath>
#include <numbers>

namespace gatelab {

Duration Spread::draw(Dice& dice) const noexcept {
  constexpr double kNormal99 = 2.3263478740408408;  // the standard normal distribution's 99th percentile
  const double radius = std::sqrt(-2 * std::log(1 - dice.unit()));
  const double normal = radius * std::cos(2 * std::numbers::pi * dice.unit());
  if (p99 == Duration{}) return p50;
  const double median = static_cast<double>(p50.count());
  return Duration{static_cast<std::int64_t>(median * std::exp(std::log(static_cast<double>(p99.count()) / median) / kNormal99 * normal))};
}

}  // namespace gatelab
