// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/shrink.h"

#include <algorithm>
#include <numeric>

namespace gatelab::harness {
namespace {

using List = std::vector<std::size_t>;

// One of `parts` nearly equal parts, or all but it.
List part_of(const List& all, std::size_t parts, std::size_t which, bool without) {
  const std::size_t begin = all.size() * which / parts, end = all.size() * (which + 1) / parts;
  List out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if ((i >= begin && i < end) != without) out.push_back(all[i]);
  return out;
}

}  // namespace

List smallest_failing(std::size_t n, const List& suspects, const std::function<bool(const List&)>& fails, std::size_t most) {
  const auto still = [&](const List& list) { return most > 0 && (--most, fails(list)); };
  List now(n);
  std::iota(now.begin(), now.end(), std::size_t{0});
  for (const std::size_t suspect : suspects)
    if (still({suspect})) return {suspect};
  // What comes after the first suspect is not its cause.
  if (!suspects.empty()) {
    List before(suspects.front() + 1);
    std::iota(before.begin(), before.end(), std::size_t{0});
    if (before.size() < n && still(before)) now = before;
  }
  for (std::size_t parts = 2; now.size() > 1 && most > 0;) {
    bool smaller = false;
    for (const bool without : {false, true}) {
      for (std::size_t i = 0; i < parts && !smaller; ++i) {
        List candidate = part_of(now, parts, i, without);
        if (candidate.empty() || candidate.size() == now.size() || !still(candidate)) continue;
        now = std::move(candidate);
        parts = without ? std::max<std::size_t>(parts - 1, 2) : 2;
        smaller = true;
      }
      if (smaller) break;
    }
    if (smaller) continue;
    if (parts >= now.size()) break;
    parts = std::min(parts * 2, now.size());
  }
  return now;
}

}  // namespace gatelab::harness
