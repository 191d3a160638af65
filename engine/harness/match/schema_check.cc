// SPDX-License-Identifier: Apache-2.0
#include "harness/match/schema_check.h"

#include <nlohmann/json.hpp>

#include "policy/validate/loaded_schema.h"

namespace gatelab::harness {
namespace {

constexpr json::Limits kLimits{512, 1'000'000};
constexpr std::size_t kMostTold = 3;

bool takes_everything(const config::Node& node) {
  return (node.kind == config::Kind::Map && node.entries.empty()) || (node.kind == config::Kind::Bool && node.text == "true");
}

}  // namespace

std::shared_ptr<const SchemaCheck> SchemaCheck::parse(const config::Node& node, diag::Sink& sink, const std::string& what) {
  if (takes_everything(node)) return sink.error("bad-matcher", node.span, "`schema` of " + what + " takes everything", "schema: { type: object, required: [id] }"), nullptr;
  if (node.kind != config::Kind::Map && node.kind != config::Kind::Bool) return sink.error("bad-matcher", node.span, "`schema` of " + what + " is a schema, written here", "schema: { type: object, required: [id] }"), nullptr;
  auto source = policy::LocatedJson::of(node, sink);
  if (!source) return nullptr;
  auto out = std::make_shared<SchemaCheck>();
  out->schema_ = policy::LoadedSchema::of(std::move(*source), sink);
  return out->schema_ ? out : nullptr;
}

SchemaCheck::Problems SchemaCheck::problems(const nlohmann::json& value) const {
  const auto document = json::Document::parse(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), kLimits);
  if (!document) return {"it is too deep or too large to be held to a schema", true};
  schema::Effort effort;
  effort.failures = kMostTold + 1;
  const schema::Verdict verdict = schema::validate(schema_->set, schema_->root, *document, document->root(), effort);
  if (verdict.valid) return {};
  if (verdict.gave_up) return {"it would take too long to hold it to the schema", true};
  std::string out;
  for (std::size_t i = 0; i < verdict.failures.size() && i < kMostTold; ++i) {
    const schema::Failure& failure = verdict.failures[i];
    out += (i == 0 ? "at " : "; at ") + (failure.pointer.empty() ? std::string("the top") : failure.pointer) + ": " + (failure.detail.empty() ? std::string(failure.keyword) : failure.detail);
  }
  return {out + (verdict.failures.size() > kMostTold ? "; and more" : ""), false};
}

}  // namespace gatelab::harness
