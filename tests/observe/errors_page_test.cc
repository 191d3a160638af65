// SPDX-License-Identifier: Apache-2.0
// docs/errors.md is the one table of reason words: nothing is missing there, nothing there is invented.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>

#include "http/rule.h"
#include "observe/reason.h"

namespace gatelab::test {
namespace {

std::map<std::string, int> words_of_page() {
  std::ifstream in(std::string(GATELAB_SOURCE_DIR) + "/docs/errors.md");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::regex row(R"(\| `([a-z0-9-]+)` \| (\d+) \|)");
  std::map<std::string, int> out;
  for (auto m = std::sregex_iterator(text.begin(), text.end(), row); m != std::sregex_iterator(); ++m)
    EXPECT_TRUE(out.emplace((*m)[1], std::stoi((*m)[2])).second) << (*m)[1] << " stands there twice";
  return out;
}

TEST(ErrorsPage, ListsEveryReasonWithItsStatusAndNoOther) {
  std::map<std::string, int> code;
  for (const http::RuleInfo& rule : http::all_rules()) code[std::string(rule.word)] = rule.status;
  for (const observe::Reason& reason : observe::all_reasons()) {
    EXPECT_TRUE(code.emplace(reason.word, reason.status).second) << reason.word << " means two things";
    EXPECT_EQ(observe::find_reason(reason.word)->status, reason.status);
  }
  EXPECT_GT(code.size(), 50U);
  EXPECT_EQ(words_of_page(), code);
}

}  // namespace
}  // namespace gatelab::test
