// SPDX-License-Identifier: Apache-2.0
// Our verdicts beside valijson's, on small values from seeded dice: a second opinion that no one here wrote. Left out where it is not
// installed. What it rounds (1.0 is no integer to it, and 4.5 a
// multiple of 2) and what takes it for ever is not asked.
#if __has_include(<valijson/validator.hpp>)
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "base/random.h"
#include "schema/schema.h"

namespace gatelab::schema {
namespace {

constexpr const char* kSchemas[] = {
    R"({"type":"integer"})", R"({"type":["string","null","array"]})", R"({"type":"number","minimum":1,"maximum":3})", R"({"exclusiveMinimum":1,"exclusiveMaximum":3})", R"({"type":"integer","multipleOf":2})", R"({"multipleOf":1.5})",
    R"({"minLength":1,"maxLength":2})", R"({"pattern":"^a"})", R"({"enum":[1,"a",[1],{"a":1},null]})", R"({"const":{"a":1}})", R"({"items":{"type":"integer"}})", R"({"items":[{"type":"string"},{"type":"integer"}],"additionalItems":false})",
    R"({"minItems":1,"maxItems":2})", R"({"uniqueItems":true})", R"({"contains":{"minimum":2}})", R"({"required":["a"]})", R"({"properties":{"a":{"type":"string"},"b":{"minimum":2}}})", R"({"properties":{"a":true},"additionalProperties":false})",
    R"({"patternProperties":{"^a":{"type":"integer"}},"additionalProperties":{"type":"string"}})", R"({"propertyNames":{"maxLength":1}})", R"({"minProperties":1,"maxProperties":2})", R"({"dependencies":{"a":["b"],"b":{"minProperties":3}}})",
    R"({"allOf":[{"minimum":1},{"type":["integer","string"]}]})", R"({"anyOf":[{"type":"string"},{"minimum":2},{"required":["a"]}]})", R"({"oneOf":[{"minimum":1},{"maximum":2},{"type":"string"}]})", R"({"not":{"type":["integer","object"]}})",
    R"({"if":{"type":"integer"},"then":{"minimum":2},"else":{"type":["string","object"]}})", R"({"definitions":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/definitions/n"}}})",
    R"({"definitions":{"t":{"type":["object","integer"],"properties":{"a":{"$ref":"#/definitions/t"}}}},"$ref":"#/definitions/t"})", R"({"items":{"anyOf":[{"type":"string","minLength":1},{"type":"object","required":["a"]}]}})", "true", "false", "{}",
};

std::string value(Dice& dice, int depth) {
  constexpr const char* kScalars[] = {"null", "true", "0", "1", "2", "3", "-1", "1.5", "4.5", "\"\"", "\"a\"", "\"ab\"", "\"bc\"", "\"ß\""};
  constexpr const char* kNames[] = {"a", "b", "ab", "c"};
  const std::uint64_t kind = dice.below(depth == 0 ? 4 : 7);
  if (kind < 4) return kScalars[dice.below(std::size(kScalars))];
  std::string out;
  if (kind == 4) {
    for (std::uint64_t i = dice.below(4); i > 0; --i) out += (out.empty() ? "" : ",") + value(dice, depth - 1);
    return "[" + out + "]";
  }
  const std::uint64_t members = dice.below(16);
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if ((members >> i & 1) != 0) out += std::string(out.empty() ? "" : ",") + "\"" + kNames[i] + "\":" + value(dice, depth - 1);
  return "{" + out + "}";
}

TEST(Valijson, AgreesOnEveryKeyword) {
  Dice dice(20260101);
  std::size_t valid = 0, invalid = 0;
  for (const char* text : kSchemas) {
    const auto document = *json::Document::parse(text, {});
    Set set(document, Dialect::Draft7);
    const std::int32_t root = set.compile(document.root());
    set.check_loops();
    ASSERT_TRUE(set.problems().empty()) << text;
    const nlohmann::json theirs = nlohmann::json::parse(text);
    valijson::Schema schema;
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(theirs), schema);
    for (int i = 0; i < 400; ++i) {
      const std::string asked = value(dice, 3);
      const auto read = *json::Document::parse(asked, {});
      const bool ours = validate(set, root, read, read.root(), {}).valid;
      const nlohmann::json their_value = nlohmann::json::parse(asked);
      valijson::Validator validator;
      EXPECT_EQ(ours, validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(their_value), nullptr)) << text << " " << asked;
      ++(ours ? valid : invalid);
    }
  }
  EXPECT_GT(valid, 2'000U);
  EXPECT_GT(invalid, 2'000U);
}

}  // namespace
}  // namespace gatelab::schema
#endif
