// SPDX-License-Identifier: Apache-2.0
#include "base/cidr.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

// What the policy says of a client; `unix` is a peer without an address.
policy::Step ask(Stepped& policy, const std::string& client) {
  policy.step(get("/", "X-Forwarded-For: 10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\n"));
  policy.input->client = client == "unix" ? Address{} : Address{*parse_ip(client), 4711};
  return policy.list.at(0)->step(*policy.input);
}

TEST(IpFilter, LetsThroughWhomItsListsSay) {
  struct Row {
    const char* lists;
    const char* client;
    const char* reason;  // empty: goes through
  };
  const Row rows[] = {
      {"allow: [10.0.0.0/8]", "10.0.0.0", ""},
      {"allow: [10.0.0.0/8]", "10.255.255.255", ""},
      {"allow: [10.0.0.0/8]", "9.255.255.255", "address-not-allowed"},
      {"allow: [10.0.0.0/8]", "11.0.0.0", "address-not-allowed"},
      {"allow: [10.0.0.0/8]", "::ffff:10.1.2.3", ""},
      {"allow: [10.0.0.0/8]", "::10.1.2.3", "address-not-allowed"},
      {"allow: [10.0.0.0/8]", "::1", "address-not-allowed"},
      {"allow: [10.0.0.0/8]", "unix", "address-not-allowed"},
      {"allow: [\"::ffff:10.0.0.0/104\"]", "10.1.2.3", ""},
      {"allow: [\"::ffff:10.0.0.0/104\"]", "::ffff:10.1.2.3", ""},
      {"allow: [\"::/0\"]", "10.1.2.3", "address-not-allowed"},
      {"allow: [0.0.0.0/0]", "2001:db8::1", "address-not-allowed"},
      {"allow: [\"2001:db8::/32\", 127.0.0.1]", "2001:db8:ffff::1", ""},
      {"allow: [\"2001:db8::/32\", 127.0.0.1]", "2001:db9::1", "address-not-allowed"},
      {"allow: [\"2001:db8::/32\", 127.0.0.1]", "127.0.0.1", ""},
      {"allow: [\"2001:db8::/32\", 127.0.0.1]", "127.0.0.2", "address-not-allowed"},
      {"allow: 192.0.2.7", "192.0.2.7", ""},
      {"allow: [unix]", "unix", ""},
      {"allow: [unix]", "127.0.0.1", "address-not-allowed"},
      {"allow: [unix, 127.0.0.1], deny: [unix]", "unix", "address-denied"},
      {"deny: [203.0.113.0/24]", "203.0.113.9", "address-denied"},
      {"deny: [203.0.113.0/24]", "::ffff:203.0.113.9", "address-denied"},
      {"deny: [203.0.113.0/24]", "203.0.114.0", ""},
      {"deny: [203.0.113.0/24]", "unix", ""},
      {"deny: [0.0.0.0/0, \"::/0\"]", "unix", ""},
      {"allow: [10.0.0.0/8], deny: [10.6.0.0/16]", "10.6.6.6", "address-denied"},
      {"allow: [10.0.0.0/8], deny: [10.6.0.0/16]", "10.7.0.0", ""},
      {"allow: [10.6.0.0/16], deny: [10.0.0.0/8]", "10.6.0.1", "address-denied"},
      // An entry within another one says nothing of what lies behind it.
      {"allow: [10.0.0.0/8, 10.1.0.0/16]", "10.200.0.1", ""},
      {"allow: [10.1.0.0/16, 10.0.0.0/8, 10.3.0.0/16]", "10.2.0.1", ""},
      {"deny: [10.1.0.0/16, 9.0.0.0/8, 10.0.0.0/8]", "10.200.0.1", "address-denied"},
  };
  for (const Row& row : rows) {
    Stepped policy("[ { ip-filter: { " + std::string(row.lists) + " } } ]");
    ASSERT_EQ(policy.errors, "") << row.lists;
    const policy::Step step = ask(policy, row.client);
    EXPECT_EQ(step.reason, row.reason) << row.lists << " and " << row.client;
    EXPECT_EQ(step.verdict, *row.reason == '\0' ? policy::Verdict::Continue : policy::Verdict::Respond);
    if (step.answer != nullptr) {
      EXPECT_EQ(step.answer->status, 403);
      EXPECT_EQ(step.answer->detail, "") << "a client learns nothing of the lists";
    }
  }
}

// Against the plain reading of the lists, for every address of a small range.
TEST(IpFilter, FindsWhatASearchThroughTheWholeListFinds) {
  const char* texts[] = {"10.0.0.0/28", "10.0.0.3", "10.0.0.32/30", "10.0.0.33", "10.0.0.64/26", "10.0.0.200/29", "10.0.0.255"};
  std::string list;
  for (const char* text : texts) list.append(list.empty() ? "" : ", ").append(text);
  Stepped policy("[ { ip-filter: { deny: [" + list + "] } } ]");
  for (int last = 0; last < 256; ++last) {
    const std::string client = "10.0.0." + std::to_string(last);
    bool denied = false;
    for (const char* text : texts) denied = denied || parse_cidr(text)->contains(*parse_ip(client));
    EXPECT_EQ(ask(policy, client).reason == "address-denied", denied) << client;
  }
}

TEST(IpFilter, SaysWhichEntryDecided) {
  Stepped policy("[ { ip-filter: { allow: [10.0.0.0/8], deny: [10.6.0.0/16] } } ]");
  EXPECT_EQ(ask(policy, "10.6.6.6").detail, "10.6.6.6 is in deny: 10.6.0.0/16");
  EXPECT_EQ(ask(policy, "10.7.6.6").detail, "10.7.6.6 is in allow: 10.0.0.0/8");
  EXPECT_EQ(ask(policy, "192.0.2.1").detail, "192.0.2.1 is not in allow; would pass from 10.0.0.0/8");
  policy.input->detailed = false;
  EXPECT_EQ(policy.list[0]->step(*policy.input).detail, "");
}

TEST(IpFilter, RefusesListsThatMeanNothing) {
  for (const char* yaml : {"{}", "{ allow: [] }", "{ deny: [] }", "{ allow: [10.0.0.0/8], deny: [] }", "{ allow: [10.0.0.1/8] }", "{ allow: [10.0.0.0/33] }", "{ deny: [localhost] }",
                           "{ deny: [\"unix:/run/x.sock\"] }", "{ allow: { a: b } }", "{ allow: [10.0.0.0/8], block: [10.0.0.1] }", "[10.0.0.0/8]", "10.0.0.0/8"})
    EXPECT_NE(Stepped("[ { ip-filter: " + std::string(yaml) + " } ]").errors, "") << yaml;
}

TEST(IpFilter, WarnsOfEntriesWithoutEffect) {
  struct Row {
    const char* lists;
    std::size_t warnings;
  };
  for (const Row& row : {Row{"allow: [10.0.0.0/8, 192.168.0.0/16], deny: [10.6.0.0/16]", 0}, Row{"allow: [10.0.0.0/8, 10.1.0.0/16]", 1}, Row{"allow: [10.1.0.0/16, 10.0.0.0/8]", 1},
                         Row{"deny: [10.0.0.1, 10.0.0.1]", 1}, Row{"deny: [10.0.0.1, 10.0.0.1, 10.0.0.1]", 2}, Row{"allow: [10.1.0.0/16], deny: [10.0.0.0/8]", 1},
                         Row{"allow: [10.0.0.0/8], deny: [11.0.0.0/8]", 1}, Row{"allow: [unix, 10.0.0.0/8], deny: [unix]", 1}, Row{"deny: [unix]", 0}, Row{"allow: [\"::/0\"], deny: [10.0.0.1]", 1},
                         Row{"allow: [10.0.0.0/8, \"::ffff:10.0.0.0/104\"]", 1}})
    EXPECT_EQ(Stepped("[ { ip-filter: { " + std::string(row.lists) + " } } ]").sink.warnings(), row.warnings) << row.lists;
}

}  // namespace
}  // namespace gatelab::test
