// SPDX-License-Identifier: Apache-2.0
#include "http/structured.h"

#include <gtest/gtest.h>

#include <string>

namespace gatelab::test {
namespace {

namespace sf = http::structured;

std::string written(const sf::Dictionary& dictionary, Arena& arena) {
  std::string out;
  for (const sf::Member& one : dictionary.members) {
    ArenaText text(arena, 1);
    sf::write(text, one);
    out.append(out.empty() ? "" : ", ").append(one.name).append("=").append(text.view());
  }
  return out;
}

TEST(Structured, ReadsAndWritesInTheOneForm) {
  struct Row {
    const char* text;
    const char* written;
  };
  for (const Row& row : {
           Row{"", ""},
           Row{"   ", ""},
           Row{"a=1", "a=1"},
           Row{"a", "a=?1"},
           Row{"a;x", "a=?1;x"},
           Row{"a=?0", "a=?0"},
           Row{"a=?1;x=?1;y=?0", "a=?1;x;y=?0"},
           Row{"a=-17, b=000", "a=-17, b=0"},
           Row{"a=999999999999999", "a=999999999999999"},
           Row{"a=-999999999999999", "a=-999999999999999"},
           Row{"a=1.0, b=1.50, c=-0.125, d=123456789012.123", "a=1.0, b=1.5, c=-0.125, d=123456789012.123"},
           Row{R"(a="x", b="")", R"(a="x", b="")"},
           Row{R"(a="q\"b\\e")", R"(a="q\"b\\e")"},
           Row{"a=tok/en:1, b=*x, c=T", "a=tok/en:1, b=*x, c=T"},
           Row{"a=:aGVsbG8=:, b=::, c=:AAE=:", "a=:aGVsbG8=:, b=::, c=:AAE=:"},
           Row{"a=:AAEC:", "a=:AAEC:"},
           Row{"sig1=(\"@method\" \"date\");created=1;keyid=\"k\"", "sig1=(\"@method\" \"date\");created=1;keyid=\"k\""},
           Row{"sig1=(   \"@method\"   \"date\"  );  created=1", "sig1=(\"@method\" \"date\");created=1"},
           Row{"a=()", "a=()"},
           Row{"a=(  )", "a=()"},
           Row{R"(a=("@query-param";name="Pet" "x";bs);p)", R"(a=("@query-param";name="Pet" "x";bs);p)"},
           Row{"  a=1 \t, \t b=2  ", "a=1, b=2"},
           Row{"*a-b_c.d*=1", "*a-b_c.d*=1"},
       }) {
    Arena arena;
    const auto parsed = sf::parse_dictionary(row.text, arena);
    ASSERT_TRUE(parsed) << row.text << ": " << parsed.error().detail << " at " << parsed.error().at;
    const std::string once = written(*parsed, arena);
    EXPECT_EQ(once, row.written) << row.text;
    const auto again = sf::parse_dictionary(once, arena);
    ASSERT_TRUE(again) << once;
    EXPECT_EQ(written(*again, arena), once);
  }
}

TEST(Structured, RefusesWhatCouldBeReadInTwoWays) {
  struct Row {
    std::string text;
    const char* detail;
  };
  const std::string many_members = [] {
    std::string out;
    for (std::size_t i = 0; i <= sf::kMaxMembers; ++i) out.append(i == 0 ? "" : ",").append("m").append(std::to_string(i));
    return out;
  }();
  const std::string many_items = [] {
    std::string out = "a=(";
    for (std::size_t i = 0; i <= sf::kMaxItems; ++i) out.append("1 ");
    return out + ")";
  }();
  const std::string many_parameters = [] {
    std::string out = "a";
    for (std::size_t i = 0; i <= sf::kMaxParameters; ++i) out.append(";p").append(std::to_string(i));
    return out;
  }();
  for (const Row& row : {
           Row{"A=1", "no name where one belongs"},
           Row{"1=1", "no name where one belongs"},
           Row{"=1", "no name where one belongs"},
           Row{",a=1", "no name where one belongs"},
           Row{"a=1,,b=1", "no name where one belongs"},
           Row{"a=1;", "no name where one belongs"},
           Row{"a=1;X=1", "no name where one belongs"},
           Row{"a=1,", "a comma at the end"},
           Row{"a=1 ,\t", "a comma at the end"},
           Row{"a=1 b=2", "no comma between two members"},
           Row{"a=1 ;x", "no comma between two members"},
           Row{"aB=1", "no comma between two members"},
           Row{"a=1, a=1", "a name stands there twice"},
           Row{"a;x=1;x=1", "a parameter stands there twice"},
           Row{"a=", "no value where one belongs"},
           Row{"a= 1", "no value where one belongs"},
           Row{"a=,b=1", "no value where one belongs"},
           Row{"a;x=", "no value where one belongs"},
           Row{"a=@x", "no value where one belongs"},
           Row{"a=1000000000000000", "a number with no digit or too many"},
           Row{"a=-", "a number with no digit or too many"},
           Row{"a=1.", "a number with no digit or too many behind its point"},
           Row{"a=1.1234", "a number with no digit or too many behind its point"},
           Row{"a=1234567890123.1", "a number with no digit or too many"},
           Row{"a=61237.000000000000000000005", "a number with no digit or too many behind its point"},  // overflowed once
           Row{"a=999999999999999999999.999999999999999999999", "a number with no digit or too many behind its point"},
           Row{"a=.5", "no value where one belongs"},
           Row{"a=+1", "no value where one belongs"},
           Row{"a=\"x", "a string without its end"},
           Row{"a=\"\\x\"", "a backslash before something else than a quote or a backslash"},
           Row{"a=\"\\", "a backslash before something else than a quote or a backslash"},
           Row{"a=\"\t\"", "a string with something else than visible ASCII"},
           Row{"a=\"\xc3\xa9\"", "a string with something else than visible ASCII"},
           Row{std::string("a=\"\0\"", 5), "a string with something else than visible ASCII"},
           Row{"a=:AAE", "a byte sequence without its end"},
           Row{"a=:AAE:", "a byte sequence that is no strict Base64"},
           Row{"a=:AA==A:", "a byte sequence that is no strict Base64"},
           Row{"a=:A A=:", "a byte sequence that is no strict Base64"},
           Row{"a=:AAF=:", "a byte sequence that is no strict Base64"},
           Row{"a=:A===:", "a byte sequence that is no strict Base64"},
           Row{"a=:-_==:", "a byte sequence that is no strict Base64"},
           Row{"a=?2", "a boolean that is neither ?0 nor ?1"},
           Row{"a=?", "a boolean that is neither ?0 nor ?1"},
           Row{"a=(1 2", "a list without its end"},
           Row{"a=(", "a list without its end"},
           Row{"a=(1,2)", "no space between two items"},
           Row{"a=(\"x\"\"y\")", "no space between two items"},
           Row{"a=((1))", "no value where one belongs"},
           Row{"a=(1\t2)", "no space between two items"},
           Row{many_members, "too many members"},
           Row{many_items, "too many items"},
           Row{many_parameters, "too many parameters"},
           Row{"a=\"" + std::string(sf::kMaxText, 'x') + "\"", "too long"},
       }) {
    Arena arena;
    const auto parsed = sf::parse_dictionary(row.text, arena);
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error().detail, row.detail) << row.text;
  }
}

TEST(Structured, KnowsWhatItRead) {
  Arena arena;
  const auto parsed = sf::parse_dictionary("n=-5, d=1.25, s=\"a\\\"b\", t=tok, b=:AAE=:, l=(x;q=1);p", arena);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->find("n")->item.value.number, -5);
  EXPECT_EQ(parsed->find("d")->item.value.number, 1250);
  EXPECT_EQ(parsed->find("s")->item.value.text, "a\"b");
  EXPECT_EQ(parsed->find("t")->item.value.kind, sf::Kind::Token);
  EXPECT_EQ(parsed->find("b")->item.value.text, std::string_view("\0\1", 2));
  const sf::Member* list = parsed->find("l");
  ASSERT_TRUE(list != nullptr && list->is_list);
  EXPECT_EQ(list->items.size(), 1U);
  EXPECT_EQ(sf::find(list->items[0].parameters, "q")->number, 1);
  EXPECT_TRUE(sf::find(list->item.parameters, "p")->boolean);
  EXPECT_EQ(parsed->find("x"), nullptr);
}

template <class T>
std::string rewritten(const Result<T, sf::Fault>& parsed, Arena& arena) {
  if (!parsed) return "!" + std::string(parsed.error().detail);
  ArenaText out(arena, 1);
  sf::write(out, *parsed);
  return std::string(out.view());
}

struct Reread {
  std::string text, written;  // "!…": is refused for that
};

// RFC 9651 §3.2, §4.2.2: what RFC 9213's fields are read with.
TEST(Structured, AsTheRfcSaysTheLastOfANameCountsInThePlaceOfTheFirst) {
  for (const Reread& row : {
           Reread{"a=1, b=2, a=3", "a=3, b=2"},
           Reread{"a=1;x=1;y;x=2", "a=1;x=2;y"},
           Reread{"en=\"Applepie\", da=:w4ZibGV0w6ZydGUK:", "en=\"Applepie\", da=:w4ZibGV0w6ZydGUK:"},
           Reread{"a=?0, b, c; foo=bar", "a=?0, b, c;foo=bar"},
           Reread{"rating=1.5, feelings=(joy sadness)", "rating=1.5, feelings=(joy sadness)"},
           Reread{"a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", "a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid"},
           Reread{"a=:AA:, b=:AAF=:, c=:AAE:", "a=:AA==:, b=:AAE=:, c=:AAE=:"},
           Reread{"a=:AA=:", "!a byte sequence that is no strict Base64"},
           Reread{"a=:AAAA=:", "!a byte sequence that is no strict Base64"},
           Reread{"a=:A:", "!a byte sequence that is no strict Base64"},
           Reread{"a=@1659578233", "a=@1659578233"},
           Reread{"", ""},
           Reread{"  a=1  ", "a=1"},
           Reread{"a=1 \t", "a=1"},
           Reread{"a=1,\tb", "a=1, b"},
           Reread{"a=1,", "!a comma at the end"},
           Reread{"A=1", "!no name where one belongs"},
       }) {
    Arena arena;
    EXPECT_EQ(rewritten(sf::parse_dictionary(row.text, arena, sf::Reading::Rfc9651), arena), row.written) << row.text;
  }
}

// RFC 9651 §3.1, §4.2.1
TEST(Structured, ReadsLists) {
  for (const Reread& row : {
           Reread{"sugar, tea, rum", "sugar, tea, rum"},
           Reread{"sugar , tea\t,\trum", "sugar, tea, rum"},
           Reread{"(\"foo\" \"bar\"), (\"baz\"), (\"bat\" \"one\"), ()", "(\"foo\" \"bar\"), (\"baz\"), (\"bat\" \"one\"), ()"},
           Reread{"(\"foo\"; a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1", "(\"foo\";a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1"},
           Reread{"abc;a=1;b=2; cde_456, (ghi;jk=4 l);q=\"9\";r=w", "abc;a=1;b=2;cde_456, (ghi;jk=4 l);q=\"9\";r=w"},
           Reread{"a, a, a", "a, a, a"},
           Reread{"?1", "?1"},
           Reread{"", ""},
           Reread{"a,,b", "!no value where one belongs"},
           Reread{"a, b,", "!a comma at the end"},
           Reread{"a b", "!no comma between two members"},
           Reread{"(a", "!a list without its end"},
       }) {
    Arena arena;
    EXPECT_EQ(rewritten(sf::parse_list(row.text, arena), arena), row.written) << row.text;
  }
}

// RFC 9651 §3.3, §4.2.3
TEST(Structured, ReadsItems) {
  for (const Reread& row : {
           Reread{"5", "5"},
           Reread{"5; foo=bar", "5;foo=bar"},
           Reread{"  42 ", "42"},
           Reread{"-0", "0"},
           Reread{"4.50", "4.5"},
           Reread{"@1659578233", "@1659578233"},
           Reread{"@-62135596800", "@-62135596800"},
           Reread{"@1.5", "!a date with a fraction"},
           Reread{"@", "!a number with no digit or too many"},
           Reread{"%\"This is intended for display to %c3%bcsers.\"", "%\"This is intended for display to %c3%bcsers.\""},
           Reread{"%\"%66%22%25\"", "%\"f%22%25\""},
           Reread{"%\"\"", "%\"\""},
           Reread{"%\"%C3%BC\"", "!a % without two hexadecimal digits in small letters"},
           Reread{"%\"%c\"", "!a % without two hexadecimal digits in small letters"},
           Reread{"%\"%c3\"", "!a display string that is no UTF-8"},
           Reread{"%\"%ed%a0%80\"", "!a display string that is no UTF-8"},
           Reread{"%\"\xc3\xbc\"", "!a display string with something else than visible ASCII"},
           Reread{"%\"x", "!a string without its end"},
           Reread{"%x", "!a display string without its quote"},
           Reread{"", "!no value where one belongs"},
           Reread{"1 2", "!something behind the item"},
           Reread{"1, 2", "!something behind the item"},
           Reread{"(1 2)", "!no value where one belongs"},
           Reread{"1\t", "!something behind the item"},
       }) {
    Arena arena;
    EXPECT_EQ(rewritten(sf::parse_item(row.text, arena), arena), row.written) << row.text;
  }
}

// RFC 9651 §3.1 to §3.3.5: what a parser has to support, and no more than that.
TEST(Structured, SupportsTheSizesThatTheRfcAsksFor) {
  const auto members = [](std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out.append(i == 0 ? "" : ",").append("m").append(std::to_string(i));
    return out;
  };
  const auto items = [](std::size_t n) {
    std::string out = "a=(";
    for (std::size_t i = 0; i < n; ++i) out.append("1 ");
    return out + ")";
  };
  const auto parameters = [](std::size_t n) {
    std::string out = "a";
    for (std::size_t i = 0; i < n; ++i) out.append(";p").append(std::to_string(i));
    return out;
  };
  for (const auto& [text, detail] : std::initializer_list<std::pair<std::string, std::string_view>>{
           {members(1024), ""},
           {members(1025), "too many members"},
           {items(256), ""},
           {items(257), "too many items"},
           {parameters(256), ""},
           {parameters(257), "too many parameters"},
           {"a=:" + std::string(21'848, 'A') + ":", ""},
           {"a=\"" + std::string(1024, 'x') + "\"", ""},
           {std::string(64, 'k') + "=" + std::string(512, 't'), ""},
           {"a=\"" + std::string(64 * 1024, 'x') + "\"", "too long"},
       }) {
    Arena arena;
    const auto parsed = sf::parse_dictionary(text, arena, sf::Reading::Rfc9651);
    EXPECT_EQ(parsed ? "" : parsed.error().detail, detail) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace gatelab::test
