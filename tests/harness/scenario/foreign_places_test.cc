// SPDX-License-Identifier: Apache-2.0
// What a gateway that is not ours is told: names are filled in, everything else of its file stays.
#include "harness/scenario/foreign_places.h"

#include <gtest/gtest.h>

namespace gatelab::harness {
namespace {

TEST(ForeignPlaces, AreFilledInAndEveryOtherDollarStays) {
  Places places{{"gateway.port", "43127"}};
  set_mock_place(places, "orders", "orders", {{IpAddress::Family::V4, {127, 0, 0, 1}}, 9001});
  set_mock_place(places, "orders", "backup", {{IpAddress::Family::V4, {127, 0, 0, 1}}, 9002});
  const auto text = fill("listen $(gateway.port); pass $(mocks.orders.address) $(mocks.orders.backup.port); if ($host ~ ^(a|b)$) { $(x) $$ ${y} $(", places);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "listen 43127; pass 127.0.0.1:9001 9002; if ($host ~ ^(a|b)$) { $(x) $$ ${y} $(");
}

TEST(ForeignPlaces, ANameThatIsNotThereIsSaidWithWhatIs) {
  const Places places{{"gateway.port", "1"}, {"gateway.directory", "/tmp"}};
  for (const char* wrong : {"$(gateway.prot)", "$(mocks.orders.port)", "$(gateway.)"}) {
    const auto text = fill(wrong, places);
    ASSERT_FALSE(text) << wrong;
    EXPECT_EQ(text.error().id, "unknown-place");
    EXPECT_NE(text.error().message.find("gateway.directory, gateway.port"), std::string::npos) << text.error().message;
  }
  EXPECT_NE(fill("$(gateway.prot)", places).error().message.find("did you mean `$(gateway.port)`"), std::string::npos);
}

TEST(GatewayUrls, AreASchemeAHostAndAPort) {
  const auto plain = parse_gateway_url("http://127.0.0.1:8080");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host + "|" + plain->authority + "|" + std::to_string(plain->port), "127.0.0.1|127.0.0.1:8080|8080");
  EXPECT_FALSE(plain->tls);
  const auto secure = parse_gateway_url("https://staging.example/healthz?x=1");
  ASSERT_TRUE(secure);
  EXPECT_EQ(secure->host + "|" + secure->path + "|" + std::to_string(secure->port), "staging.example|/healthz?x=1|443");
  EXPECT_TRUE(secure->tls);
  const auto six = parse_gateway_url("http://[::1]:81/");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host + "|" + std::to_string(six->port), "::1|81");
  for (const char* wrong : {"", "staging.example", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:x", "http://user@a", "http://a b", "unix:/x"}) EXPECT_FALSE(parse_gateway_url(wrong)) << wrong;
}

}  // namespace
}  // namespace gatelab::harness
