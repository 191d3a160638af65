// SPDX-License-Identifier: Apache-2.0
// What each keyword holds and what it does not, by table: draft 7, and where OpenAPI's dialects differ from it.
#include "schema/schema.h"

#include <gtest/gtest.h>

#include <string>

namespace gatelab::schema {
namespace {

struct Compiled {
  explicit Compiled(const std::string& text, Dialect dialect = Dialect::Draft7) : document(*json::Document::parse(text, {500, 1'000'000})), set(document, dialect) {
    root = set.compile(document.root());
    set.check_loops();
  }
  std::string problems() const {
    std::string out;
    for (const Problem& p : set.problems()) out += std::string(out.empty() ? "" : "; ") + (p.is_error ? "" : "~") + p.id + " " + document.pointer(p.at);
    return out;
  }
  // "" or "pointer keyword, …".
  std::string failures(const std::string& value, const Effort& effort = {}) const {
    const auto read = json::Document::parse(value, {500, 1'000'000});
    EXPECT_TRUE(read) << value;
    const Verdict verdict = validate(set, root, *read, read->root(), effort);
    if (verdict.gave_up) return "gave up";
    EXPECT_EQ(verdict.valid, verdict.failures.empty()) << value;
    std::string out;
    for (const Failure& f : verdict.failures) out += (out.empty() ? "" : ", ") + f.pointer + " " + std::string(f.keyword);
    return out;
  }
  json::Document document;
  Set set;
  std::int32_t root = -1;
};

struct Row {
  const char *schema, *value, *failures;
};

void check(std::initializer_list<Row> rows, Dialect dialect = Dialect::Draft7) {
  for (const Row& row : rows) {
    const Compiled schema(row.schema, dialect);
    EXPECT_EQ(schema.problems(), "") << row.schema;
    EXPECT_EQ(schema.failures(row.value), row.failures) << row.schema << " " << row.value;
  }
}

TEST(Schema, AnyValue) {
  check({
      {"true", "1", ""}, {"{}", "null", ""}, {"false", "1", " false"},
      {R"({"type":"integer"})", "1.0", ""}, {R"({"type":"integer"})", "1e2", ""}, {R"({"type":"integer"})", "1.5", " type"}, {R"({"type":"number"})", "1", ""}, {R"({"type":"integer"})", "\"1\"", " type"},
      {R"({"type":["string","null"]})", "null", ""}, {R"({"type":["string","null"]})", "0", " type"}, {R"({"type":"boolean"})", "true", ""}, {R"({"type":"object"})", "[]", " type"},
      {R"({"enum":[1,"a",{"b":[1.0]}]})", "1.0", ""}, {R"({"enum":[1,"a",{"b":[1.0]}]})", R"({"b":[1]})", ""}, {R"({"enum":[1,"a"]})", "\"1\"", " enum"}, {R"({"const":{"a":1,"b":2}})", R"({"b":2,"a":1})", ""}, {R"({"const":null})", "0", " enum"},
      {R"({"enum":[1,2],"const":3})", "3", " enum"}, {R"({"const":"\u0061"})", "\"a\"", ""},
  });
}

TEST(Schema, NumbersAreExact) {
  check({
      {R"({"minimum":1})", "1.0", ""}, {R"({"minimum":1})", "0.9999999999999999999999", " minimum"}, {R"({"maximum":12345678901234567890})", "12345678901234567891", " maximum"}, {R"({"maximum":1e400})", "1e401", " maximum"},
      {R"({"exclusiveMinimum":0})", "0", " exclusiveMinimum"}, {R"({"exclusiveMinimum":0})", "1e-400", ""}, {R"({"exclusiveMaximum":1})", "1.0", " exclusiveMaximum"},
      {R"({"multipleOf":0.01})", "19.99", ""}, {R"({"multipleOf":0.01})", "0.001", " multipleOf"}, {R"({"multipleOf":3})", "1e2", " multipleOf"}, {R"({"multipleOf":3})", "3e100", ""}, {R"({"multipleOf":2.5})", "10", ""}, {R"({"multipleOf":1e-300})", "1e300", ""}, {R"({"multipleOf":7})", "0", ""}, {R"({"multipleOf":10})", "25", " multipleOf"}, {R"({"multipleOf":10})", "-250", ""},
      {R"({"minimum":5})", "\"1\"", ""},
  });
}

TEST(Schema, Strings) {
  check({
      {R"({"minLength":2,"maxLength":3})", "\"ßß\"", ""}, {R"({"minLength":2})", "\"𝄞\"", " minLength"}, {R"({"maxLength":1})", R"("\u00e9\n")", " maxLength"}, {R"({"pattern":"^a+$"})", "\"aaa\"", ""}, {R"({"pattern":"b"})", "\"abc\"", ""}, {R"({"pattern":"^b"})", "\"abc\"", " pattern"},
      {R"({"format":"date-time"})", "\"2026-01-01T23:59:60Z\"", ""}, {R"({"format":"date-time"})", "\"2026-01-01T12:00:60Z\"", " format"}, {R"({"format":"date-time"})", "\"2026-01-01t00:00:00.123+01:00\"", ""}, {R"({"format":"date"})", "\"2026-02-29\"", " format"}, {R"({"format":"time"})", "\"12:00:00\"", " format"},
      {R"({"format":"email"})", "\"a.b@example.org\"", ""}, {R"({"format":"email"})", "\"a@b@c d\"", " format"}, {R"({"format":"hostname"})", "\"-a\"", " format"}, {R"({"format":"ipv4"})", "\"127.0.0.1\"", ""}, {R"({"format":"ipv4"})", "\"127.0.0.256\"", " format"}, {R"({"format":"ipv6"})", "\"::1\"", ""}, {R"({"format":"ipv6"})", "\"1.2.3.4\"", " format"},
      {R"({"format":"uri"})", "\"urn:a\"", ""}, {R"({"format":"uri"})", "\"/a\"", " format"}, {R"({"format":"uri-reference"})", "\"/a b\"", " format"}, {R"({"format":"uuid"})", "\"123e4567-e89b-12d3-a456-426614174000\"", ""}, {R"({"format":"uuid"})", "\"123e4567\"", " format"}, {R"({"format":"json-pointer"})", "\"/a~2\"", " format"}, {R"({"format":"regex"})", "\"(\"", " format"}, {R"({"format":"ipv4"})", "7", ""},
  });
}

TEST(Schema, Arrays) {
  check({
      {R"({"items":{"type":"string"}})", R"(["a",1,"b",2])", "/1 type, /3 type"}, {R"({"items":[{"type":"string"},{"type":"number"}],"additionalItems":false})", R"(["a",1])", ""}, {R"({"items":[{"type":"string"}],"additionalItems":false})", R"(["a",1])", "/1 false"}, {R"({"items":[{"type":"string"}],"additionalItems":{"type":"null"}})", R"(["a",1])", "/1 type"},
      {R"({"additionalItems":false})", "[1]", ""}, {R"({"minItems":1,"maxItems":2})", "[]", " minItems"}, {R"({"maxItems":2})", "[1,2,3]", " maxItems"}, {R"({"maxItems":2.0})", "[1,2]", ""}, {R"({"uniqueItems":true})", "[1,1.0]", " uniqueItems"}, {R"({"uniqueItems":true})", R"([{"a":1,"b":2},{"b":2,"a":1.0}])", " uniqueItems"}, {R"({"uniqueItems":true})", R"(["1",1,true,[1],[[1]]])", ""},
      {R"({"contains":{"const":2}})", "[1,2]", ""}, {R"({"contains":{"const":2}})", "[1]", " contains"}, {R"({"contains":{}})", "[]", " contains"}, {R"({"contains":false})", "3", ""},
  });
}

TEST(Schema, Objects) {
  check({
      {R"({"required":["a","b"]})", R"({"a":1})", " required"}, {R"({"required":["a"]})", "[]", ""}, {R"({"properties":{"a":{"type":"string"}}})", R"({"a":1,"b":2})", "/a type"}, {R"({"properties":{"a/b":{"type":"string"}}})", R"({"a\u002fb":1})", "/a~1b type"},
      {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1,"b":2,"c":3})", "/b additionalProperties, /c additionalProperties"}, {R"({"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":{"type":"number"}})", R"({"x-a":1,"b":2,"c":"d"})", "/x-a type, /c type"}, {R"({"properties":{"x":{"minimum":3}},"patternProperties":{"x":{"maximum":1}}})", R"({"x":2})", "/x minimum, /x maximum"},
      {R"({"propertyNames":{"pattern":"^[a-z]+$","maxLength":2}})", R"({"ab":1,"abc":2,"A":3})", "/abc propertyNames, /A propertyNames"}, {R"({"minProperties":1,"maxProperties":1})", "{}", " minProperties"}, {R"({"maxProperties":1})", R"({"a":1,"b":2})", " maxProperties"},
      {R"({"dependencies":{"a":["b"],"c":{"required":["d"]}}})", R"({"a":1,"c":1})", " dependencies, " " required"}, {R"({"dependencies":{"a":["b"]}})", R"({"b":1})", ""},
  });
}

TEST(Schema, SchemasTogether) {
  check({
      {R"({"allOf":[{"minimum":2},{"maximum":1}]})", "1.5", " minimum,  maximum"}, {R"({"anyOf":[{"type":"string"},{"minimum":2}]})", "1", " anyOf"}, {R"({"anyOf":[{"type":"string"},{"minimum":2}]})", "2", ""}, {R"({"oneOf":[{"minimum":1},{"maximum":3}]})", "2", " oneOf"}, {R"({"oneOf":[{"minimum":1},{"maximum":3}]})", "4", ""}, {R"({"not":{"type":"null"}})", "null", " not"}, {R"({"not":{"not":{"type":"null"}}})", "1", " not"},
      {R"({"if":{"minimum":10},"then":{"multipleOf":10},"else":{"maximum":5}})", "15", " multipleOf"}, {R"({"if":{"minimum":10},"then":{"multipleOf":10},"else":{"maximum":5}})", "7", " maximum"}, {R"({"if":{"minimum":10},"else":{"maximum":5}})", "70", ""}, {R"({"then":false})", "1", ""},
      {R"({"definitions":{"p":{"minimum":1}},"properties":{"a":{"$ref":"#/definitions/p"}}})", R"({"a":0})", "/a minimum"}, {R"({"properties":{"a":{"$ref":"#"}},"additionalProperties":false})", R"({"a":{"a":{"b":1}}})", "/a/a/b additionalProperties"}, {R"({"definitions":{"a b%c":{"type":"null"}},"$ref":"#/definitions/a%20b%25c"})", "1", " type"},
      {R"({"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/c"},"c":{"type":"null"}}})", "1", " type"},
  });
}

TEST(Schema, OpenApi30HasItsOwnWords) {
  check({{R"({"type":"string","nullable":true})", "null", ""}, {R"({"type":"string"})", "null", " type"}, {R"({"minimum":1,"exclusiveMinimum":true})", "1", " exclusiveMinimum"}, {R"({"minimum":1,"exclusiveMinimum":false})", "1", ""}, {R"({"type":"integer","format":"int32"})", "2147483648", " format"}, {R"({"type":"integer","format":"int64"})", "-9223372036854775808", ""}, {R"({"type":"string","format":"byte"})", "\"a\"", " format"}}, Dialect::OpenApi30);
  check({{R"({"type":["string","null"],"prefixItems":[{}],"contains":{"const":1},"minContains":0})", "null", ""}, {R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a",1])", "/1 false"}, {R"({"contains":{"const":1},"minContains":2,"maxContains":3})", "[1,2]", " contains"}, {R"({"contains":{"const":1},"maxContains":1})", "[1,1]", " maxContains"}, {R"({"dependentRequired":{"a":["b"]},"dependentSchemas":{"a":{"maxProperties":1}}})", R"({"a":1,"c":2})", " dependencies,  maxProperties"}, {R"({"$ref":"#/$defs/a","minimum":3,"$defs":{"a":{"type":"number"}}})", "2", " minimum"}}, Dialect::OpenApi31);
}

TEST(Schema, WhatOnlyTheOtherSideSendsNeedNotBeThere) {
  const Compiled schema(R"({"required":["id","secret","name"],"properties":{"id":{"readOnly":true},"secret":{"$ref":"#/$defs/s"},"name":{}},"$defs":{"s":{"writeOnly":true}}})", Dialect::OpenApi31);
  EXPECT_EQ(schema.failures("{}"), " required,  required,  required");
  Effort effort;
  effort.side = Effort::Side::Request;
  EXPECT_EQ(schema.failures(R"({"secret":1,"name":1})", effort), "");
  EXPECT_EQ(schema.failures("{}", effort), " required,  required");
  effort.side = Effort::Side::Answer;
  EXPECT_EQ(schema.failures(R"({"id":1,"name":1})", effort), "");
}

TEST(Schema, WhatIsWrongOrNotHeldIsTold) {
  const struct {
    const char *schema, *problems;
    Dialect dialect = Dialect::Draft7;
  } rows[] = {
      {"1", "bad-schema "}, {R"({"type":"text"})", "bad-schema /type"}, {R"({"required":"a"})", "bad-schema /required"}, {R"({"properties":{"a":3}})", "bad-schema /properties/a"}, {R"({"minLength":-1})", "bad-schema /minLength"}, {R"x({"pattern":"(?=a)"})x", "bad-regex /pattern"},
      {R"({"$ref":"#/none"})", "unknown-reference /$ref"}, {R"({"$ref":"a.json"})", "not-supported /$ref"}, {R"({"$ref":"#a"})", "unknown-reference /$ref"}, {R"({"$schema":"http://json-schema.org/draft-04/schema#"})", "not-supported /$schema"}, {R"({"properties":{"a":{"$id":"b"}}})", "not-supported /properties/a/$id"}, {R"({"$id":"b"})", ""},
      {R"({"unevaluatedProperties":false,"reqired":[]})", "~not-held /unevaluatedProperties; ~not-held /reqired"}, {R"({"format":"phone"})", "~not-held /format"}, {R"({"$ref":"#/definitions/a","minimum":1,"definitions":{"a":{}}})", "~not-held /minimum"},
      {R"({"$ref":"#"})", "reference-loop /$ref"}, {R"({"allOf":[{"$ref":"#"}]})", "reference-loop /allOf/0/$ref"}, {R"({"anyOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"not":{"$ref":"#/definitions/b"}},"b":{"if":{"$ref":"#/definitions/a"}}}})", "reference-loop /definitions/b/if/$ref"}, {R"({"properties":{"a":{"$ref":"#"}},"items":{"$ref":"#"}})", ""},
      {R"({"nullable":true})", "~not-held /nullable"}, {R"({"const":1})", "~not-held /const", Dialect::OpenApi30}, {R"({"type":"null"})", "bad-schema /type", Dialect::OpenApi30}, {R"({"exclusiveMinimum":1})", "bad-schema /exclusiveMinimum", Dialect::OpenApi30}, {R"({"x-own":1,"nullable":true})", "", Dialect::OpenApi30},
  };
  for (const auto& row : rows) EXPECT_EQ(Compiled(row.schema, row.dialect).problems(), row.problems) << row.schema;
}

TEST(Schema, NothingTakesForEver) {
  // Each level is looked at by two schemas, each of them by two.
  const Compiled doubling(R"({"definitions":{"t":{"properties":{"a":{"anyOf":[{"$ref":"#/definitions/t"},{"$ref":"#/definitions/t"}]}},"required":["z"]}},"$ref":"#/definitions/t"})");
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += R"({"z":1,"a":)";
  EXPECT_EQ(doubling.failures(deep + "{}" + std::string(60, '}')), "gave up");
  // As deep as a document may be, through as many references as it takes.
  std::string chain = R"({"properties":{"a":{"$ref":"#/definitions/d0"}},"definitions":{)";
  for (int i = 0; i < 2'000; ++i) chain += "\"d" + std::to_string(i) + "\":{\"$ref\":\"#" + (i + 1 < 2'000 ? "/definitions/d" + std::to_string(i + 1) : std::string("")) + "\"},";
  const Compiled long_chain(chain + "\"z\":true}}");
  EXPECT_EQ(long_chain.problems(), "");
  EXPECT_EQ(long_chain.failures(R"({"a":{"a":{}}})"), "gave up");
  // Many failures are not collected.
  const Compiled strings(R"({"items":{"type":"string"}})");
  std::string many = "[0";
  for (int i = 0; i < 50'000; ++i) many += ",0";
  EXPECT_EQ(strings.failures(many + "]", {2, 1'000'000}), "/0 type, /1 type");
  EXPECT_EQ(Compiled(R"({"uniqueItems":true})").failures(many + "]", {2, 10'000}), "gave up");
  EXPECT_EQ(Compiled(R"({"propertyNames":{"$ref":"#"}})").failures(R"({"a":1})"), "");
}

}  // namespace
}  // namespace gatelab::schema
