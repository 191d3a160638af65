// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace gatelab {
namespace {

TEST(ListElements, AreSplitAtCommasOutsideOfQuotes) {
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"", {}}, {",", {}}, {" , ,\t", {}}, {"a", {"a"}}, {"a, b ,c", {"a", "b", "c"}}, {"a,,b", {"a", "b"}}, {"\"a,b\",c", {"\"a,b\"", "c"}},
      {"\"a\\\",b\",c", {"\"a\\\",b\"", "c"}}, {"\"open, c", {"\"open, c"}}, {"\"x\\", {"\"x\\"}},
  };
  for (const auto& [text, want] : cases) {
    std::vector<std::string> got;
    std::string_view rest = text, element;
    while (next_list_element(rest, element)) got.emplace_back(element);
    EXPECT_EQ(got, want) << text;
  }
}

TEST(JsonText, IsAlwaysValidWhateverTheOctets) {
  const std::pair<std::string, const char*> cases[] = {
      {"plain", "plain"}, {"a\"b\\c", "a\\\"b\\\\c"}, {"\r\n\t", "\\r\\n\\t"}, {std::string("\0\x1b[31m\x7f", 7), "\\u0000\\u001b[31m\\u007f"}, {"\xc3\xa9", "\xc3\xa9"},
      {"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"}, {"\xc2\x9b" "31m\xc2\xa0", "\\u009b31m\xc2\xa0"}, {"\xff", "\xEF\xBF\xBD"}, {"\xc3", "\xEF\xBF\xBD"}, {"k\xc2{k", "k\xEF\xBF\xBD{k"}, {"\xc2", "\xEF\xBF\xBD"}, {"\xc0\xaf", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xed\xa0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, {"\xf4\x90\x80\x80x", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx"},
  };
  for (const auto& [text, want] : cases) {
    std::string out = "> ";
    append_json_escaped(out, text);
    EXPECT_EQ(out, std::string("> ") + want);
  }
}

TEST(Decimals, AreDigitsOnlyAndNeverWrapAround) {
  std::uint64_t n = 0;
  EXPECT_TRUE(parse_decimal("18446744073709551615", n));
  EXPECT_EQ(n, UINT64_MAX);
  EXPECT_TRUE(parse_decimal("00042", n));
  EXPECT_EQ(n, 42U);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "18446744073709551616", "99999999999999999999999"}) EXPECT_FALSE(parse_decimal(text, n)) << text;
}

TEST(Comparison, IgnoresCaseOfAsciiOnlyAndTrimsOnlySpaceAndTab) {
  EXPECT_TRUE(iequals("Content-LENGTH", "content-length"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("[", "{"));
  EXPECT_FALSE(iequals("\xc3\x89", "\xc3\xa9"));
  EXPECT_EQ(trim_ows(" \t a b\t "), "a b");
  EXPECT_EQ(trim_ows("\r\na\v"), "\r\na\v");
  EXPECT_TRUE(constant_time_equals("key", "key"));
  EXPECT_FALSE(constant_time_equals("key", "kez"));
  EXPECT_FALSE(constant_time_equals("key", "keyx"));
  EXPECT_TRUE(constant_time_equals("", ""));
}

TEST(Secrets, ArePrintedRedacted) {
  std::ostringstream out;
  out << Secret("hunter2");
  EXPECT_EQ(out.str(), "<redacted>");
  EXPECT_TRUE(Secret("a").equals("a"));
  EXPECT_FALSE(Secret("a").equals("b"));
}

// Eight octets at a time: every octet at every place of texts around that length is compared with the plain reading.
TEST(Text, LooksAtEveryOctetOfEveryLength) {
  for (std::size_t length = 0; length <= 17; ++length) {
    EXPECT_TRUE(has_no_control(std::string(length, 'a')));
    EXPECT_TRUE(is_plain_json(std::string(length, 'a')));
    for (std::size_t at = 0; at < length; ++at)
      for (unsigned octet = 0; octet < 256; ++octet) {
        std::string text(length, '~');
        text[at] = static_cast<char>(octet);
        const bool control = octet < 0x20 || octet == 0x7f;
        ASSERT_EQ(has_no_control(text), !control) << octet << " at " << at << " of " << length;
        const bool plain = !control && octet < 0x7f && octet != '"' && octet != '\\';
        ASSERT_EQ(is_plain_json(text), plain) << octet << " at " << at << " of " << length;
      }
  }
}

}  // namespace
}  // namespace gatelab
