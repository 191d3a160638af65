// SPDX-License-Identifier: Apache-2.0
#include "balance/outcome.h"

#include <algorithm>
#include <array>

namespace gatelab::balance {
namespace {

struct Word {
  std::string_view word;
  Failure failure;
};
constexpr std::array<Word, 4> kWords{{{"connect-failure", Failure::Connect}, {"reset", Failure::Reset}, {"timeout", Failure::Timeout}, {"malformed", Failure::Malformed}}};

// One scalar or a list of them: words and numbers alike.
std::vector<const config::Node*> scalars(const config::Node& node, diag::Sink& sink, const std::string& what, const char* example) {
  std::vector<const config::Node*> out;
  const auto is_scalar = [](const config::Node& n) { return n.kind == config::Kind::Text || n.kind == config::Kind::Integer; };
  if (is_scalar(node)) return {&node};
  if (node.kind != config::Kind::List || node.items.empty()) {
    sink.error("wrong-type", node.span, what + " must be a list", example);
    return out;
  }
  for (const config::Node& item : node.items) {
    if (is_scalar(item)) out.push_back(&item);
    else sink.error("wrong-type", item.span, what + " holds words and status codes only", example);
  }
  return out;
}

}  // namespace

void StatusSet::add(std::uint16_t first, std::uint16_t last) noexcept {
  for (std::uint32_t code = std::max<std::uint32_t>(first, 100); code <= last && code < 600; ++code) codes_.set(code - 100);
}

bool add_status(StatusSet& set, std::string_view word) noexcept {
  if (word.size() != 3 || word[0] < '1' || word[0] > '5') return false;
  const auto hundreds = static_cast<std::uint16_t>((word[0] - '0') * 100);
  if (word.substr(1) == "xx") {
    set.add(hundreds, static_cast<std::uint16_t>(hundreds + 99));
    return true;
  }
  if (word[1] < '0' || word[1] > '9' || word[2] < '0' || word[2] > '9') return false;
  const auto code = static_cast<std::uint16_t>(hundreds + (word[1] - '0') * 10 + (word[2] - '0'));
  set.add(code, code);
  return true;
}

StatusSet parse_statuses(const config::Node& node, diag::Sink& sink, const std::string& what) {
  StatusSet out;
  for (const config::Node* item : scalars(node, sink, what, "[ 200, 204 ] or [ 2xx ]"))
    if (!add_status(out, item->text)) sink.error("bad-status", item->span, "`" + item->text + "` is not a status code", "200, or a class such as 2xx");
  return out;
}

OutcomeSet parse_outcomes(const config::Node& node, diag::Sink& sink, const std::string& what) {
  OutcomeSet out;
  for (const config::Node* item : scalars(node, sink, what, "[ connect-failure, reset, 503 ]")) {
    const auto known = std::find_if(kWords.begin(), kWords.end(), [item](const Word& w) { return w.word == item->text; });
    if (known != kWords.end()) out.add(known->failure);
    else if (!add_status(out.statuses, item->text))
      sink.error("bad-choice", item->span, "`" + item->text + "` is nothing that " + what + " knows", "connect-failure, reset, timeout, malformed, a status code such as 503, or a class such as 5xx");
  }
  return out;
}

}  // namespace gatelab::balance
