// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr const char* kGood = "https://good.example";

std::string asks(std::string_view origin, std::string_view method = "PUT", std::string_view fields = "") {
  return "OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: " + std::string(origin) + "\r\nAccess-Control-Request-Method: " + std::string(method) + "\r\n" + std::string(fields) + "\r\n";
}

std::string cors(std::string_view keys) { return "[ { cors: { " + std::string(keys) + " } } ]"; }

// All fields of an answer that CORS is about, in a fixed order: "Allow-Origin: x | Vary: Origin".
std::string shown(const http::Fields& fields) {
  std::string out;
  for (const char* name : {"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Allow-Private-Network", "Max-Age", "Expose-Headers"})
    for (const http::Field& f : fields)
      if (f.name == "Access-Control-" + std::string(name)) out.append(out.empty() ? "" : " | ").append(name).append(": ").append(f.value);
  for (const http::Field& f : fields)
    if (f.id == http::FieldId::Vary) out.append(out.empty() ? "" : " | ").append("Vary: ").append(f.value);
  return out;
}

// What becomes of an answer with `fields` ("Name: value" lines).
std::string answered(Stepped& policy, const std::vector<std::pair<std::string, std::string>>& fields = {}, bool local = false) {
  http::Fields out(*policy.arena);
  for (const auto& [name, value] : fields) out.add(policy.arena->copy(name), policy.arena->copy(value));
  std::uint16_t status = 200;
  http::BodyFraming body;
  policy::ResponseInput response{status, out, local, *policy.input, body};
  if (policy.list[0]->has_on_response()) policy.list[0]->on_response(response);
  return shown(out);
}

TEST(Cors, JudgesOrigins) {
  struct Row {
    const char* origins;
    const char* origin;
    bool allowed;
  };
  const char* exact = "origins: [ https://good.example, \"http://localhost:3000\" ]";
  const char* pattern = R"(origins: [ { regex: "https://[a-z0-9-]+\\.good\\.example" } ])";
  for (const Row& row : {
           Row{exact, "https://good.example", true},
           Row{exact, "http://localhost:3000", true},
           Row{exact, "http://localhost", false},
           Row{exact, "http://localhost:3001", false},
           Row{exact, "http://good.example", false},
           Row{exact, "https://good.example.evil.com", false},
           Row{exact, "https://evilgood.example", false},
           Row{exact, "https://good.example.", false},
           Row{exact, "https://good.example:443", false},
           Row{exact, "https://good.example:8443", false},
           Row{exact, "https://GOOD.example", false},
           Row{exact, "HTTPS://good.example", false},
           Row{exact, "https://good.example/", false},
           Row{exact, "https://evil@good.example", false},
           Row{exact, "https://good.example https://evil.com", false},
           Row{exact, "https://good.example, https://evil.com", false},
           Row{exact, "good.example", false},
           Row{exact, "null", false},
           Row{exact, "", false},
           Row{exact, "*", false},
           Row{pattern, "https://a.good.example", true},
           Row{pattern, "https://a-1.good.example", true},
           Row{pattern, "https://a.b.good.example", false},
           Row{pattern, "https://good.example", false},
           Row{pattern, "https://evilgood.example", false},
           Row{pattern, "https://a.goodxexample", false},
           Row{pattern, "https://a.good.example.evil.com", false},
           Row{pattern, "https://evil.com/https://a.good.example", false},
           Row{pattern, "xhttps://a.good.example", false},
           Row{pattern, "https://a.good.example:8443", false},
           Row{pattern, "https://A.good.example", false},
           // Octets that no browser would send do not reach a pattern, however wide it is.
           Row{R"(origins: [ { regex: "https://.*\\.good\\.example" } ])", "https://evil.com/.good.example", false},
           Row{R"(origins: [ { regex: "https://.*\\.good\\.example" } ])", "https://evil.com#.good.example", false},
           Row{R"(origins: [ { regex: "https://.*\\.good\\.example" } ])", "https://evil.com@x.good.example", false},
           Row{R"(origins: [ { regex: "https://.*\\.good\\.example" } ])", "https://a.b.good.example", true},
           Row{R"(origins: [ { regex: "https://a|https://b\\.example" } ])", "https://b.example", true},
           Row{R"(origins: [ { regex: "https://a|https://b\\.example" } ])", "https://a.evil.com", false},
           Row{R"(origins: [ { regex: ".*" } ])", "null", false},
           Row{R"(origins: [ { regex: "null" } ])", "null", false},
           Row{"origins: [ \"null\" ]", "null", true},
           Row{"origins: [ \"null\" ]", "NULL", false},
           Row{"origins: [ \"null\" ]", "https://good.example", false},
           Row{"origins: \"*\"", "https://anything.example", true},
           Row{"origins: \"*\"", "null", true},
       }) {
    Stepped policy(cors(row.origins));
    ASSERT_EQ(policy.errors, "") << row.origins;
    const policy::Step step = policy.step(asks(row.origin, "GET"));
    EXPECT_EQ(step.reason, row.allowed ? "preflight" : "origin-not-allowed") << row.origins << " " << row.origin;
    EXPECT_EQ(step.answer->status, row.allowed ? 204 : 403);
    const std::string fields = shown(step.answer->fields);
    EXPECT_EQ(fields.find("Allow-") != std::string::npos, row.allowed) << fields;
    EXPECT_NE(fields.find("Vary: Origin"), std::string::npos) << fields;
    // The request itself goes on; only its answer differs.
    EXPECT_EQ(policy.step(get("/", "Origin: " + std::string(row.origin) + "\r\n")).verdict, policy::Verdict::Continue);
    EXPECT_EQ(answered(policy).find("Allow-Origin") != std::string::npos, row.allowed) << row.origins << " " << row.origin;
    EXPECT_EQ(answered(policy, {}, true).find("Allow-Origin") != std::string::npos, row.allowed);
  }
}

TEST(Cors, AnswersPreflights) {
  constexpr const char* kVary = " | Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network";
  struct Row {
    const char* keys;  // beside origins
    std::string request;
    const char* reason;
    const char* fields;  // before Vary
  };
  const std::string much = [] {
    std::string out = "Access-Control-Request-Headers: x-0";
    for (int i = 1; i < 65; ++i) out += ", x-" + std::to_string(i);
    return out + "\r\n";
  }();
  for (const Row& row : {
           Row{"", asks(kGood, "GET"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST"},
           Row{"", asks(kGood, "PUT"), "cors-method-not-allowed", ""},
           Row{", methods: [GET, PUT]", asks(kGood, "PUT"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, PUT"},
           Row{", methods: [GET, PUT]", asks(kGood, "HEAD"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, PUT"},
           Row{", methods: [GET, PUT]", asks(kGood, "put"), "cors-method-not-allowed", ""},
           Row{", methods: [GET, PUT]", asks(kGood, "GET, PUT"), "cors-method-not-allowed", ""},
           Row{", methods: echo", asks(kGood, "M-SEARCH"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: M-SEARCH"},
           Row{", methods: echo", asks(kGood, "P(T"), "cors-method-not-allowed", ""},
           Row{", methods: echo", asks(kGood, ""), "cors-method-not-allowed", ""},
           Row{", headers: [Content-Type, X-Tag]", asks(kGood, "GET"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST | Allow-Headers: Content-Type, X-Tag"},
           Row{", headers: [Content-Type, X-Tag]", asks(kGood, "GET", "Access-Control-Request-Headers: content-type,x-tag\r\n"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST | Allow-Headers: Content-Type, X-Tag"},
           Row{", headers: [Content-Type]", asks(kGood, "GET", "Access-Control-Request-Headers: content-type,x-tag\r\n"), "cors-header-not-allowed", ""},
           Row{", headers: [Content-Type]", asks(kGood, "GET", "Access-Control-Request-Headers: content-type\r\nAccess-Control-Request-Headers: x-tag\r\n"), "cors-header-not-allowed", ""},
           Row{"", asks(kGood, "GET", "Access-Control-Request-Headers: content-type\r\n"), "cors-header-not-allowed", ""},
           Row{", headers: echo", asks(kGood, "GET", "Access-Control-Request-Headers: x-b,x-a\r\n"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST | Allow-Headers: x-b, x-a"},
           Row{", headers: echo", asks(kGood, "GET"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST"},
           Row{", headers: echo", asks(kGood, "GET", "Access-Control-Request-Headers: x-a: b\r\n"), "cors-header-not-allowed", ""},
           Row{", headers: echo", asks(kGood, "GET", "Access-Control-Request-Headers: \"x-a\"\r\n"), "cors-header-not-allowed", ""},
           Row{", headers: echo", asks(kGood, "GET", much), "cors-header-not-allowed", ""},
           Row{", headers: echo", asks(kGood, "GET", "Access-Control-Request-Headers: " + std::string(5000, 'x') + "\r\n"), "cors-header-not-allowed", ""},
           Row{", credentials: true, max_age: 10m", asks(kGood, "GET"), "preflight", "Allow-Origin: https://good.example | Allow-Credentials: true | Allow-Methods: GET, HEAD, POST | Max-Age: 600"},
           Row{", max_age: 0s, expose_headers: [X-Total]", asks(kGood, "GET"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST | Max-Age: 0"},
           Row{", private_network: true", asks(kGood, "GET", "Access-Control-Request-Private-Network: true\r\n"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST | Allow-Private-Network: true"},
           Row{", private_network: true", asks(kGood, "GET"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST"},
           Row{", private_network: true", asks(kGood, "GET", "Access-Control-Request-Private-Network: yes\r\n"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST"},
           Row{"", asks(kGood, "GET", "Access-Control-Request-Private-Network: true\r\n"), "preflight", "Allow-Origin: https://good.example | Allow-Methods: GET, HEAD, POST"},
           Row{", credentials: true, private_network: true", asks("https://evil.example", "GET", "Access-Control-Request-Private-Network: true\r\n"), "origin-not-allowed", ""},
           Row{"", asks(kGood, "GET", "Origin: https://evil.example\r\n"), "origin-not-allowed", ""},
       }) {
    Stepped policy(cors("origins: [ https://good.example ]" + std::string(row.keys)));
    ASSERT_EQ(policy.errors, "") << row.keys;
    const policy::Step step = policy.step(row.request);
    EXPECT_EQ(step.reason, row.reason) << row.keys << "\n" << row.request;
    ASSERT_EQ(step.verdict, policy::Verdict::Respond);
    const std::string expected = *row.fields == '\0' ? std::string(kVary).substr(3) : row.fields + std::string(kVary);
    EXPECT_EQ(shown(step.answer->fields), expected) << row.keys << "\n" << row.request;
    EXPECT_EQ(answered(policy, {{"Access-Control-Allow-Origin", "x"}}, true), "Allow-Origin: x") << "a preflight's answer is finished";
  }
}

TEST(Cors, IsNoPreflightWithoutItsFields) {
  Stepped policy(cors("origins: [ https://good.example ]"));
  for (const char* request : {"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://good.example\r\n\r\n", "OPTIONS /x HTTP/1.1\r\nHost: a\r\nAccess-Control-Request-Method: GET\r\n\r\n"})
    EXPECT_EQ(policy.step(request).verdict, policy::Verdict::Continue) << request;
  EXPECT_TRUE(policy.list[0]->answers_preflight());
}

TEST(Cors, EditsAnswers) {
  using List = std::vector<std::pair<std::string, std::string>>;
  struct Row {
    const char* keys;
    const char* origin;  // null: none
    List fields;
    const char* shown;
  };
  const List own = {{"access-control-allow-origin", "*"}, {"Access-Control-Allow-Origin", "https://evil.example"}, {"Access-Control-Allow-Credentials", "true"}, {"ACCESS-CONTROL-EXPOSE-HEADERS", "X-Secret"}, {"Access-Control-New", "1"}};
  for (const Row& row : {
           Row{"origins: [ https://good.example ]", kGood, {}, "Allow-Origin: https://good.example | Vary: Origin"},
           Row{"origins: [ https://good.example ]", nullptr, {}, "Vary: Origin"},
           Row{"origins: [ https://good.example ]", "https://evil.example", {}, "Vary: Origin"},
           Row{"origins: [ https://good.example ]", kGood, {{"Vary", "Accept-Encoding"}}, "Allow-Origin: https://good.example | Vary: Accept-Encoding | Vary: Origin"},
           Row{"origins: [ https://good.example ]", kGood, {{"Vary", "Accept, origin"}}, "Allow-Origin: https://good.example | Vary: Accept, origin"},
           Row{"origins: [ https://good.example ]", kGood, {{"Vary", "*"}}, "Allow-Origin: https://good.example | Vary: *"},
           Row{"origins: [ https://good.example ]", kGood, own, "Allow-Origin: https://good.example | Vary: Origin"},
           Row{"origins: [ https://good.example ]", "https://evil.example", own, "Vary: Origin"},
           Row{"origins: [ https://good.example ]", nullptr, own, "Vary: Origin"},
           Row{"origins: [ https://good.example ], credentials: true, expose_headers: [X-Total, ETag], max_age: 1m", kGood, {}, "Allow-Origin: https://good.example | Allow-Credentials: true | Expose-Headers: X-Total, ETag | Vary: Origin"},
           Row{"origins: [ https://good.example ], credentials: true, expose_headers: [X-Total, ETag]", "https://evil.example", {}, "Vary: Origin"},
           Row{"origins: \"*\"", kGood, {}, "Allow-Origin: *"},
           Row{"origins: \"*\"", nullptr, own, "Allow-Origin: *"},
           Row{"origins: \"*\", expose_headers: [\"*\"]", nullptr, {}, "Allow-Origin: * | Expose-Headers: *"},
           Row{"origins: [ https://good.example ], upstream_fields: keep", kGood, {{"Access-Control-Allow-Origin", "https://theirs.example"}}, "Allow-Origin: https://theirs.example"},
           Row{"origins: [ https://good.example ], upstream_fields: keep", kGood, {{"Access-Control-Expose-Headers", "X"}}, "Allow-Origin: https://good.example | Vary: Origin"},
       }) {
    Stepped policy(cors(row.keys));
    ASSERT_EQ(policy.errors, "") << row.keys;
    policy.step(get("/", row.origin == nullptr ? "" : "Origin: " + std::string(row.origin) + "\r\n"));
    policy.request->fields.remove("Origin");  // as a later policy may
    EXPECT_EQ(answered(policy, row.fields), row.shown) << row.keys << " " << (row.origin == nullptr ? "" : row.origin);
  }
}

TEST(Cors, KeepsOnlyTheUpstreamsFieldsNotTheGatewaysOwn) {
  Stepped policy(cors("origins: [ https://good.example ], upstream_fields: keep"));
  policy.step(get("/", "Origin: https://evil.example\r\n"));
  EXPECT_EQ(answered(policy, {{"Access-Control-Allow-Origin", "*"}}, true), "Vary: Origin");
}

TEST(Cors, StrictRefusesOtherOrigins) {
  Stepped policy(cors("origins: [ https://good.example ], strict: true"));
  EXPECT_EQ(policy.step(get("/", "Origin: https://good.example\r\n")).verdict, policy::Verdict::Continue);
  EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue) << "who sends no Origin is no script of another site";
  const policy::Step step = policy.step(get("/", "Origin: https://evil.example\r\n"));
  EXPECT_EQ(step.reason, "origin-not-allowed");
  EXPECT_EQ(step.answer->status, 403);
  EXPECT_EQ(shown(step.answer->fields), "Vary: Origin");
  EXPECT_EQ(answered(policy, {{"Vary", "Origin"}}, true), "Vary: Origin");
  EXPECT_EQ(policy.step(get("/", "Origin: https://good.example\r\nOrigin: https://good.example\r\n")).reason, "origin-not-allowed");
}

TEST(Cors, ObservingAnswersNoPreflightAndEditsNothing) {
  Stepped policy("[ { cors: { origins: [ https://good.example ] }, mode: observe } ]");
  ASSERT_EQ(policy.errors, "");
  EXPECT_FALSE(policy.list[0]->answers_preflight());
  EXPECT_FALSE(policy.list[0]->has_on_response());
}

TEST(Cors, RefusesConfigurationsThatMeanNothingOrTooMuch) {
  for (const char* keys : {"", "origins: []", "origins: \"*\", credentials: true", "origins: [ \"*\" ], credentials: true", R"(origins: [ { regex: ".*" } ], credentials: true)", R"(origins: [ { regex: "https?://.+" } ], credentials: true)",
                           R"(origins: [ { regex: "https://[^/]+" } ], credentials: true)", "origins: [ \"*\", https://good.example ]", "origins: [ https://good.example/ ]", "origins: [ https://Good.example ]", "origins: [ \"https://good.example:443\" ]",
                           "origins: [ good.example ]", "origins: [ \"https://*.good.example\" ]", "origins: [ null ]", "origins: [ { regex: \"(\" } ]", "origins: [ { pattern: a } ]", "origins: 5", "origins: [ https://good.example ], methods: [get]",
                           "origins: [ https://good.example ], methods: [\"*\"]", "origins: [ https://good.example ], headers: [\"*\"]", "origins: [ https://good.example ], headers: [\"a b\"]",
                           "origins: [ https://good.example ], credentials: true, expose_headers: [\"*\"]", "origins: [ https://good.example ], max_age: 25h", "origins: [ https://good.example ], max_age: -1s", "allow_origins: [ https://good.example ]"})
    EXPECT_NE(Stepped(cors(keys)).errors, "") << keys;
  EXPECT_NE(Stepped("[ { cors: { origins: [ https://a.example ] } }, { cors: { origins: [ https://b.example ] }, id: two } ]").errors, "");
}

TEST(Cors, WarnsOfPatternsThatSayMoreThanIsMeant) {
  struct Row {
    const char* regex;
    const char* id;  // null: nothing to say
  };
  for (const Row& row : {Row{R"(https://[a-z0-9-]+\\.good\\.example)", nullptr}, Row{R"(https://([a-z]+\\.)?good\\.example(:[0-9]+)?)", nullptr}, Row{R"(https?://localhost:[0-9]+)", nullptr}, Row{R"(https://.*\\.good\\.example)", nullptr},
                         Row{R"(https://good.example)", "loose-pattern"}, Row{R"(https://.*good\\.example)", "loose-pattern"}, Row{R"(https://[a-z.]+good\\.example)", "loose-pattern"}, Row{R"(https://good\\.example.*)", "loose-pattern"},
                         Row{R"(https://good\\.example.+)", "loose-pattern"}, Row{".*", "any-origin"}, Row{"https://[a-z0-9.-]+(:[0-9]+)?", "any-origin"}, Row{"https?://.*", "any-origin"}}) {
    Stepped policy(cors("origins: [ { regex: \"" + std::string(row.regex) + "\" } ]"));
    EXPECT_EQ(policy.errors, "") << row.regex;
    ASSERT_EQ(policy.sink.warnings(), row.id == nullptr ? 0U : 1U) << row.regex;
    EXPECT_EQ(policy.sink.all().empty() ? "" : policy.sink.all().front().id, row.id == nullptr ? "" : row.id) << row.regex;
  }
  EXPECT_EQ(Stepped(cors("origins: [ \"null\" ], credentials: true")).sink.warnings(), 1U);
  EXPECT_EQ(Stepped(cors("origins: \"*\", strict: true")).sink.warnings(), 1U);
}

}  // namespace
}  // namespace gatelab::test
