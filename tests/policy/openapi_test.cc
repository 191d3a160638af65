// SPDX-License-Identifier: Apache-2.0
// Parameters by their styles, as the tables of OpenAPI 3.1.0 (Style Examples) and RFC 6570 have them; and what is read of a
// document. What a gateway does with it is in scenarios/policy/openapi.yaml.
#include "policy/openapi/values.h"

#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr const char* kString = "{ type: string }";
constexpr const char* kArray = "{ type: array, items: { type: string } }";
constexpr const char* kObject = "{ type: object, properties: { R: { type: integer }, G: { type: integer }, B: { type: integer } } }";

struct Loaded {
  explicit Loaded(const std::string& text) : policy("[ { openapi: { file: a.yaml } } ]", "", "", {{"a.yaml", text}}) {
    config::Node file;
    file.kind = config::Kind::Text;
    file.text = "a.yaml";
    policy::Context context{{}, "r", policy.people, policy.signers, policy.states, Random(7), [](const std::string&, const diag::Span&) -> std::optional<std::int32_t> { return 0; },
                            [&text](const config::Node&, const std::string&) { return std::optional(text); }, sink};
    document = policy::ApiDocument::load(file, "", context);
  }
  Stepped policy;
  diag::Sink sink;
  std::shared_ptr<const policy::ApiDocument> document;
};

std::string one_parameter(const std::string& path, const std::string& parameter, const std::string& schema) {
  return "openapi: 3.1.0\npaths:\n  '" + path + "':\n    get:\n      parameters: [ { name: color, " + parameter + ", schema: " + schema + " } ]\n      responses: { default: { description: any } }\n";
}

// "absent", "malformed", or the value.
std::string value(const Loaded& loaded, std::string_view query, std::string_view segment, std::string_view field_name = {}, std::string_view field = {}) {
  EXPECT_NE(loaded.document, nullptr) << diag::render_all(loaded.sink, diag::Colour::Off);
  Arena arena;
  http::Fields fields(arena);
  if (!field_name.empty()) fields.add(field_name, field);
  const std::array<std::string_view, 1> segments{segment};
  const policy::ApiOperation& operation = loaded.document->operations.at(0);
  const policy::ApiValue value = policy::value_of_parameter(operation.parameters.at(0), {query, fields, segments, operation}, loaded.document->set, arena);
  if (value.state != policy::ApiValue::State::There) return value.state == policy::ApiValue::State::Absent ? "absent" : "malformed";
  std::string out;
  EXPECT_TRUE(value.document.write(out, 10'000));
  return out;
}

TEST(OpenApi, ParametersInThePath) {
  struct Row {
    const char *style, *schema, *segment, *value;
  };
  for (const Row& row : {
           Row{"simple", kString, "blue", R"("blue")"}, {"simple", kString, "a%2Cb%20c", R"("a,b c")"}, {"simple", kArray, "blue,black", R"(["blue","black"])"}, {"simple", kArray, "a%2Cb,c", R"(["a,b","c"])"}, {"simple", kObject, "R,100,G,200", R"({"R":100,"G":200})"}, {"simple, explode: true", kObject, "R=100,G=200", R"({"R":100,"G":200})"},
           {"simple", kObject, "R,100,G", "malformed"}, {"simple, explode: true", kObject, "R", "malformed"},
           {"label", kString, ".blue", R"("blue")"}, {"label", kString, "blue", "malformed"}, {"label", kArray, ".blue,black", R"(["blue","black"])"}, {"label, explode: true", kArray, ".blue.black", R"(["blue","black"])"}, {"label", kObject, ".R,100,G,200", R"({"R":100,"G":200})"}, {"label, explode: true", kObject, ".R=100.G=200", R"({"R":100,"G":200})"},
           {"matrix", kString, ";color=blue", R"("blue")"}, {"matrix", kString, ";colour=blue", "malformed"}, {"matrix", kString, ";color", "malformed"}, {"matrix", kArray, ";color=blue,black", R"(["blue","black"])"}, {"matrix, explode: true", kArray, ";color=blue;color=black", R"(["blue","black"])"}, {"matrix", kObject, ";color=R,100,G,200", R"({"R":100,"G":200})"}, {"matrix, explode: true", kObject, ";R=100;G=200", R"({"R":100,"G":200})"}, {"matrix", kString, ";color=a;color=b", "malformed"},
       }) {
    const Loaded loaded(one_parameter("/a/{color}", std::string("in: path, required: true, style: ") + row.style, row.schema));
    EXPECT_EQ(value(loaded, "", row.segment), row.value) << row.style << " " << row.segment;
  }
}

TEST(OpenApi, ParametersInTheQuery) {
  struct Row {
    const char *style, *schema, *query, *value;
  };
  for (const Row& row : {
           Row{"form", kString, "color=blue", R"("blue")"}, {"form", kString, "", "absent"}, {"form", kString, "color=", R"("")"}, {"form", kString, "color=a+b%2B", R"("a b+")"}, {"form", kString, "color=a&color=b", "malformed"}, {"form", kString, "Color=a", "absent"},
           {"form", kArray, "color=blue&x=1&color=black", R"(["blue","black"])"}, {"form", kArray, "color=a,b", R"(["a,b"])"}, {"form, explode: false", kArray, "color=blue,black", R"(["blue","black"])"}, {"form, explode: false", kArray, "color=a%2Cb", R"(["a,b"])"},
           {"form", kObject, "R=100&x=1&G=200", R"({"R":100,"G":200})"}, {"form", kObject, "x=1", "absent"}, {"form, explode: false", kObject, "color=R,100,G,200", R"({"R":100,"G":200})"},
           {"spaceDelimited, explode: false", kArray, "color=blue%20black", R"(["blue","black"])"}, {"spaceDelimited, explode: false", kArray, "color=blue+black", R"(["blue","black"])"}, {"pipeDelimited, explode: false", kArray, "color=blue|black", R"(["blue","black"])"}, {"pipeDelimited, explode: false", kArray, "color=blue%7cblack", R"(["blue","black"])"},
           {"deepObject", kObject, "color[R]=100&color%5BG%5D=200&colour[B]=1&color=3", R"({"R":100,"G":200})"}, {"deepObject", kObject, "color[x]=1&color[x]=2", R"({"x":["1","2"]})"}, {"deepObject", kObject, "x=1", "absent"},
           {"form", "{ type: integer }", "color=7", "7"}, {"form", "{ type: [ integer, 'null' ] }", "color=7", "7"}, {"form", "{}", "color=7", R"("7")"},
       }) {
    const Loaded loaded(one_parameter("/a", std::string("in: query, style: ") + row.style, row.schema));
    EXPECT_EQ(value(loaded, row.query, ""), row.value) << row.style << " " << row.query;
  }
}

TEST(OpenApi, ParametersInFieldsAndCookies) {
  struct Row {
    const char *place, *schema, *name, *field, *value;
  };
  for (const Row& row : {
           Row{"header", kString, "COLOR", "blue", R"("blue")"}, {"header", kArray, "color", "blue, black", R"(["blue","black"])"}, {"header", kObject, "color", "R,100,G,200", R"({"R":100,"G":200})"}, {"header, explode: true", kObject, "color", "R=100,G=200", R"({"R":100,"G":200})"}, {"header", kString, "other", "x", "absent"},
           {"cookie", kString, "Cookie", "a=b; color=blue", R"("blue")"}, {"cookie, explode: false", kArray, "Cookie", "color=blue,black", R"(["blue","black"])"}, {"cookie", kString, "Cookie", "a=b", "absent"},
       }) {
    const Loaded loaded(one_parameter("/a", std::string("in: ") + row.place, row.schema));
    EXPECT_EQ(value(loaded, "", "", row.name, row.field), row.value) << row.place << " " << row.field;
  }
}

TEST(OpenApi, AParameterThatIsJsonIsReadAsJson) {
  const auto document = [](const char* in, const char* schema) {
    return "openapi: 3.1.0\npaths: { /a: { get: { parameters: [ { name: color, in: " + std::string(in) + ", content: { application/json: { schema: " + schema + " } } } ], responses: {} } } }\n";
  };
  EXPECT_EQ(value(Loaded(document("query", kArray)), "color=%5B%22a,b%22%5D", ""), R"(["a,b"])");
  EXPECT_EQ(value(Loaded(document("query", kObject)), "color=%7B%22R%22:1%7D&R=7", ""), R"({"R":1})");
  EXPECT_EQ(value(Loaded(document("query", kObject)), "color=R,1", ""), "malformed");
  EXPECT_EQ(value(Loaded(document("header", kArray)), "", "", "Color", "[1, 2]"), "[1,2]");
}

TEST(OpenApi, WhatCanBeReadInTwoWaysIsMalformed) {
  EXPECT_EQ(value(Loaded(one_parameter("/a", "in: cookie", kString)), "", "", "Cookie", "color=a; color=b"), "malformed");
  EXPECT_EQ(value(Loaded(one_parameter("/a", "in: query, style: spaceDelimited, explode: false", kArray)), "color=a%20b+c", ""), "malformed");
  EXPECT_EQ(value(Loaded(one_parameter("/a", "in: query, style: pipeDelimited, explode: false", kArray)), "color=a|b%7Cc", ""), "malformed");
  EXPECT_EQ(value(Loaded(one_parameter("/a/{color}", "in: path, required: true, style: matrix", kArray)), "", ";color=a%3Bb,c%2Cd"), R"(["a;b","c,d"])");
  EXPECT_EQ(value(Loaded(one_parameter("/a/{color}", "in: path, required: true, explode: true", kObject)), "", "a%3Db=c"), R"({"a=b":"c"})");
}

TEST(OpenApi, ADocumentIsReadOnceForAllThatNameIt) {
  const std::string text = one_parameter("/a", "in: query", kString);
  std::size_t reads = 0;
  Stepped none("[]");
  diag::Sink sink;
  std::map<std::string, std::shared_ptr<const void>> loaded;
  policy::Context context{{}, "r", none.people, none.signers, none.states, Random(7), [](const std::string&, const diag::Span&) -> std::optional<std::int32_t> { return 0; },
                          [&](const config::Node&, const std::string&) { return ++reads, std::optional(text); }, sink, nullptr, &loaded};
  config::Node file;
  file.kind = config::Kind::Text;
  file.text = "a.yaml";
  const auto first = policy::ApiDocument::load(file, "", context);
  EXPECT_EQ(policy::ApiDocument::load(file, "", context), first);
  EXPECT_NE(policy::ApiDocument::load(file, "/v1", context), first);
  EXPECT_EQ(reads, 2U);
}

TEST(OpenApi, TheMostSpecialMediaTypeAndStatusHold) {
  const std::vector<policy::ApiMedia> media{{"*/*", {}, 1}, {"application/*", {}, 2}, {"application/json", {}, 3}};
  EXPECT_EQ(policy::find_media(media, "Application/JSON; charset=utf-8")->schema, 3);
  EXPECT_EQ(policy::find_media(media, "application/xml")->schema, 2);
  EXPECT_EQ(policy::find_media(media, "text/plain")->schema, 1);
  EXPECT_EQ(policy::find_media({{"application/json", {}, 1}}, ""), nullptr);
  const Loaded loaded("openapi: 3.0.3\npaths: { /a: { get: { responses: { default: { description: a }, 2XX: { description: b }, '204': { description: c } } } } }\n");
  ASSERT_NE(loaded.document, nullptr);
  const auto& answers = loaded.document->operations.at(0).answers;
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].low, 204);
  EXPECT_EQ(answers[1].low, 200);
  EXPECT_EQ(answers[2].high, 999);
}

TEST(OpenApi, AHugeDocumentOfChainedReferencesIsReadInBoundedTime) {
  std::string text = "{\"openapi\":\"3.1.0\",\"paths\":{\"/a\":{\"post\":{\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/s0\"}}}},\"responses\":{}}}},\"components\":{\"schemas\":{";
  for (int i = 0; i < 20'000; ++i) text += "\"s" + std::to_string(i) + "\":{\"properties\":{\"a\":{\"$ref\":\"#/components/schemas/s" + std::to_string(i + 1) + "\"}}},";
  const Loaded loaded(text + "\"s20000\":{\"type\":\"string\"}}}}");
  ASSERT_NE(loaded.document, nullptr) << diag::render_all(loaded.sink, diag::Colour::Off).substr(0, 1000);
  EXPECT_EQ(loaded.document->operations.size(), 1U);
}

}  // namespace
}  // namespace gatelab::test
