// SPDX-License-Identifier: Apache-2.0
// Golden diagnostics: fixtures/config-errors/<case>.yaml and what `check` says of it. To write them again after a change of
// wording: test_gateway --gtest_filter=ConfigErrors* --write-golden, and read the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "gateway/model.h"

namespace gatelab::test {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = GATELAB_SOURCE_DIR;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool writes_golden() {
  const auto arguments = testing::internal::GetArgvs();
  return std::find(arguments.begin(), arguments.end(), "--write-golden") != arguments.end();
}

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kRoot / "fixtures/config-errors"))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

diag::Sink check(const fs::path& path) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = path.filename();
  source->text = slurp(path);
  policy::StateStore states;
  gateway::ModelInput input;
  input.source = source;
  input.states = &states;
  input.directory = path.parent_path();
  input.now = Instant::from_seconds(1'780'000'000);  // 2026-05-28: some certificates of fixtures/ are late by then
  input.local = [] { return Result<std::shared_ptr<crypto::LocalAuthority>>(fail("local-ca", "there is none in this test")); };
  input.local_key = [](crypto::Algorithm) { return Result<crypto::JwkPtr>(fail("private-file", "there is none in this test")); };
  diag::Sink sink;
  const auto model = gateway::build_model(input, sink);
  EXPECT_EQ(model == nullptr, sink.has_errors()) << path;
  return sink;
}

TEST(ConfigErrors, ReadAsTheyAreWrittenDown) {
  ASSERT_GE(cases().size(), 40U);
  for (const fs::path& path : cases()) {
    fs::path expected = path;
    expected.replace_extension(".expected");
    const std::string got = diag::render_all(check(path), diag::Colour::Off);
    EXPECT_FALSE(got.empty()) << path;
    if (writes_golden()) std::ofstream(expected, std::ios::binary) << got;
    EXPECT_EQ(got, slurp(expected)) << path;
  }
}

TEST(ConfigErrors, HaveACaseForEveryId) {
  std::set<std::string> seen, known;
  for (const fs::path& path : cases()) {
    const diag::Sink sink = check(path);
    for (const diag::Diagnostic& d : sink.all()) seen.insert(d.id);
  }
  // Every id that the rooms behind build_model() can report stands in their sources as a literal.
  const std::regex report(R"re((?:error|warning|fail|bad)\(\s*(?:sink, )?"([a-z][a-z0-9-]+)"|\.id = "([a-z0-9-]+)"|warn\(sink, "([a-z-]+)")re");
  for (const char* room : {"config", "route", "balance", "policy", "upstream", "gateway"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / "engine" / room)) {
      // These speak of what is asked, of sockets and of state files.
      const std::set<fs::path> others{"caches.cc", "explain.cc", "gateway.cc", "kept.cc", "state_keeper.cc"};
      if (entry.path().extension() != ".cc" || others.count(entry.path().filename()) > 0) continue;
      const std::string text = slurp(entry.path());
      for (auto m = std::sregex_iterator(text.begin(), text.end(), report); m != std::sregex_iterator(); ++m)
        for (std::size_t group = 1; group < m->size(); ++group)
          if ((*m)[group].matched) known.insert((*m)[group]);
    }
  }
  EXPECT_GE(known.size(), 40U) << "the search for ids has gone blind";
  // These need a file of more than 64 MiB or a million values, or belong to other files than configurations.
  for (const char* rare : {"too-large", "bad-share", "bad-number"}) known.erase(rare);
  for (const std::string& id : known) EXPECT_TRUE(seen.count(id) > 0) << "no case in fixtures/config-errors reports " << id;
}

}  // namespace
}  // namespace gatelab::test
