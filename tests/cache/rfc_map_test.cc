// SPDX-License-Identifier: Apache-2.0
// docs/policies/cache-rfc-map.md names tests as proofs: each of them has to be there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace gatelab::test {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// `Suite.Name` between backticks: both are words that begin with a capital letter.
std::set<std::string> names_in(const std::string& page) {
  const auto is_word = [](std::string_view text) {
    return !text.empty() && text.front() >= 'A' && text.front() <= 'Z' && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == std::string_view::npos;
  };
  std::set<std::string> out;
  for (std::size_t at = page.find('`'); at != std::string::npos; at = page.find('`', at + 1)) {
    const std::size_t end = page.find('`', at + 1);
    if (end == std::string::npos) break;
    const std::string quoted = page.substr(at + 1, end - at - 1);
    const std::size_t dot = quoted.find('.');
    if (dot != std::string::npos && is_word(quoted.substr(0, dot)) && is_word(quoted.substr(dot + 1))) out.insert(quoted);
    at = end;
  }
  return out;
}

TEST(RfcMap, NamesOnlyTestsThatExist) {
  const std::filesystem::path root = GATELAB_SOURCE_DIR;
  std::string tests;
  for (const char* room : {"cache", "http", "policy"})
    for (const auto& file : std::filesystem::directory_iterator(root / "tests" / room)) tests += read(file.path());
  const std::set<std::string> names = names_in(read(root / "docs/policies/cache-rfc-map.md"));
  EXPECT_GT(names.size(), 60U);
  for (const std::string& name : names) {
    const std::size_t dot = name.find('.');
    EXPECT_NE(tests.find("TEST(" + name.substr(0, dot) + ", " + name.substr(dot + 1) + ")"), std::string::npos) << name;
  }
}

// `scenarios/….yaml` *the name of a case*.
TEST(RfcMap, NamesOnlyCasesOfScenariosThatExist) {
  const std::filesystem::path root = GATELAB_SOURCE_DIR;
  const std::string page = read(root / "docs/policies/cache-rfc-map.md");
  std::size_t cases = 0;
  for (std::size_t at = page.find("`scenarios/"); at != std::string::npos; at = page.find("`scenarios/", at + 1)) {
    const std::size_t end = page.find('`', at + 1), name = page.find('*', end), name_end = page.find('*', name + 1);
    const std::string file = page.substr(at + 1, end - at - 1), wanted = page.substr(name + 1, name_end - name - 1);
    ASSERT_EQ(name, end + 2) << file << " is named without a case";
    EXPECT_NE(read(root / file).find("  - name: " + wanted + "\n"), std::string::npos) << file << ": " << wanted;
    ++cases;
  }
  EXPECT_GT(cases, 5U);
}

}  // namespace
}  // namespace gatelab::test
