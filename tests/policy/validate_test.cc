// SPDX-License-Identifier: Apache-2.0
// What a query and fields are to a schema, by table; and large bodies, which are looked at off the loop. What a gateway does with
// it is in scenarios/policy/validate.yaml, what each keyword holds in tests/schema/.
#include "coding/coder.h"
#include "policy/stepped.h"
#include "policy/validate/texts.h"

namespace gatelab::test {
namespace {

std::string written(const json::Document& document) {
  std::string out;
  EXPECT_TRUE(document.write(out, 1 << 20));
  return out;
}

struct Row {
  const char *schema, *text, *object;
};

TEST(Validate, AQueryIsAnObjectWhoseTextsAreWhatTheSchemaWants) {
  for (const Row& row : {
           Row{"{}", "a=1&b=x", R"({"a":"1","b":"x"})"},
           {"{}", "", "{}"},
           {"{}", "a&b=", R"({"a":"","b":""})"},
           {"{}", "a=%22+%C3%A9%0a&%61=2", R"({"a":["\" é\n","2"]})"},
           {R"({"properties":{"a":{"type":"integer"}}})", "a=1&b=1", R"({"a":1,"b":"1"})"},
           {R"({"properties":{"a":{"type":"integer"}}})", "a=01", R"({"a":"01"})"},
           {R"({"properties":{"a":{"type":"number"}}})", "a=1.50e3", R"({"a":1.50e3})"},
           {R"({"properties":{"a":{"type":"number"}}})", "a=1x", R"({"a":"1x"})"},
           {R"({"properties":{"a":{"type":["number","string"]}}})", "a=1", R"({"a":"1"})"},
           {R"({"properties":{"a":{"type":"boolean"}}})", "a=true&b=true", R"({"a":true,"b":"true"})"},
           {R"({"properties":{"a":{"type":"array","items":{"type":"integer"}}}})", "a=1", R"({"a":[1]})"},
           {R"({"properties":{"a":{"type":"array","items":{"type":"integer"}}}})", "a=1&b=2&a=x", R"({"a":[1,"x"],"b":"2"})"},
           {R"({"additionalProperties":{"type":"integer"}})", "a=1&a=2", R"({"a":[1,2]})"},
           {R"({"properties":{"a":{"minimum":1,"maximum":100}}})", "a=999", R"({"a":999})"},
           {R"({"properties":{"a":{"enum":[1,2]},"b":{"enum":[1,"2"]}}})", "a=1&b=1", R"({"a":1,"b":"1"})"},
           {R"({"properties":{"a":{"oneOf":[{"type":"integer"},{"type":"boolean"}]},"b":{"anyOf":[{"type":"integer"},{"type":"string"}]}}})", "a=1&b=1", R"({"a":1,"b":"1"})"},
           {R"({"patternProperties":{"^x-":{"type":"integer"}}})", "x-a=1&a=1", R"({"x-a":1,"a":"1"})"},
           {R"({"definitions":{"n":{"type":"integer"}},"allOf":[{"properties":{"a":{"allOf":[{"$ref":"#/definitions/n"},{"minimum":1}]}}}]})", "a=1", R"({"a":1})"},
           {R"({"properties":{"a":{"minLength":1,"minimum":3}}})", "a=1", R"({"a":"1"})"},
           {R"({"definitions":{"n":{"type":"integer"},"o":{"properties":{"a":{"$ref":"#/definitions/n"}}}},"$ref":"#/definitions/o"})", "a=1", R"({"a":1})"},
       }) {
    const auto document = *json::Document::parse(row.schema, {});
    schema::Set set(document, schema::Dialect::Draft7);
    const std::int32_t root = set.compile(document.root());
    Arena arena;
    EXPECT_EQ(written(policy::query_object(row.text, set, root, arena)), row.object) << row.schema << " " << row.text;
  }
}

TEST(Validate, FieldsAreAnObjectByTheNamesThatTheSchemaHas) {
  const auto document = *json::Document::parse(R"({"required":["X-Needed"],"properties":{"X-Number":{"type":"integer"},"Accept":{"type":"array","items":{}}}})", {});
  schema::Set set(document, schema::Dialect::Draft7);
  const std::int32_t root = set.compile(document.root());
  Arena arena;
  http::Fields fields(arena);
  for (const auto& [name, value] : {std::pair("x-number", "7"), {"ACCEPT", "a/b;q=0.5, c"}, {"Accept", "d"}, {"X-NEEDED", "n"}, {"X-Other", "1"}, {"x-other", "2"}}) fields.add(name, value);
  EXPECT_EQ(written(policy::fields_object(fields, set, root)), R"({"X-Number":7,"Accept":["a/b;q=0.5","c","d"],"X-Needed":"n","x-other":"1, 2"})");
}

std::string verdict(Stepped& policy, const std::string& body, const std::string& fields = "Content-Type: application/json\r\n") {
  policy::Step step = policy.step("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  policy::WholeBody whole{body, true};
  while (step.verdict == policy::Verdict::Need) {
    if (std::holds_alternative<policy::ReadBody>(*step.effect)) policy.input->body = &whole;
    else std::exchange(std::get<policy::ComputeJob>(*step.effect).job, nullptr)();
    policy.input->effect_done = true;
    step = policy.list[0]->step(*policy.input);
  }
  policy.end();
  EXPECT_EQ(whole.octets, body);
  return step.verdict == policy::Verdict::Continue ? "" : std::string(step.reason) + " " + std::string(step.answer->detail);
}

TEST(Validate, LargeAndCodedBodiesAreLookedAtOffTheLoop) {
  Stepped policy("[ { validate: { body: { schema: { items: { type: integer } } } } } ]");
  ASSERT_EQ(policy.errors, "");
  std::string body = "[1";
  for (int i = 0; i < 40'000; ++i) body += ",1";
  EXPECT_EQ(verdict(policy, body + "]"), "");
  EXPECT_EQ(verdict(policy, body + ",true]"), "invalid-body body/40001 is a boolean, and must be of type integer");
  EXPECT_EQ(verdict(policy, coding::encode(coding::Coding::Gzip, "[true]"), "Content-Type: application/a+json\r\nContent-Encoding: gzip\r\n"), "invalid-body body/0 is a boolean, and must be of type integer");
  EXPECT_EQ(verdict(policy, "[\"\xff\"]"), "json-malformed a string has no end, a control octet, a wrong escape, or is not UTF-8, at octet 3");
}

TEST(Validate, ATypeThatIsSaidTwiceOrInAnotherCharsetIsRefused) {
  Stepped policy("[ { validate: { body: { schema: true, other_types: pass } } } ]");
  EXPECT_EQ(verdict(policy, "1", "Content-Type: text/plain\r\nContent-Type: application/json\r\n"), "several-media-types ");
  EXPECT_EQ(verdict(policy, "1", "Content-Type: application/json; charset=utf-16\r\n"), "media-type charset=utf-8");
  EXPECT_EQ(verdict(policy, "1", "Content-Type: application/json;a=b ; Charset=\"UTF-8\"\r\n"), "");
}

TEST(Validate, WhatTakesLongIsLookedAtOffTheLoopHoweverSmallItIs) {
  Stepped policy("[ { validate: { body: { schema: { items: { format: regex } } } } } ]");
  std::string body = "[\"a+\"";
  for (int i = 0; i < 20; ++i) body += ",\"a+\"";
  EXPECT_EQ(verdict(policy, body + "]"), "");
  EXPECT_EQ(verdict(policy, body + ",\"(\"]"), "invalid-body body/21 is not of the format that it must have");
  for (int i = 0; i < 300; ++i) body += ",\"a+\"";
  EXPECT_EQ(verdict(policy, body + "]"), "json-too-many to look at all of it would take too long");
}

TEST(Validate, NamesOfAClientAreCutAndTheAnswerStaysBounded) {
  Stepped policy("[ { validate: { body: { schema: { additionalProperties: false } }, max_errors: 100 } } ]");
  std::string body = "{";
  for (int i = 0; i < 200; ++i) body += (i == 0 ? "\"" : ",\"") + std::to_string(i) + std::string(1'000, 'n') + "\":1";
  policy::Step step = policy.step("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n");
  policy::WholeBody whole{body + "}", true};
  policy.input->body = &whole;
  while (step.verdict == policy::Verdict::Need) {
    if (auto* job = std::get_if<policy::ComputeJob>(step.effect)) std::exchange(job->job, nullptr)();
    policy.input->effect_done = true;
    step = policy.list[0]->step(*policy.input);
  }
  ASSERT_EQ(step.reason, "invalid-body");
  EXPECT_LT(step.answer->members.size(), 40'000U);
  EXPECT_TRUE(json::Document::parse("{" + std::string(step.answer->members) + "}", {}));
  policy.end();
}

}  // namespace
}  // namespace gatelab::test
