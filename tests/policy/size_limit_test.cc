// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

std::string post(std::string_view fields, std::string_view target = "/") { return "POST " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n"; }

TEST(SizeLimit, RefusesWhatIsTooLargeByItsHead) {
  struct Row {
    const char* limits;
    std::string request;
    const char* reason;  // empty: goes through
    int status;
    const char* detail;  // for the client
  };
  const std::string ten(10, 'x');
  const Row rows[] = {
      {"max_body: 10B", post("Content-Length: 10\r\n"), "", 0, ""},
      {"max_body: 10B", post("Content-Length: 11\r\n"), "body-too-large", 413, "at most 10B"},
      {"max_body: 1KiB", post("Content-Length: 999999999999999999\r\n"), "body-too-large", 413, "at most 1KiB"},
      {"max_body: 10B", post("Content-Length: 11\r\nExpect: 100-continue\r\n"), "body-too-large", 413, "at most 10B"},
      {"max_body: 10B", post("Content-Length: 0\r\n"), "", 0, ""},
      {"max_body: 10B", get("/"), "", 0, ""},
      {"max_body: 0B", get("/"), "", 0, ""},
      {"max_body: 0B", post("Content-Length: 1\r\n"), "body-too-large", 413, "at most 0B"},
      {"max_query: 10B", get("/?" + ten), "", 0, ""},
      {"max_query: 10B", get("/?" + ten + "x"), "query-too-long", 414, "at most 10B"},
      {"max_query: 10B", get("/" + ten + ten), "", 0, ""},
      {"max_query: 0B", get("/?"), "", 0, ""},
      {"max_query: 0B", get("/?a"), "query-too-long", 414, "at most 0B"},
      {"max_fields: 2", get("/", "A: 1\r\n"), "", 0, ""},
      {"max_fields: 2", get("/", "A: 1\r\nA: 2\r\n"), "fields-too-large", 431, "at most 2 fields"},
      // "Host: a" has 9 octets with its line's end.
      {"max_fields_size: 20B", get("/", "A: 345678\r\n"), "", 0, ""},
      {"max_fields_size: 20B", get("/", "A: 3456789\r\n"), "fields-too-large", 431, "at most 20B"},
      // What comes first in a request is said first.
      {"max_query: 1B, max_fields: 1, max_body: 1B", post("Content-Length: 9\r\n", "/?abc"), "query-too-long", 414, "at most 1B"},
  };
  for (const Row& row : rows) {
    Stepped policy("[ { size-limit: { " + std::string(row.limits) + " } } ]");
    ASSERT_EQ(policy.errors, "") << row.limits;
    const policy::Step step = policy.step(row.request);
    EXPECT_EQ(step.reason, row.reason) << row.limits << "\n" << row.request;
    EXPECT_EQ(step.verdict, *row.reason == '\0' ? policy::Verdict::Continue : policy::Verdict::Respond);
    EXPECT_EQ(step.answer == nullptr ? 0 : step.answer->status, row.status);
    EXPECT_EQ(step.answer == nullptr ? "" : step.answer->detail, row.detail);
    EXPECT_EQ(policy.input->body_limits, nullptr) << "a length needs no counting";
  }
}

TEST(SizeLimit, HasWhatComesInChunksCounted) {
  Stepped policy("[ { size-limit: { max_body: 10B } } ]");
  policy.step(post("Transfer-Encoding: chunked\r\n"));
  ASSERT_NE(policy.input->body_limits, nullptr);
  EXPECT_EQ(policy.input->body_limits->octets, 10U);
  EXPECT_EQ(policy.input->body_limits->by, policy.list[0].get());
  EXPECT_EQ(policy.input->body_limits->next, nullptr);
  // A second policy of the same kind is held to beside the first.
  Stepped two("[ { size-limit: { max_body: 20B }, id: second } ]");
  EXPECT_EQ(two.list[0]->step(*policy.input).verdict, policy::Verdict::Continue);
  EXPECT_EQ(policy.input->body_limits->octets, 20U);
  ASSERT_NE(policy.input->body_limits->next, nullptr);
  EXPECT_EQ(policy.input->body_limits->next->octets, 10U);
}

TEST(SizeLimit, RefusesConfigurationsThatMeanNothing) {
  for (const char* yaml : {"{}", "{ max_body: 10 }", "{ max_body: -1B }", "{ max_body: 1 pound }", "{ max_fields: 0 }", "{ max_fields: many }", "{ max_query: 1s }", "{ body: 1MiB }", "{ max_head: 8KiB }", "1MiB", "[1MiB]"})
    EXPECT_NE(Stepped("[ { size-limit: " + std::string(yaml) + " } ]").errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
