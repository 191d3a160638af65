// SPDX-License-Identifier: Apache-2.0
// Diagnostics as text: the caret stands under what it speaks of, whatever the line holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "diag/diagnostic.h"

namespace gatelab::diag {
namespace {

SourcePtr source(std::string text) { return std::make_shared<const SourceFile>(SourceFile{"gateway.yaml", std::move(text)}); }

Span span_of(const SourcePtr& file, std::string_view word, std::size_t from = 0) {
  const std::size_t at = file->text.find(word, from);
  EXPECT_NE(at, std::string::npos) << word;
  return {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + word.size())};
}

Diagnostic unknown_key(const Span& span) {
  Diagnostic d;
  d.id = "unknown-key";
  d.message = "unknown key `timout` in upstream";
  d.span = span;
  return d;
}

TEST(Render, PutsACaretUnderTheWordWithNoteRelatedPlaceAndHint) {
  const SourcePtr file = source("a: 1\nupstream:\n  timout: 5s\n");
  Diagnostic d = unknown_key(span_of(file, "timout"));
  d.note = "did you mean `timeouts`?";
  d.related.push_back({span_of(file, "upstream"), "in this map"});
  d.hint = "remove it";
  EXPECT_EQ(render(d, Colour::Off),
            "error[unknown-key]: unknown key `timout` in upstream\n"
            "   --> gateway.yaml:3:3\n"
            "   |\n"
            " 3 |   timout: 5s\n"
            "   |   ^^^^^^ did you mean `timeouts`?\n"
            "   ::: gateway.yaml:2:1\n"
            "   |\n"
            " 2 | upstream:\n"
            "   | ^^^^^^^^ in this map\n"
            "   = hint: remove it\n");
}

// Who looks for each place from the beginning of the file takes an hour for this.
TEST(Position, IsFoundForEachOfAMillionLines) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "äb\n";
  const SourcePtr file = source(text);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    const Position at = position_of(*file, i * 4 + 2);
    ASSERT_EQ(at.line, i + 1);
    ASSERT_EQ(at.column, 2U);
  }
  EXPECT_EQ(position_of(*file, 5'000'000).line, 1'000'001U);
}

struct Caret {
  const char* name;
  std::string text;
  std::uint32_t begin, end;
  const char* line;   // as shown
  const char* caret;  // under it
  const char* place;
};

TEST(Render, StandsUnderTheRightColumnInEveryKindOfLine) {
  const Caret cases[] = {
      {"first octet", "abc\n", 0, 1, "abc", "^", ":1:1\n"},
      {"last word without a line end", "abc def", 4, 7, "abc def", "    ^^^", ":1:5\n"},
      {"behind the end of the file", "abc", 3, 3, "abc", "   ^", ":1:4\n"},
      {"empty file", "", 0, 0, "", "^", ":1:1\n"},
      {"an empty line", "a\n\nb\n", 2, 2, "", "^", ":2:1\n"},
      {"code points, not octets", "\xc3\xa9\xe2\x82\xac: x\n", 7, 8, "\xc3\xa9\xe2\x82\xac: x", "    ^", ":1:5\n"},
      {"a tab is one column", "\tx: y\n", 1, 2, " x: y", " ^", ":1:2\n"},
      {"CR LF", "abc\r\nd\r\n", 0, 3, "abc", "^^^", ":1:1\n"},
      {"a span over two lines ends with the first", "ab\ncd\n", 0, 5, "ab", "^^", ":1:1\n"},
      {"controls do not reach the terminal", std::string("a\x1b[31mb: x\n"), 0, 1, "a [31mb: x", "^", ":1:1\n"},
      {"line 100 is wider", std::string(99, '\n') + "x\n", 99, 100, "x", "^", ":100:1\n"},
  };
  for (const Caret& c : cases) {
    const std::string text = render(unknown_key({source(c.text), c.begin, c.end}), Colour::Off);
    EXPECT_NE(text.find(std::string(c.place)), std::string::npos) << c.name << "\n" << text;
    EXPECT_NE(text.find(std::string(" | ") + c.line + "\n"), std::string::npos) << c.name << "\n" << text;
    EXPECT_NE(text.find(std::string(" | ") + c.caret + "\n"), std::string::npos) << c.name << "\n" << text;
  }
}

TEST(Render, CutsALongLineAtAWholeCharacter) {
  std::string line = "k: ";
  for (int i = 0; i < 200; ++i) line += "\xe2\x82\xac";
  const std::string text = render(unknown_key({source(line), 0, 1}), Colour::Off);
  EXPECT_NE(text.find("\xe2\x82\xac \xe2\x80\xa6\n"), std::string::npos) << text;
  const std::string far = render(unknown_key({source(std::string(500, 'x')), 400, 401}), Colour::Off);
  EXPECT_NE(far.find("gateway.yaml:1:401"), std::string::npos) << far;
  EXPECT_NE(far.find(" 1 | \xe2\x80\xa6 x"), std::string::npos) << "from near the caret on\n" << far;
}

TEST(Render, ShowsALongLineFromWhereTheCaretCanBeSeen) {
  const std::string filler = std::string(300, 'x') + "äöü";  // octets that don't fall on the place where it is cut
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const SourcePtr file = source("a: " + filler + std::string(56 + shift, 'y') + " timout: 5s " + std::string(300, 'z') + "\n");
    const std::string out = render(unknown_key(span_of(file, "timout")), Colour::Off);
    const std::size_t shown = out.find(" 1 | … "), caret = out.find("\n   | ", shown) + 6;
    ASSERT_NE(shown, std::string::npos) << out;
    const std::string line = out.substr(shown + 5, out.find('\n', shown) - shown - 5), under = out.substr(caret, out.find('\n', caret) - caret);
    const auto columns = [](std::string_view text) { return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }); };
    EXPECT_EQ(columns(std::string_view(line).substr(0, line.find("timout"))), static_cast<std::ptrdiff_t>(under.find('^'))) << out;
    EXPECT_EQ(under.substr(under.find('^')), "^^^^^^") << out;
    EXPECT_TRUE(line.ends_with(" …")) << out;
  }
}

TEST(Render, ShowsNoCredentialsOfUrls) {
  const SourcePtr file = source("a: { url: \"http://user:pw@host:x\", b: 1 }\n");
  Sink sink;
  sink.error("bad-url", span_of(file, "\"http://user:pw@host:x\""), "`http://user:pw@host:x` has no valid port", "not http://user:pw@host");
  sink.error("odd", span_of(file, "b"), "b");
  EXPECT_EQ(render_all(sink, Colour::Off),
            "error[bad-url]: `http://***@host:x` has no valid port\n"
            "   --> gateway.yaml:1:11\n"
            "   |\n"
            " 1 | a: { url: \"http://***@host:x\", b: 1 }\n"
            "   |           ^^^^^^^^^^^^^^^^^^^\n"
            "   = hint: not http://***@host\n"
            "\n"
            "error[odd]: b\n"
            "   --> gateway.yaml:1:36\n"
            "   |\n"
            " 1 | a: { url: \"http://***@host:x\", b: 1 }\n"
            "   |                                ^\n");
  EXPECT_EQ(render_json(sink).find("pw"), std::string::npos);
}

TEST(Render, SaysThePlaceAloneOfALineThatMustNotBeShown) {
  Diagnostic told = unknown_key(span_of(source("a: 1\ntoken: secret\n"), "token"));
  told.quoted = false;
  told.related.push_back({told.span, "here"});
  told.hint = "export it again";
  EXPECT_EQ(render(told, Colour::Off), "error[unknown-key]: " + told.message + "\n  --> gateway.yaml:2:1\n   = hint: export it again\n");
}

TEST(Render, ColoursOnlyWhenAsked) {
  const SourcePtr file = source("abc\n");
  EXPECT_EQ(render(unknown_key(span_of(file, "abc")), Colour::Off).find('\x1b'), std::string::npos);
  EXPECT_NE(render(unknown_key(span_of(file, "abc")), Colour::On).find("\x1b[1;31merror[unknown-key]"), std::string::npos);
}

TEST(Render, SortsByPlaceAndKeepsFilesInTheOrderOfTheirFirstMention) {
  const SourcePtr a = source("one two three\n");
  auto b = std::make_shared<const SourceFile>(SourceFile{"a-earlier-name.yaml", "four\n"});
  Sink sink;
  sink.error("third", span_of(a, "three"), "c");
  sink.error("fourth", span_of(b, "four"), "d");
  sink.warning("first", span_of(a, "one"), "a");
  sink.error("second", span_of(a, "two"), "b");
  const std::string text = render_all(sink, Colour::Off);
  std::size_t at = 0;
  for (const char* id : {"warning[first]", "error[second]", "error[third]", "error[fourth]"}) {
    const std::size_t found = text.find(id, at);
    ASSERT_NE(found, std::string::npos) << id << "\n" << text;
    at = found;
  }
  EXPECT_EQ(sink.errors(), 3U);
  EXPECT_EQ(sink.warnings(), 1U);
}

TEST(Render, WritesTheSameAsJson) {
  const SourcePtr file = source("a: \"q\"\n");
  Sink sink;
  Diagnostic d = unknown_key(span_of(file, "\"q\""));
  d.message = "a \"quoted\" word";
  d.hint = "h";
  d.related.push_back({span_of(file, "a"), "here"});
  sink.report(d);
  EXPECT_EQ(render_json(sink),
            "[{\"severity\":\"error\",\"id\":\"unknown-key\",\"message\":\"a \\\"quoted\\\" word\",\"file\":\"gateway.yaml\",\"line\":1,\"column\":4,\"end_line\":1,"
            "\"end_column\":7,\"hint\":\"h\",\"related\":[{\"text\":\"here\",\"file\":\"gateway.yaml\",\"line\":1,\"column\":1,\"end_line\":1,\"end_column\":2}]}]\n");
  EXPECT_EQ(render_json(Sink()), "[]\n");
}

TEST(Nearest, FindsATypingMistakeAndNothingFurther) {
  const std::vector<std::string_view> keys{"timeouts", "targets", "retry", "url", "keep_alive"};
  const std::pair<const char*, const char*> cases[] = {{"timout", "timeouts"}, {"tiemouts", "timeouts"}, {"target", "targets"}, {"rety", "retry"}, {"ulr", "url"}, {"banana", ""}, {"", ""},
                                                       {"keepalive", "keep_alive"}, {"x", ""}};
  for (const auto& [word, want] : cases) EXPECT_EQ(nearest(word, keys), want) << word;
}

}  // namespace
}  // namespace gatelab::diag
