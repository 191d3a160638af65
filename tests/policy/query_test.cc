// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

struct Edited {
  const char *policy, *sent, *forwarded;
};

TEST(Query, IsEditedInTheOrderOfThePage) {
  for (const Edited& one : {
           Edited{"remove: [a]", "a=1&b=2&a", "b=2"},
           Edited{"remove: ['*']", "a=1&b=2", ""},
           Edited{"keep_only: [a, 'x_*']", "a=1&x_=2&x=3&x_y", "a=1&x_=2&x_y"},
           Edited{"keep_only: [a], rename: { a: b }", "a=1&b=2", "b=1"},
           Edited{"rename: { a: b }, set: { b: '9' }", "a=1&b=2&c", "c&b=9"},
           Edited{"set: { a: '' }", "a=1", "a="},
           Edited{"add: { a: '2' }", "a=1", "a=1&a=2"},
           Edited{"add: { 'a b': 'c=d&e' }", "", "a%20b=c%3Dd%26e"},
           Edited{"set: { a: '${request.query.b}' }", "b=%26&a=1", "b=%26&a=%26"},
           Edited{"remove: [zz]", "a=%zz&&b", "a=%zz&&b"},
       }) {
    Stepped policy(std::string("[ { query: { ") + one.policy + " } } ]");
    ASSERT_EQ(policy.errors, "") << one.policy;
    policy.step(get(std::string("/x") + (*one.sent != '\0' ? "?" : "") + one.sent));
    EXPECT_EQ(policy.request->query, one.forwarded) << one.policy;
    EXPECT_EQ(policy.request->has_query, *one.forwarded != '\0') << one.policy;
  }
}

TEST(Query, RefusesWhatNamesNothing) {
  for (const char* yaml : {"[ { query: { set: [a] } } ]", "[ { query: { set: { a: [b] } } } ]", "[ { query: { rename: { a: { b: c } } } } ]", "[ { query: { keep: [a] } } ]",
                           "[ { query: { set: { a: \"${claims}\" } } } ]", "[ { query: { set: { a: \"${consumer.name\" } } } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
}

TEST(Template, KnowsItsReferences) {
  for (const char* text : {"${request.method}", "${request.path}", "${request.query}", "${request.host}", "${request.scheme}", "${request.header.A-B}", "${request.query.a.b}", "${request.cookie.sid}", "${path.id}",
                           "${route}", "${client.ip}", "${consumer.name}", "${principal}", "${claims.a.b}", "${claims.sub:none}", "$${", "$", "{}", "a${route}b${route:}c"})
    EXPECT_EQ(Stepped(std::string("[ { query: { set: { a: \"") + text + "\" } } } ]").errors, "") << text;
  for (const char* text : {"${}", "${request}", "${request.headers.a}", "${request.header.}", "${path}", "${env.HOME}", "${route", "${:x}"})
    EXPECT_NE(Stepped(std::string("[ { query: { set: { a: \"") + text + "\" } } } ]").errors, "") << text;
}

TEST(Template, CutsNothingInTheMiddleOfAValueThatIsTooLong) {
  Stepped policy("[ { query: { set: { a: \"${request.header.X-Long}${request.header.X-Long}\" } } } ]");
  ASSERT_EQ(policy.errors, "");
  policy.step(get("/x", "X-Long: " + std::string(5'000, 'x') + "\r\n"));
  EXPECT_EQ(policy.request->query.size(), 5'002U);
}

}  // namespace
}  // namespace gatelab::test
