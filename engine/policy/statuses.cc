// SPDX-License-Identifier: Apache-2.0
#include "policy/statuses.h"

#include <algorithm>

#include "base/text.h"

namespace gatelab::policy {

bool Statuses::has(std::uint16_t status) const noexcept {
  return ranges_.empty() || std::any_of(ranges_.begin(), ranges_.end(), [status](const auto& r) { return status >= r.first && status <= r.second; });
}

// 404, or 2xx: all of a hundred.
void Statuses::add(const config::Node& node, diag::Sink& sink) {
  std::uint64_t status = 0;
  const std::string& text = node.text;
  if (text.size() == 3 && text[0] >= '1' && text[0] <= '5' && text.substr(1) == "xx") {
    const auto first = static_cast<std::uint16_t>((text[0] - '0') * 100);
    ranges_.emplace_back(first, static_cast<std::uint16_t>(first + 99));
  } else if (parse_decimal(text, status) && status >= 100 && status <= 599) {
    ranges_.emplace_back(static_cast<std::uint16_t>(status), static_cast<std::uint16_t>(status));
  } else {
    sink.error("bad-number", node.span, "this is no status", "status: [ 2xx, 404 ]");
  }
}

Statuses Statuses::parse(const config::Node* node, diag::Sink& sink) {
  Statuses out;
  if (node == nullptr) return out;
  if (node->kind != config::Kind::List) out.add(*node, sink);
  else
    for (const config::Node& one : node->items) out.add(one, sink);
  return out;
}

}  // namespace gatelab::policy
