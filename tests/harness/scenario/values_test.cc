// SPDX-License-Identifier: Apache-2.0
// $(…) in scenario files: what it becomes, which type it has, and what is not there.
#include "harness/scenario/values.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "config/json.h"

namespace gatelab::harness {
namespace {

std::unique_ptr<config::Node> parse(const std::string& text) {
  auto file = std::make_shared<diag::SourceFile>();
  file->name = "t.yaml";
  file->text = text;
  config::ParseOptions options;
  options.substitute_env = false;
  diag::Sink sink;
  auto tree = config::parse(file, options, sink);
  EXPECT_NE(tree, nullptr) << text << diag::render_all(sink, diag::Colour::Off);
  return tree;
}

const std::string* look_up(void*, std::string_view name) {
  static const std::string home = "/home/me", port = "8080";
  return name == "HOME" ? &home : name == "PORT" ? &port : nullptr;
}

struct World {
  std::unique_ptr<config::Node> row = parse("{ as: mobile, n: 5, deep: { x: [1, 2] }, yes: true, none: null }"), vars = parse("{ host: api.local, n: '5' }");
  std::map<std::string, config::Node> saved;
  diag::Sink sink;
  // The value as JSON, or the ids of what was wrong.
  std::string of(const std::string& yaml, bool known = true) {
    sink = {};
    Values values;
    values.row = row.get();
    values.vars = vars.get();
    values.env = {look_up, nullptr};
    if (known) values.saved = &saved;
    const config::Node out = substitute(*parse("a: " + yaml), values, sink);
    std::string ids;
    for (const diag::Diagnostic& d : sink.all()) ids += d.id + " ";
    return sink.has_errors() ? ids : config::to_json(*out.find("a"));
  }
};

TEST(Values, AWholeScalarKeepsTheTypeOfWhatItNames) {
  World w;
  const std::pair<const char*, const char*> cases[] = {
      {"$(row.as)", "\"mobile\""}, {"$(row.n)", "5"}, {"$(vars.n)", "\"5\""}, {"$(row.yes)", "true"}, {"$(row.none)", "null"}, {"$(row.deep.x)", "[1,2]"}, {"$(row.deep)", "{\"x\":[1,2]}"},
      {"$(env.HOME)", "\"/home/me\""}, {"$(env.PORT)", "8080"}, {"$(env.NONE:5)", "5"}, {"$(env.NONE:)", "null"}, {"[ $(row.n), { b: $(vars.host) } ]", "[5,{\"b\":\"api.local\"}]"},
  };
  for (const auto& [yaml, want] : cases) EXPECT_EQ(w.of(yaml), want) << yaml;
}

TEST(Values, WithinATextTheyAreText) {
  World w;
  const std::pair<const char*, const char*> cases[] = {
      {"http://$(vars.host)/$(row.n)", "\"http://api.local/5\""}, {"$(row.n)$(row.n)", "\"55\""}, {"' $(row.n)'", "\" 5\""}, {"$$(row.n)", "\"$(row.n)\""}, {"a$$(b)$(row.n)", "\"a$(b)5\""}, {"$5 (five)", "\"$5 (five)\""},
  };
  for (const auto& [yaml, want] : cases) EXPECT_EQ(w.of(yaml), want) << yaml;
}

TEST(Values, ThatAreNotThereAreReported) {
  World w;
  for (const char* yaml : {"$(row.nobody)", "$(vars.nobody)", "$(env.NOBODY)", "$(saved.nobody)", "$(nowhere.x)", "$(row.as.deeper)", "x $(row.nobody) y"}) EXPECT_EQ(w.of(yaml), "unknown-value ") << yaml;
  EXPECT_EQ(w.of("$(row.as"), "bad-substitution ");
  EXPECT_EQ(w.of("x $(row.deep)"), "wrong-type ");
  EXPECT_EQ(w.of("$(issuers.main.url)"), "not-supported ");
}

TEST(Values, SavedOnesWaitUntilTheyAreKnown) {
  World w;
  EXPECT_EQ(w.of("/orders/$(saved.id)", false), "\"/orders/$(saved.id)\"") << "while the file is only checked";
  EXPECT_TRUE(speaks_of_saved(*parse("a: [ { b: 'x $(saved.id)' } ]")));
  EXPECT_FALSE(speaks_of_saved(*parse("a: $(row.id)")));
  config::Node id;
  id.kind = config::Kind::Integer;
  id.text = "42";
  w.saved["id"] = std::move(id);
  EXPECT_EQ(w.of("$(saved.id)"), "42");
  EXPECT_EQ(w.of("/orders/$(saved.id)"), "\"/orders/42\"");
}

TEST(Merge, MapsDeeplyAndReplacesEverythingElse) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"{ a: 1, b: 2 }", "{ b: 3, c: 4 }", R"({"a":1,"b":3,"c":4})"}, {"{ a: { x: 1, y: 2 } }", "{ a: { y: 3 } }", R"({"a":{"x":1,"y":3}})"}, {"{ a: [1, 2] }", "{ a: [3] }", R"({"a":[3]})"},
      {"{ a: { x: 1 } }", "{ a: 5 }", R"({"a":5})"}, {"{ a: 5 }", "{ a: { x: 1 } }", R"({"a":{"x":1}})"}, {"{ a: 1 }", "{ a: null }", R"({"a":null})"}, {"{ a: 1 }", "{}", R"({"a":1})"},
  };
  for (const auto& [base, over, want] : cases) EXPECT_EQ(config::to_json(merge(*parse(base), *parse(over))), want) << base << over;
}

}  // namespace
}  // namespace gatelab::harness
