// SPDX-License-Identifier: Apache-2.0
#include "harness/match/schema_check.h"

#include <nlohmann/json.hpp>

#include "policy/validate/loaded_schema.h"
#include "schema/node.h"

namespace gatelab::harness {
namespace {

constexpr json::Limits kLimits{512, 1'000'000};
constexpr std::size_t kMostTold = 3;

void takes_everything(const config::Node& node, diag::Sink& sink, const std::string& what) {
  sink.error("bad-matcher", node.span, "`schema` of " + what + " takes everything", "schema: { type: object, required: [id] }");
}

// { title: an order, required: [] }
bool says_nothing(const schema::Node& n) {
  using schema::kNoSchema;
  const bool any_value = !n.never && n.types == schema::kAnyType && n.reference == kNoSchema && !n.has_enum && n.all_of.empty() && n.any_of.empty() && n.one_of.empty() && n.if_not == kNoSchema && n.condition == kNoSchema;
  const bool any_number = n.minimum.empty() && n.maximum.empty() && n.exclusive_minimum.empty() && n.exclusive_maximum.empty() && !n.multiple_of;
  const bool any_text = !n.min_length && !n.max_length && !n.pattern && n.format == schema::Format::None;
  const bool any_list = n.prefix_items.empty() && n.items == kNoSchema && !n.min_items && !n.max_items && n.contains == kNoSchema && !n.unique_items;
  const bool any_object = n.properties.empty() && n.pattern_properties.empty() && n.additional_properties == kNoSchema && n.property_names == kNoSchema && n.required.empty() && !n.min_properties && !n.max_properties && n.dependencies.empty();
  return any_value && any_number && any_text && any_list && any_object;
}

}  // namespace

std::shared_ptr<const SchemaCheck> SchemaCheck::parse(const config::Node& node, diag::Sink& sink, const std::string& what) {
  if (node.kind != config::Kind::Map && node.kind != config::Kind::Bool) return sink.error("bad-matcher", node.span, "`schema` of " + what + " is a schema, written here", "schema: { type: object, required: [id] }"), nullptr;
  auto source = policy::LocatedJson::of(node, sink);
  if (!source) return nullptr;
  auto out = std::make_shared<SchemaCheck>();
  out->schema_ = policy::LoadedSchema::of(std::move(*source), sink, true);
  if (!out->schema_) return nullptr;
  if (says_nothing(out->schema_->set.at(out->schema_->root))) return takes_everything(node, sink, what), nullptr;
  return out;
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
