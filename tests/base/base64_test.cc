// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <gtest/gtest.h>

namespace gatelab::test {
namespace {

constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648 §10, without the padding; RFC 7515 C.
TEST(Base64Url, IsAsPrinted) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\x03\xec\xff\xe0\xc1", "A-z_4ME"}};
  for (const auto& [octets, text] : examples) {
    EXPECT_EQ(base64url_encode(octets), text);
    EXPECT_EQ(base64url_decode(text), octets);
  }
}

TEST(Base64Url, EveryOctetAtEveryPlaceComesBack) {
  for (std::size_t size = 0; size < 9; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int octet = 0; octet < 256; ++octet) {
        std::string octets(size, '\x5a');
        octets[at] = static_cast<char>(octet);
        ASSERT_EQ(base64url_decode(base64url_encode(octets)), octets) << size << " " << at << " " << octet;
      }
}

// What is no digit is refused wherever it stands, and what is decoded has one spelling.
TEST(Base64Url, NothingElseIsTaken) {
  for (std::size_t size = 1; size < 9; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int octet = 0; octet < 256; ++octet) {
        std::string text(size, 'A');
        text[at] = static_cast<char>(octet);
        const auto decoded = base64url_decode(text);
        const bool digit = kUrl.find(text[at]) != std::string_view::npos;
        if (!digit || size % 4 == 1) {
          ASSERT_FALSE(decoded) << size << " " << at << " " << octet;
        } else if (decoded) {
          ASSERT_EQ(base64url_encode(*decoded), text);
        }
      }
  for (const char* loose : {"Zg==", "Zg=", "Zm8=", "Zh", "Zm9", " Zg", "Zg ", "Zm9v\n", "Zm\n9v", "+A", "/A"}) EXPECT_FALSE(base64url_decode(loose)) << loose;
}

}  // namespace
}  // namespace gatelab::test
