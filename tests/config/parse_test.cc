// SPDX-License-Identifier: Apache-2.0
// YAML text as a located tree: the core schema, what is refused, what comes from the environment.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/json.h"
#include "config/reader.h"

namespace gatelab::config {
namespace {

using Environment = std::map<std::string, std::string, std::less<>>;

const std::string* look_up(void* context, std::string_view name) {
  const auto& environment = *static_cast<Environment*>(context);
  const auto known = environment.find(name);
  return known == environment.end() ? nullptr : &known->second;
}

struct Parsed {
  explicit Parsed(std::string text, Environment variables = {}) : environment(std::move(variables)) {
    auto file = std::make_shared<diag::SourceFile>();
    file->name = "t.yaml";
    file->text = std::move(text);
    source = file;
    ParseOptions options;
    options.env = {look_up, &environment};
    tree = parse(source, options, sink);
  }
  // "unset-variable:3:7 duplicate-key:4:1".
  std::string ids() const {
    std::string out;
    for (const diag::Diagnostic& d : sink.all()) out.append(out.empty() ? "" : " ").append(d.id).append(diag::place_with_column(d.span).substr(6));
    return out;
  }
  std::string value(const Node& n) const { return source->text.substr(n.span.begin, n.span.end - n.span.begin); }

  Environment environment;
  diag::SourcePtr source;
  diag::Sink sink;
  std::unique_ptr<Node> tree;
};

TEST(CoreSchema, DecidesWhatAPlainScalarIs) {
  const std::pair<const char*, Kind> cases[] = {
      {"true", Kind::Bool}, {"True", Kind::Bool}, {"FALSE", Kind::Bool}, {"tRue", Kind::Text}, {"yes", Kind::Text}, {"no", Kind::Text}, {"on", Kind::Text}, {"off", Kind::Text},
      {"y", Kind::Text}, {"null", Kind::Null}, {"~", Kind::Null}, {"nUll", Kind::Text}, {"1", Kind::Integer}, {"-1", Kind::Integer}, {"+1", Kind::Integer}, {"0x1F", Kind::Integer},
      {"0o17", Kind::Integer}, {"0o18", Kind::Text}, {"017", Kind::Integer}, {"1_000", Kind::Text}, {"0b1", Kind::Text}, {"1.5", Kind::Float}, {"1.", Kind::Float}, {".5", Kind::Float},
      {".", Kind::Text}, {"1e3", Kind::Float}, {"1e", Kind::Text}, {".inf", Kind::Float}, {"-.INF", Kind::Float}, {".nan", Kind::Float}, {"5s", Kind::Text}, {"1:30", Kind::Text},
      {"2026-01-01", Kind::Text}, {"12:30:45", Kind::Text}, {"'true'", Kind::Text}, {"\"1\"", Kind::Text}, {"!!str 1", Kind::Text},
  };
  for (const auto& [text, kind] : cases) {
    const Parsed p(std::string("a: ") + text + "\n");
    ASSERT_NE(p.tree, nullptr) << text << " " << p.ids();
    EXPECT_EQ(kind_name(p.tree->find("a")->kind), kind_name(kind)) << text;
  }
}

TEST(CoreSchema, KeepsTheDigitsOfNumbers) {
  const Parsed p("a: 0.10000000000000000000001\nb: 123456789012345678901234567890\n");
  EXPECT_EQ(p.tree->find("a")->text, "0.10000000000000000000001");
  EXPECT_EQ(to_json(*p.tree), R"({"a":0.10000000000000000000001,"b":123456789012345678901234567890})");
}

TEST(Tree, RemembersWhereEveryKeyAndValueIsWritten) {
  const Parsed p("one: two\nlist: [ a, 'b c', \"d\\\"e\" ]\nmap:\n  deep: { x: 1 }\nempty:\nanchor: &n  word\nalias: *n\nblock: |\n  first\n  second\n");
  ASSERT_NE(p.tree, nullptr) << p.ids();
  const auto value = [&p](const char* key) { return p.value(*p.tree->find(key)); };
  EXPECT_EQ(value("one"), "two");
  EXPECT_EQ(value("list"), "[ a, 'b c', \"d\\\"e\" ]");
  EXPECT_EQ(p.value(p.tree->find("list")->items[1]), "'b c'");
  EXPECT_EQ(p.value(p.tree->find("list")->items[2]), "\"d\\\"e\"");
  EXPECT_EQ(p.value(*p.tree->find("map")->find("deep")->find("x")), "1");
  EXPECT_EQ(value("empty"), "empty");
  EXPECT_EQ(value("anchor"), "word");
  EXPECT_EQ(p.tree->find("alias")->text, "word");
  EXPECT_EQ(value("block"), "|");
  EXPECT_EQ(p.tree->find("block")->text, "first\nsecond\n");
  const Entry* entry = p.tree->entry("map");
  EXPECT_EQ(diag::place_with_column(entry->key_span), "t.yaml:3:1");
}

TEST(Tree, PlacesAreRightBehindAByteOrderMark) {
  const Parsed p("\xEF\xBB\xBF" "a: b\n");
  ASSERT_NE(p.tree, nullptr) << p.ids();
  EXPECT_EQ(p.value(*p.tree->find("a")), "b");
}

TEST(Parse, RefusesWhatHasMoreThanOneReading) {
  const std::pair<std::string, const char*> cases[] = {
      {"a: 1\na: 2\n", "duplicate-key:2:1"},
      {"a: { x: 1, y: 2, x: 3 }\n", "duplicate-key:1:18"},
      {"a: 1\nb: 2\na: 3\nb: 4\n", "duplicate-key:3:1 duplicate-key:4:1"},
      {"'1': x\n1: y\n", "duplicate-key:2:1"},
      {"a: 1\n---\nb: 2\n", "second-document:2:1"},
      {"a: !color red\n", "foreign-tag:1:11"},
      {"a: !!binary eA==\n", "foreign-tag:1:13"},
      {"a: !!timestamp 2026-01-01\n", "foreign-tag:1:16"},
      {"a: &x [ *x ]\n", "recursive-alias:1:9"},
      {"base: &b { x: 1 }\na: { <<: *b }\n", "merge-key:2:6"},
      {"? [ a ]\n: b\n", "bad-key:1:3"},
      {"? { a: b }\n: c\n", "bad-key:1:3"},
      {": b\n", "bad-key:1:1"},
      {"a: \xff\n", "not-utf8:1:4"},
      {"a: \xc0\xaf\n", "not-utf8:1:4"},
      {"a: \xed\xa0\x80\n", "not-utf8:1:4"},
  };
  for (const auto& [text, ids] : cases) {
    const Parsed p(text);
    EXPECT_EQ(p.tree, nullptr) << text;
    EXPECT_EQ(p.ids(), ids) << text;
  }
}

TEST(Parse, ReportsASyntaxErrorAtItsPlace) {
  for (const char* text : {"a: [ 1, 2\n", "a: 'open\n", "a: b: c\n", "a: *nowhere\n", "a: 1\n\tb: 2\n", "a: %x\n@: 1\n"}) {
    const Parsed p(text);
    EXPECT_EQ(p.tree, nullptr) << text;
    ASSERT_EQ(p.sink.errors(), 1U) << text << p.ids();
    EXPECT_TRUE(p.sink.all()[0].span) << text;
  }
}

TEST(Parse, BoundsDepthAndAliases) {
  std::string deep, bomb = "a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n";
  for (int i = 0; i < 100; ++i) deep = "[" + deep + "]";
  EXPECT_EQ(Parsed("a: " + deep).ids().substr(0, 8), "too-deep");
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [ " + before;
    for (int j = 0; j < 9; ++j) bomb += ", " + before;
    bomb += " ]\n";
  }
  EXPECT_EQ(Parsed(bomb).ids().substr(0, 9), "too-large");
}

TEST(Environment, TakesThePlaceOfVariables) {
  const Environment variables{{"HOST", "api.local"}, {"PORT", "8080"}, {"EMPTY", ""}, {"TRICK", "a: b # $(env.HOST)"}};
  const std::pair<const char*, const char*> cases[] = {
      {"$(env.HOST)", "api.local"}, {"http://$(env.HOST):$(env.PORT)/", "http://api.local:8080/"}, {"$(env.NONE:fallback)", "fallback"}, {"$(env.NONE:)", ""},
      {"$(env.EMPTY:fallback)", ""}, {"$(env.NONE:http://x:1)", "http://x:1"}, {"$$(env.HOST)", "$(env.HOST)"}, {"$env.HOST", "$env.HOST"}, {"'$(env.TRICK)'", "a: b # $(env.HOST)"},
  };
  for (const auto& [text, want] : cases) {
    const Parsed p(std::string("a: ") + text + "\n", variables);
    ASSERT_NE(p.tree, nullptr) << text << " " << p.ids();
    EXPECT_EQ(p.tree->find("a")->text, want) << text;
  }
  EXPECT_EQ(Parsed("a: $(env.PORT)\n", variables).tree->find("a")->kind, Kind::Integer);
  EXPECT_EQ(Parsed("$(env.HOST): 1\n", variables).tree->entries[0].key, "$(env.HOST)") << "keys are never replaced";
}

TEST(Environment, RefusesWhatIsNotThereAndWhatIsNoVariable) {
  const std::pair<const char*, const char*> cases[] = {
      {"a: $(HOME)\n", "bad-substitution:1:4"}, {"a: $(env.)\n", "bad-substitution:1:4"},
      {"a: $(env.A-B)\n", "bad-substitution:1:4"}, {"a: $(env.OPEN\n", "bad-substitution:1:4"}, {"a: $(vars.x)\n", "bad-substitution:1:4"}};
  for (const auto& [text, ids] : cases) {
    const Parsed p(text);
    EXPECT_EQ(p.tree, nullptr) << text;
    EXPECT_EQ(p.ids(), ids) << text;
  }
}

TEST(Environment, WhatIsNotSetHidesNothingOfTheRest) {
  Parsed p("a: $(env.NONE)\nb: $(env.NEITHER)\nc: five\n");
  ASSERT_NE(p.tree, nullptr);
  EXPECT_EQ(p.ids(), "unset-variable:1:4 unset-variable:2:4");
  Reader r(*p.tree, p.sink, "test");
  r.integer("a", 0, 0, 1);  // follows from the variable: not told, but no less an error
  EXPECT_EQ(r.text("b", ""), "$(env.NEITHER)");
  r.integer("c", 0, 0, 1);
  r.finish();
  EXPECT_EQ(p.ids(), "unset-variable:1:4 unset-variable:2:4 wrong-type:3:4");
  EXPECT_EQ(p.sink.told_errors(), 3U);
  EXPECT_EQ(p.sink.errors(), 4U);
}

TEST(Environment, WhatIsNotSetAndWhatIsNotYamlAreToldTogether) {
  const Parsed p("a: $(env.NONE)\nb: 1\nb: 2\n");
  EXPECT_EQ(p.tree, nullptr);
  EXPECT_EQ(p.ids(), "unset-variable:1:4 duplicate-key:3:1");
}

TEST(Environment, WhatCameFromItIsNeverPrinted) {
  Parsed p("size: $(env.SECRET)\nchoice: $(env.SECRET)\nrate: $(env.SECRET)\naddress: $(env.SECRET)\nflag: $(env.SECRET)\nnumber: $(env.SECRET)\nkey: [ 12345 ]\n", {{"SECRET", "hunter2"}});
  Reader r(*p.tree, p.sink, "test");
  r.size("size", {});
  r.choice("choice", 0, {"hunter3"});
  (void)r.rate("rate");
  (void)as_address(*r.get("address"), p.sink, "address");
  r.boolean("flag", false);
  r.integer("number", 0, 0, 1);
  (void)r.secret("key");
  r.finish();
  EXPECT_EQ(p.sink.errors(), 7U);
  for (const diag::Diagnostic& d : p.sink.all())
    for (const std::string& text : {d.message, d.note, d.hint}) {
      EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
      EXPECT_EQ(text.find("12345"), std::string::npos) << text;
    }
}

TEST(Environment, WhatCameFromItIsNotQuotedByWhoeverFindsFault) {
  Parsed p("url: http://$(env.SECRET):x\nshort: $(env.WORD)\n", {{"SECRET", "hunter2-of-the-gateway"}, {"WORD", "api"}});
  const Node *url = p.tree->find("url"), *word = p.tree->find("short");
  p.sink.error("bad-url", url->span, "`" + url->text + "` has no valid port", "not " + url->text);
  p.sink.error("bad-name", word->span, "`" + word->text + "` is no name of an api");
  EXPECT_EQ(p.sink.all()[0].message, "`http://<redacted>:x` has no valid port");
  EXPECT_EQ(p.sink.all()[0].hint, "not http://<redacted>:x");
  EXPECT_EQ(p.sink.all()[1].message, "`<redacted>` is no name of an api");
}

}  // namespace
}  // namespace gatelab::config
