// SPDX-License-Identifier: Apache-2.0
// Many texts, each with what is to stand in its place. Pure once filled; any thread may ask then.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace gatelab::harness {

class Replacements {
 public:
  static constexpr std::size_t kShortest = 5;  // shorter ones stand in too much that has nothing to do with them: they are passed over

  // What is there already stays.
  void add(std::string what, std::string with);
  // From the left, the longest first; what stands there then is not looked at again. Time is linear in the text.
  std::string in(std::string_view text) const;
  bool empty() const noexcept { return beginnings_.empty(); }
  void clear();

 private:
  std::map<std::size_t, std::unordered_map<std::string, std::string>, std::greater<>> found_;  // by length
  std::unordered_set<std::string> beginnings_;  // the first octets of all of them
};

}  // namespace gatelab::harness
