// SPDX-License-Identifier: Apache-2.0
// Texts that a regular expression of RE2 matches: what is needed of its grammar, and the engine itself as the judge.
#include <re2/re2.h>

#include <algorithm>

#include "harness/diff/explore.h"

namespace gatelab::harness::diff {
namespace {

class Sampler {
 public:
  Sampler(std::string_view pattern, std::size_t variant) : rest_(pattern), variant_(variant) {}
  std::string all() { return alternatives(0); }

 private:
  static constexpr std::size_t kDeep = 32, kLong = 64;
  bool at(char c) const { return !rest_.empty() && rest_.front() == c; }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string alternatives(std::size_t depth) {
    std::vector<std::string> all{sequence(depth)};
    while (at('|')) {
      take();
      all.push_back(sequence(depth));
    }
    return all[variant_ % all.size()];
  }
  std::string sequence(std::size_t depth) {
    std::string out;
    while (!rest_.empty() && !at('|') && !at(')')) out += repeated(atom(depth));
    return out;
  }
  std::string repeated(const std::string& one) {
    std::size_t times = 1;
    if (at('*')) take(), times = variant_ % 3;
    else if (at('+')) take(), times = 1 + variant_ % 3;
    else if (at('?')) take(), times = (variant_ + 1) % 2;
    else if (at('{')) times = counted();
    if (at('?')) take();  // not greedy: the same texts
    std::string out;
    for (std::size_t i = 0; i < std::min(times, kLong); ++i) out += one;
    return out;
  }
  std::size_t counted() {
    take();
    std::size_t least = 0, most = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') least = least * 10 + static_cast<std::size_t>(take() - '0');
    most = least;
    if (at(',')) {
      take();
      most = at('}') ? least + 2 : 0;
      while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') most = most * 10 + static_cast<std::size_t>(take() - '0');
    }
    if (at('}')) take();
    return variant_ % 2 == 0 ? least : most;
  }
  std::string atom(std::size_t depth) {
    const char c = take();
    if (c == '^' || c == '$') return {};
    if (c == '.') return "a";
    if (c == '[') return set();
    if (c == '\\') return escape();
    if (c != '(') return std::string(1, c);
    if (depth > kDeep) return {};
    if (at('?')) {  // (?:…), (?i), (?P<name>…)
      const std::size_t end = rest_.find_first_of(":>)");
      const bool flags = end != std::string_view::npos && rest_[end] == ')';
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      if (flags) return {};
    }
    std::string inner = alternatives(depth + 1);
    if (at(')')) take();
    return inner;
  }
  std::string escape() {
    if (rest_.empty()) return {};
    const char c = take();
    switch (c) {
      case 'd': return std::string(1, static_cast<char>('1' + variant_ % 9));
      case 'w': return std::string(1, static_cast<char>('a' + variant_ % 26));
      case 's': return " ";
      case 'D': case 'S': return "a";
      case 'W': return "-";
      case 'b': case 'B': case 'A': case 'z': return {};
      default: return std::string(1, c);
    }
  }
  std::string set() {
    const bool except = at('^');
    if (except) take();
    std::string members;
    for (bool first = true; !rest_.empty() && (first || !at(']')); first = false) {
      char from = take();
      if (from == '\\') {
        const std::string one = escape();
        from = one.empty() ? '\\' : one.front();
      }
      members += from;
      if (rest_.size() < 2 || rest_[0] != '-' || rest_[1] == ']') continue;
      take();
      const char to = take();
      if (to > from) members += {static_cast<char>(from + (to - from) / 2), to};
    }
    if (at(']')) take();
    if (!except) return members.empty() ? std::string() : std::string(1, members[variant_ % members.size()]);
    for (const char c : {'a', '1', '-', 'Z', '_'})
      if (members.find(c) == std::string::npos) return std::string(1, c);
    return "~";
  }

  std::string_view rest_;
  std::size_t variant_;
};

}  // namespace

std::string sample_of(const std::string& pattern, std::size_t variant) {
  RE2::Options quiet;
  quiet.set_log_errors(false);
  const RE2 re(pattern, quiet);
  const std::string text = Sampler(pattern, variant).all();
  return re.ok() && RE2::PartialMatch(text, re) ? text : std::string();
}

}  // namespace gatelab::harness::diff
