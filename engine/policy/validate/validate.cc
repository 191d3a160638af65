// SPDX-License-Identifier: Apache-2.0
#include "policy/validate/validate.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "policy/validate/body_check.h"
#include "policy/validate/errors.h"
#include "policy/validate/loaded_schema.h"
#include "policy/validate/texts.h"
#include "policy/when.h"
#include "policy/whole_body.h"

namespace gatelab::policy {
namespace {

using LoadedPtr = std::shared_ptr<const LoadedSchema>;

// Queries and fields are small, and looked at on the loop.
constexpr std::size_t kStepsOfHead = 50'000;

bool carries_body(http::Method method) noexcept { return method == http::Method::Post || method == http::Method::Put || method == http::Method::Patch; }

class Validate final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "validate"; }
  Phase phase() const noexcept override { return Phase::Validate; }

  Step step(Input& in) const noexcept override {
    BodyMemo* memo = in.scratch.memo<BodyMemo>();
    if (memo != nullptr && memo->check) return in.effect_done ? memo->check->judge(in) : unavailable(in, observe::reason::kBusy, in.detailed ? "too many bodies are being looked at" : "");
    if (memo == nullptr) {
      if (!when.fits(in)) return Step::skip("`when` does not speak of it");
      if (const Step head = look_at_head(in); head.verdict != Verdict::Continue) return head;
      if (!body) return Step::go_on();
      if (!has_body(in.request)) {
        if (required && carries_body(in.request.method)) return deny(in, observe::reason::kMissingBody);
        return Step::go_on("there is no body");
      }
      if (auto refusal = refuse_type(in)) return *refusal;
      if (!is_json(in.request.fields)) {
        if (other_types) return Step::go_on("the body is no JSON, by its Content-Type");
        return deny_told(in, observe::reason::kMediaType, "application/json, or another +json");
      }
      if (in.is_explained) return Step::go_on("its body would be looked at");
      memo = &BodyMemo::make(in);
    }
    const Asked asked = ask_for_body(in, rules.size, memo->effect);
    return asked.what == Asked::What::Look ? look(in, *memo, asked.coding) : asked.step;
  }

  void on_end(Input& in, const observe::Record&) const noexcept override { BodyMemo::drop(in); }

  When when;
  LoadedPtr body, query, headers;
  BodyCheck::Rules rules;
  bool required = true, other_types = false;

 private:
  // Query and fields: together, as a client should hear of all that is wrong.
  Step look_at_head(Input& in) const noexcept {
    std::vector<InvalidPart> failures;
    const observe::Reason* reason = nullptr;
    schema::Effort effort = rules.effort;
    effort.steps = kStepsOfHead;
    const auto look_at = [&](const LoadedPtr& schema, std::string_view what, const observe::Reason& refused, const json::Document& document) {
      schema::Verdict verdict = schema::validate(schema->set, schema->root, document, document.root(), effort);
      effort.steps -= std::min(effort.steps, verdict.spent);
      if (verdict.valid) return;
      if (reason == nullptr) reason = verdict.gave_up ? &observe::reason::kJsonTooMany : &refused;
      for (schema::Failure& failure : verdict.failures)
        if (failures.size() < rules.effort.failures) failures.push_back({what, std::move(failure)});
    };
    if (query) look_at(query, "query", observe::reason::kInvalidQuery, query_object(in.request.query, query->set, query->root, in.arena));
    if (headers) look_at(headers, "headers", observe::reason::kInvalidHeaders, fields_object(in.request.fields, headers->set, headers->root));
    if (reason == nullptr) return Step::go_on();
    if (failures.empty()) return deny_told(in, *reason, "to look at all of it would take too long");
    return refuse_invalid(in, *reason, failures);
  }

  Step look(Input& in, BodyMemo& memo, std::optional<coding::Coding> coding) const noexcept {
    if (in.body->octets.empty()) return required && carries_body(in.request.method) ? deny(in, observe::reason::kMissingBody) : Step::go_on("there is no body");
    memo.check = std::make_shared<BodyCheck>();
    BodyCheck& check = *memo.check;
    check.keeps = body;
    check.set = &body->set;
    check.schema = body->root;
    check.coding = coding;
    check.rules = rules;
    check.body = in.body->octets;
    return memo.run(in);
  }
};

LoadedPtr parse_part(config::Reader& r, std::string_view key, Context& context) {
  const config::Node* node = r.get(key);
  if (node == nullptr) return nullptr;
  config::Reader part(*node, r.sink(), "`" + std::string(key) + "` of policy `validate`");
  for (const std::string_view word : {"type", "properties", "required", "$ref", "allOf"})
    if (key != "body" || word != "required") part.elsewhere(word, "a schema stands under `schema`");
  auto out = LoadedSchema::parse(part, context);
  part.finish();
  return out;
}

}  // namespace

std::unique_ptr<Policy> parse_validate(const config::Node& node, Context& context) {
  diag::Sink& sink = context.sink;
  const std::size_t before = sink.errors();
  config::Reader r(node, sink, "policy `validate`");
  auto policy = std::make_unique<Validate>();
  policy->when = When::parse(r.get("when"), "validate", sink);
  if (const config::Node* body = r.get("body"); body != nullptr) {
    config::Reader part(*body, sink, "`body` of policy `validate`");
    policy->body = LoadedSchema::parse(part, context);
    policy->required = part.boolean("required", true);
    policy->other_types = part.choice("other_types", 0, {"refuse", "pass"}) == 1;
    for (const std::string_view word : {"type", "properties", "$ref", "allOf"}) part.elsewhere(word, "a schema stands under `schema`");
    part.elsewhere("content_types", "application/json and every +json are taken; other_types: pass lets all others through");
    part.finish();
  }
  policy->query = parse_part(r, "query", context);
  policy->headers = parse_part(r, "headers", context);
  const bool has_size = r.get("max_size") != nullptr || r.get("max_depth") != nullptr || r.get("max_values") != nullptr;
  policy->rules = parse_body_rules(r);
  for (const std::string_view key : {"schema", "file"}) r.elsewhere(key, "it stands under `body`, `query` or `headers`");
  r.elsewhere("response", "answers are validated by the policy `openapi`");
  r.finish();
  if (!r.valid() || sink.errors() != before) return nullptr;
  if (!policy->body && !policy->query && !policy->headers) sink.warning("no-effect", r.span(), "this policy looks at nothing", "body: { schema: … }, query: …, headers: …");
  if (!policy->body && has_size) sink.warning("no-effect", r.span(), "`max_size`, `max_depth` and `max_values` are about bodies, and none is looked at", "body: { schema: … }");
  return policy;
}

}  // namespace gatelab::policy
