// SPDX-License-Identifier: Apache-2.0
// docs/configuration.md and docs/policies/ against the parser: a key that one of them has and the other has not fails. What the
// parser knows is what it says itself where it meets a key that nobody knows: every map of every configuration in scenarios/ gets one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "gateway/model.h"

namespace gatelab::test {
namespace {

namespace fs = std::filesystem;
using Keys = std::map<std::string, std::set<std::string>>;  // by where the map stands: listeners[].tls

constexpr const char* kNobodyKnows = "qqqqqqqqqqqqqqqqqqqqqqqq";
// Maps whose keys are names that the user chooses.
const std::set<std::string> kNamed{"caches", "trace.otlp.headers", "upstreams", "upstreams.*.targets", "issuers", "routes[].match.headers", "routes[].match.query", "policies[].jwt.claims", "policies[].jwt.forward",
                                   "policies[].respond.headers", "policies[].headers.request.set", "policies[].headers.request.add", "policies[].headers.response.set",
                                   "policies[].headers.response.add", "policies[].headers.request.copy", "policies[].headers.request.rename", "policies[].headers.response.rename",
                                   "policies[].query.rename", "policies[].query.set", "policies[].query.add", "policies[].split.variants", "policies[].aggregate.parts", "policies[].aggregate.parts.*.headers",
                                   "policies[].validate.body.schema.properties", "policies[].validate.query.schema.properties", "policies[].validate.headers.schema.properties"};
// What is JSON, whatever keys it has.
const std::set<std::string> kJson{"policies[].respond.json", "policies[].aggregate.parts.*.json", "policies[].aggregate.parts.*.default"};

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The configurations that stand there for people to read and run.
std::vector<fs::path> examples() {
  std::vector<fs::path> out;
  for (const char* root : {"/scenarios", "/fixtures/configurations"})
    for (const auto& entry : fs::recursive_directory_iterator(std::string(GATELAB_SOURCE_DIR) + root))
      if (entry.path().extension() == ".yaml" && slurp(entry.path()).find("\nlisteners:") != std::string::npos) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

config::Node* at(config::Node& node, const std::vector<std::size_t>& way) {
  config::Node* n = &node;
  for (const std::size_t i : way) n = n->kind == config::Kind::Map ? n->entries[i].value.get() : &n->items[i];
  return n;
}

struct Place {
  std::string path;
  std::vector<std::size_t> way;
};

// A policy is the same on a route, above all routes and inside of others; a condition on claims or on requests wherever it stands.
std::string plain(std::string path) {
  static const std::regex inside("^routes\\[\\]\\.policies|^policies\\[\\]\\.(any-of|all-of)(?=\\[)"), claims("^policies\\[\\]\\.(allow|deny)\\.claims"), when("^policies\\[\\]\\.(cache|fault|mirror|headers|json|validate|openapi|aggregate\\.parts\\.\\*)\\.when"),
      cache("^policies\\[\\]\\.aggregate\\.parts\\.\\*\\.cache"), openapi("^routes\\[\\]\\.openapi"),
      excepted("^policies\\[\\]\\.if\\.not"), fields("^policies\\[\\]\\.if\\.(headers|query)"), who("^policies\\[\\]\\.if\\.claims"),
      waits("^routes\\[\\]\\.timeouts\\.(stream|tunnel)");
  path = std::regex_replace(path, openapi, "policies[].openapi");
  path = std::regex_replace(std::regex_replace(path, excepted, "policies[].if"), fields, "routes[].match.$1");
  path = std::regex_replace(path, who, "policies[].jwt.claims");
  path = std::regex_replace(path, waits, "upstreams.*.timeouts.$1");
  path = std::regex_replace(std::regex_replace(path, inside, "policies"), claims, "policies[].jwt.claims");
  return std::regex_replace(std::regex_replace(path, when, "routes[].match"), cache, "policies[].cache");
}

// Stubs of mocks are scenarios' language: docs/scenarios.md.
void maps_of(const config::Node& node, const Place& here, std::vector<Place>& out) {
  if (node.kind == config::Kind::List) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      Place below{here.path + "[]", here.way};
      below.way.push_back(i);
      maps_of(node.items[i], below, out);
    }
  }
  if (node.kind != config::Kind::Map) return;
  const bool named = kNamed.count(here.path) > 0;
  if (!named) out.push_back(here);
  for (std::size_t i = 0; i < node.entries.size(); ++i) {
    const std::string& key = node.entries[i].key;
    if (key == "mock") continue;
    Place below{here.path.empty() ? key : here.path + "." + (named ? "*" : key), here.way};
    below.path = plain(std::move(below.path));
    below.way.push_back(i);
    if (kJson.count(below.path) == 0) maps_of(*node.entries[i].value, below, out);
  }
}

diag::Sink build(const fs::path& path, const diag::SourcePtr& source, std::unique_ptr<config::Node> tree) {
  policy::StateStore states;
  gateway::ModelInput input;
  input.source = source;
  input.states = &states;
  input.directory = path.parent_path();
  diag::Sink sink;
  gateway::build_model(input, std::move(tree), sink);
  return sink;
}

// Into `keys`: all that `path`'s parser knows at its maps.
void learn(const fs::path& path, std::set<std::string>& seen, Keys& keys) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = path.filename();
  source->text = slurp(path);
  diag::Sink sink;
  const auto whole = config::parse(source, {}, sink);
  ASSERT_NE(whole, nullptr) << path;
  std::vector<Place> places;
  maps_of(*whole, {}, places);
  const std::regex known("known keys: (.*)"), word("[^, ]+");
  for (const Place& place : places) {
    // Keys may depend on their neighbours, so the same map with others in it is asked again.
    std::string shape = place.path;
    for (const config::Entry& e : at(*whole, place.way)->entries) shape += " " + e.key + (e.value->kind == config::Kind::Map ? "{}" : "");
    if (!seen.insert(shape).second) continue;
    auto tree = config::parse(source, {}, sink);
    config::Node* map = at(*tree, place.way);
    config::Node value;
    value.kind = config::Kind::Text;
    map->entries.push_back({kNobodyKnows, map->span, std::make_unique<config::Node>(std::move(value))});
    const diag::Sink told = build(path, source, std::move(tree));
    bool heard = false;
    for (const diag::Diagnostic& d : told.all()) {
      std::smatch m;
      if (d.message.find(kNobodyKnows) == std::string::npos) continue;
      heard = true;
      const std::string hint = d.hint;
      if (!std::regex_search(hint, m, known)) continue;
      const std::string list = m[1];
      for (auto w = std::sregex_iterator(list.begin(), list.end(), word); w != std::sregex_iterator(); ++w) keys[place.path].insert(w->str());
    }
    EXPECT_TRUE(heard) << path << ": an unknown key at `" << place.path << "` is not refused";
  }
}

const std::regex kRow(R"(^\| (`[^|]*) \|.*)");

void add_row(const std::string& line, const std::string& place, Keys& out) {
  static const std::regex key("`([^`]+)`");
  std::smatch m;
  if (!std::regex_match(line, m, kRow)) return;
  const std::string cell = m[1];
  for (auto k = std::sregex_iterator(cell.begin(), cell.end(), key); k != std::sregex_iterator(); ++k)
    EXPECT_TRUE(out[place].insert((*k)[1]).second) << place << ": `" << (*k)[1] << "` stands there twice";
}

// "## `listeners[].tls`" and the rows below it: "| `certificate`, `key` | …".
Keys of_page() {
  Keys out;
  std::istringstream page(slurp(std::string(GATELAB_SOURCE_DIR) + "/docs/configuration.md"));
  const std::regex heading("^#+ `([^`]*)`.*");
  std::string line, place;
  for (std::smatch m; std::getline(page, line);) {
    if (line.starts_with("#")) place = std::regex_match(line, m, heading) ? m[1].str() : "";
    if (!place.empty()) add_row(line, place == "top" ? "" : place, out);
  }
  return out;
}

// One table of keys on a policy's page is the policy's own: the one that is most like it.
std::set<std::string> of_policy(const std::string& policy, const std::set<std::string>& like) {
  std::istringstream page(slurp(std::string(GATELAB_SOURCE_DIR) + "/docs/policies/" + policy + ".md"));
  std::set<std::string> best;
  std::size_t same = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| key ")) continue;
    Keys table;
    while (std::getline(page, line) && line.starts_with("|")) add_row(line, policy, table);
    const auto shared = static_cast<std::size_t>(std::count_if(like.begin(), like.end(), [&](const std::string& key) { return table[policy].count(key) > 0; }));
    if (shared < same || (shared == same && !best.empty())) continue;
    same = shared;
    best = table[policy];
  }
  return best;
}

// What stands deeper in a policy is told on its page in one way or another.
void expect_told(const std::string& place, const std::set<std::string>& keys) {
  const std::string policy = place.substr(11, place.find_first_of(".[", 11) - 11);
  const std::string page = slurp(std::string(GATELAB_SOURCE_DIR) + "/docs/policies/" + policy + ".md");
  for (const std::string& key : keys) EXPECT_TRUE(std::regex_search(page, std::regex("\\b" + key + "\\b"))) << "docs/policies/" << policy << ".md does not mention `" << key << "` of `" << place << "`";
}

TEST(ConfigurationPage, HasARowForEveryKeyAndNoOther) {
  Keys code;
  std::set<std::string> seen;
  for (const fs::path& path : examples()) learn(path, seen, code);
  const Keys page = of_page();
  EXPECT_GT(code.size(), 20U);
  for (const auto& [place, keys] : code) {
    const auto there = page.find(place);
    if (place.starts_with("policies[].") && there == page.end()) {
      if (place.find_first_of(".[", 11) != std::string::npos) expect_told(place, keys);
      else EXPECT_EQ(of_policy(place.substr(11), keys), keys) << place;
      continue;
    }
    if (there == page.end()) {
      std::string all;
      for (const std::string& k : keys) all += " " + k;
      ADD_FAILURE() << "no page has a table for `" << place << "`:" << all;
      continue;
    }
    EXPECT_EQ(there->second, keys) << place;
  }
  for (const auto& [place, keys] : page) EXPECT_TRUE(code.count(place) > 0) << "no configuration in scenarios/ has a map at `" << place << "`, so its rows are checked by nobody";
}

}  // namespace
}  // namespace gatelab::test
