// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/replacements.h"

#include <algorithm>
#include <utility>

namespace gatelab::harness {

void Replacements::add(std::string what, std::string with) {
  if (what.size() < kShortest) return;
  beginnings_.insert(what.substr(0, kShortest));
  const std::size_t size = what.size();
  found_[size].try_emplace(std::move(what), std::move(with));
}

std::string Replacements::in(std::string_view text) const {
  std::string out, piece;
  std::size_t done = 0;
  for (std::size_t at = 0; !empty() && at + kShortest <= text.size();) {
    std::size_t length = 0;
    if (beginnings_.count(piece.assign(text.substr(at, kShortest))) > 0)
      for (auto it = found_.lower_bound(text.size() - at); it != found_.end() && length == 0; ++it)
        if (const auto known = it->second.find(piece.assign(text.substr(at, it->first))); known != it->second.end()) {
          out.append(text.substr(done, at - done)).append(known->second);
          length = it->first;
        }
    at += std::max<std::size_t>(1, length);
    if (length > 0) done = at;
  }
  return out.append(text.substr(done));
}

void Replacements::clear() {
  found_.clear();
  beginnings_.clear();
}

}  // namespace gatelab::harness
