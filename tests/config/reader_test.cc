// SPDX-License-Identifier: Apache-2.0
// Typed access to the tree: every wrong value is reported once, and none hides another.
#include "config/reader.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace gatelab::config {
namespace {

using namespace std::chrono_literals;

struct Tree {
  explicit Tree(std::string text) {
    auto file = std::make_shared<diag::SourceFile>();
    file->name = "t.yaml";
    file->text = std::move(text);
    root = parse(file, {}, sink);
    EXPECT_NE(root, nullptr) << diag::render_all(sink, diag::Colour::Off);
  }
  std::string ids() const {
    std::string out;
    for (const diag::Diagnostic& d : sink.all()) out.append(out.empty() ? "" : " ").append(d.id);
    return out;
  }
  diag::Sink sink;
  std::unique_ptr<Node> root;
};

TEST(Reader, GivesTypedValuesAndFallbacks) {
  Tree t("text: a\nyes: true\nnumber: -5\nlong: 1m30s\nroom: 64KiB\nrate: 5/m\nword: second\nlist: [ a, b ]\nalone: a\nsecret: s\n");
  Reader r(*t.root, t.sink, "test");
  EXPECT_EQ(r.text("text", "x"), "a");
  EXPECT_EQ(r.text("absent", "x"), "x");
  EXPECT_TRUE(r.boolean("yes", false));
  EXPECT_EQ(r.integer("number", 0, -10, 10), -5);
  EXPECT_EQ(r.duration("long", 0s), 90s);
  EXPECT_EQ(r.size("room", {}).bytes, 65'536U);
  EXPECT_EQ(r.rate("rate")->count, 5U);
  EXPECT_EQ(r.choice("word", 0, {"first", "second"}), 1U);
  EXPECT_EQ(r.texts("list").size(), 2U);
  EXPECT_EQ(r.texts("alone").size(), 1U);
  EXPECT_EQ(r.secret("secret")->reveal(), "s");
  r.finish();
  EXPECT_EQ(t.ids(), "");
}

struct Wrong {
  const char* yaml;
  void (*read)(Reader&);
  const char* ids;
};

TEST(Reader, ReportsEveryWrongValueOnceByItsId) {
  const Wrong cases[] = {
      {"a: 5", [](Reader& r) { (void)r.text("a"); }, "wrong-type"},
      {"a: true", [](Reader& r) { (void)r.text("a"); }, "wrong-type"},
      {"a: no", [](Reader& r) { r.boolean("a", true); }, "wrong-type"},
      {"a: 1.5", [](Reader& r) { r.integer("a", 0, 0, 9); }, "wrong-type"},
      {"a: 10", [](Reader& r) { r.integer("a", 0, 0, 9); }, "out-of-range"},
      {"a: 99999999999999999999", [](Reader& r) { r.integer("a", 0, 0, INT64_MAX); }, "out-of-range"},
      {"a: 5", [](Reader& r) { (void)r.duration("a"); }, "bad-duration"},
      {"a: 0s", [](Reader& r) { (void)r.duration("a"); }, "bad-duration"},
      {"a: -5s", [](Reader& r) { (void)r.duration("a"); }, "bad-duration"},
      {"a: [ 5s ]", [](Reader& r) { (void)r.duration("a"); }, "wrong-type"},
      {"a: 64", [](Reader& r) { r.size("a", {}); }, "bad-size"},
      {"a: 0/m", [](Reader& r) { (void)r.rate("a"); }, "bad-rate"},
      {"a: thrid", [](Reader& r) { r.choice("a", 0, {"first", "third"}); }, "bad-choice"},
      {"a: { b: c }", [](Reader& r) { (void)r.texts("a"); }, "wrong-type"},
      {"a: [ b, 5, [] ]", [](Reader& r) { (void)r.texts("a"); }, "wrong-type wrong-type"},
      {"b: 1", [](Reader& r) { (void)r.require("a"); }, "missing-key unknown-key"},
      {"a: 1", [](Reader& r) { r.not_supported("a", "later"); }, "not-supported"},
      {"a: 1\nbb: 2", [](Reader&) {}, "unknown-key unknown-key"},
  };
  for (const Wrong& c : cases) {
    Tree t(c.yaml);
    Reader r(*t.root, t.sink, "test");
    c.read(r);
    r.finish();
    EXPECT_EQ(t.ids(), c.ids) << c.yaml;
    for (const diag::Diagnostic& d : t.sink.all()) EXPECT_TRUE(d.span) << c.yaml;
  }
}

TEST(Reader, SaysWhatWasProbablyMeant) {
  Tree t("timout: 5s\nflag: yes\nhost: a\n");
  Reader r(*t.root, t.sink, "upstream `orders`");
  (void)r.duration("timeout");
  r.boolean("flag", false);
  r.elsewhere("host", "write hosts: [ … ]");
  r.finish();
  const auto& all = t.sink.all();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].hint, "`yes` is text in YAML 1.2: write true or false");
  EXPECT_EQ(all[1].message, "unknown key `timout` in upstream `orders`");
  EXPECT_EQ(all[1].note, "did you mean `timeout`?");
  EXPECT_EQ(all[2].hint, "write hosts: [ … ]");
}

TEST(Reader, OverSomethingThatIsNoMapSaysSoOnce) {
  Tree t("- a\n- b\n");
  Reader r(*t.root, t.sink, "test");
  (void)r.require("a");
  (void)r.text("b");
  r.finish();
  EXPECT_FALSE(r.valid());
  EXPECT_EQ(t.ids(), "wrong-type");
}

}  // namespace
}  // namespace gatelab::config
