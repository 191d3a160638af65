// SPDX-License-Identifier: Apache-2.0
// What stands for a value, and what a shell and a scenario read where others have written the text around it.
#include "harness/diff/references.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>

#include "harness/scenario/values.h"
#include "io/process.h"

namespace gatelab::harness::diff {
namespace {

const std::map<std::string, std::string, std::less<>>& environment() {
  static const std::map<std::string, std::string, std::less<>> all{{"KEY", "se/cret +1"}, {"PART", "cret +"}, {"PIN", "739"}, {"FILE", "of-a-file\n"}, {"BLANK", "  \n"}};
  return all;
}
const std::string* variable(void*, std::string_view name) {
  const auto known = environment().find(name);
  return known == environment().end() ? nullptr : &known->second;
}

References known() {
  References out;
  out.find("$(env.KEY) $(env.PART:x) $(env.PIN) $(env.FILE) $(env.BLANK) $(env.KE}\"; id) $(env.UNSET:none)", {&variable, nullptr});
  return out;
}

TEST(References, ValuesAreFoundHoweverTheyAreEncoded) {
  const References all = known();
  EXPECT_EQ(all.masked("a=se/cret +1&b"), "a=$(env.KEY)&b");
  EXPECT_EQ(all.masked("a=se%2Fcret%20%2b1&b"), "a=$(env.KEY)&b");
  EXPECT_EQ(all.masked("a=se%2fcret++1&b"), "a=$(env.KEY)&b");
  EXPECT_EQ(all.masked(R"json({"a":"se\/cret +1"})json"), R"json({"a":"$(env.KEY)"})json");
  EXPECT_EQ(all.masked("cret +2, cret%20%2"), "$(env.PART)2, cret%20%2");
  EXPECT_EQ(all.masked("X: of-a-file"), "X: $(env.FILE)");
  EXPECT_EQ(all.masked("of-a-fil"), "of-a-fil");
  EXPECT_TRUE(all.pieces("se%2Fcret +1").front().encoded);
  EXPECT_FALSE(all.pieces("se/cret +1").front().encoded);
}

TEST(References, ShortValuesStandAloneAndAreThoseOfSecretPlaces) {
  EXPECT_EQ(known().masked("739"), "739");
  const std::string text = "consumers: [ { name: a, keys: [ { value: $(env.PIN) } ] } ]\n";
  diag::Sink sink;
  const auto source = std::make_shared<diag::SourceFile>(diag::SourceFile{"a.yaml", text});
  const auto tree = config::parse(source, {{&variable, nullptr}, true}, sink);
  ASSERT_TRUE(tree);
  References all;
  all.find(*tree, text, {&variable, nullptr});
  EXPECT_EQ(all.masked("/a?key=739&b=7391"), "/a?key=$(env.PIN)&b=7391");
  EXPECT_EQ(all.masked("739"), "$(env.PIN)");
  EXPECT_EQ(all.masked("in 739 ms"), "in 739 ms");
}

// Read by a shell and by a scenario again, the text is the same.
TEST(References, WhatIsPastedIsTheTextAndNothingElse) {
  const References all = known();
  const std::string texts[] = {"", "plain", "se/cret +1", "x=se/cret +1;", "$(env.KEY}\"; touch pwned; echo \"${B)", "$(env.KEY:`touch pwned`)", "$(touch pwned) `touch pwned` $KEY ${KEY}", "it's 'se/cret +1'",
                               "$se/cret +1", "$$se/cret +1", "$(se/cret +1)", "$$(env.PIN) $$$(env.KEY)", "\x1b[31m'\\\x7f'", "-n", "a\nb\\"};
  auto directory = io::PrivateDirectory::make();
  ASSERT_TRUE(directory);
  std::ofstream script((*directory)->path() + "/all.sh");
  std::string expected;
  for (const std::string& text : texts) {
    script << "printf '[%s]' " << shell_word(text, all) << "\n";
    expected += "[" + text + "]";
    EXPECT_EQ(shell_word(text, all).find("se/cret"), std::string::npos);
    EXPECT_EQ(scenario_scalar(text, all).find("se/cret"), std::string::npos);
    config::Node node;
    node.kind = config::Kind::Text;
    node.text = scenario_scalar(text, all);
    Values values;
    values.env = {&variable, nullptr};
    diag::Sink sink;
    EXPECT_EQ(substitute(node, values, sink).text, text) << node.text;
    EXPECT_FALSE(sink.has_errors()) << node.text;
  }
  script.close();
  auto bash = io::Process::start({{"bash", "all.sh"}, {{"KEY", environment().at("KEY")}, {"PART", environment().at("PART")}}, (*directory)->path()});
  ASSERT_TRUE(bash);
  siginfo_t end{};
  while (::waitid(P_PID, static_cast<id_t>((*bash)->pid()), &end, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  (*bash)->kill();
  EXPECT_EQ((*bash)->output(), expected);
  EXPECT_FALSE(std::filesystem::exists((*directory)->path() + "/pwned"));
}

}  // namespace
}  // namespace gatelab::harness::diff
