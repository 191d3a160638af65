// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr const char* kConsumers = R"([
  { name: by-subject, groups: [gold], certificates: [ { subject: "CN=shop,O=acme" } ] },
  { name: by-san, certificates: [ { san: shop@example.com } ] },
  { name: by-spiffe, certificates: [ { spiffe: "spiffe://example.org/shop/*" } ] },
  { name: by-print, certificates: [ { fingerprint: "9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B:2B:0B:82:2C:D1:5D:6C:15:B0:F0:0A:08" } ] } ])";

TEST(Mtls, KnowsConsumersByTheirCertificates) {
  struct Case {
    std::string subject;
    std::vector<std::string> identities;
    std::string fingerprint;
    const char* consumer;
    const char* reason;
  };
  const Case cases[] = {
      {"CN=shop,O=acme", {}, "", "by-subject", ""},
      {"CN=shop,O=acme2", {}, "", "", "unknown-consumer"},
      {"CN=x", {"shop@example.com"}, "", "by-san", ""},
      {"CN=x", {"other@example.com", "shop@example.com"}, "", "by-san", ""},
      {"CN=x", {"shop@example.com.evil"}, "", "", "unknown-consumer"},
      {"CN=x", {"spiffe://example.org/shop/web"}, "", "by-spiffe", ""},
      {"CN=x", {"spiffe://example.org/shop/"}, "", "", "unknown-consumer"},
      {"CN=x", {"spiffe://example.org/shopping/web"}, "", "", "unknown-consumer"},
      {"CN=x", {"spiffe://example.org.evil/shop/web"}, "", "", "unknown-consumer"},
      {"CN=x", {}, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "by-print", ""},
      {"", {}, "", "", "missing-certificate"},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { mtls: {} } ]", kConsumers);
    ASSERT_EQ(policy.errors, "");
    crypto::TlsFacts facts;
    facts.peer_subject = c.subject;
    facts.peer_identities = c.identities;
    facts.peer_fingerprint = c.fingerprint;
    policy.tls = &facts;
    const policy::Step step = policy.step(get("/"));
    EXPECT_EQ(step.reason, c.reason) << c.subject;
    if (*c.consumer != '\0') {
      EXPECT_EQ(policy.input->consumer->name, c.consumer);
    }
  }
}

TEST(Mtls, WithoutTlsThereIsNoCertificate) {
  Stepped policy("[ { mtls: { consumer_required: false } } ]", kConsumers);
  EXPECT_EQ(policy.step(get("/")).reason, "missing-certificate");
  crypto::TlsFacts facts;
  facts.peer_subject = "CN=stranger";
  policy.tls = &facts;
  EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
  EXPECT_EQ(policy.input->principal, "CN=stranger");
}

}  // namespace
}  // namespace gatelab::test
