// SPDX-License-Identifier: Apache-2.0
#include "policy/respond/respond.h"

#include "config/json.h"

namespace gatelab::policy {
namespace {

class Respond final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "respond"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  Step step(Input& in) const noexcept override {
    Step step;
    step.verdict = Verdict::Respond;
    step.outcome = Outcome::Respond;
    step.reason = observe::reason::kResponded.word;
    step.answer = in.arena.make<Answer>(in.arena);
    step.answer->status = status;
    step.answer->body = body;
    step.answer->content_type = content_type;
    for (const auto& [name, value] : headers) step.answer->fields.add(name, value);
    return step;
  }

  std::uint16_t status = 200;
  std::string body, content_type;
  std::vector<std::pair<std::string, std::string>> headers;
};

void parse_headers_of(Respond& policy, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, "`headers` of policy `respond` must be a map, not " + std::string(config::kind_name(node->kind)));
  for (const config::Entry& entry : node->entries) {
    const http::FieldId id = http::field_id(entry.key);
    const bool framing = id == http::FieldId::ContentLength || id == http::FieldId::TransferEncoding || id == http::FieldId::Connection;
    if (!http::is_token(entry.key) || framing) sink.error("bad-header", entry.key_span, "`" + entry.key + "` is not a header that can be set here");
    else if (!http::is_field_value(entry.value->text)) sink.error("bad-header-value", entry.value->span, "the value of `" + entry.key + "` can't be sent");
    else if (id == http::FieldId::ContentType) policy.content_type = entry.value->text;
    else policy.headers.emplace_back(entry.key, entry.value->text);
  }
}

}  // namespace

std::unique_ptr<Policy> parse_respond(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `respond`");
  auto policy = std::make_unique<Respond>();
  policy->status = static_cast<std::uint16_t>(r.integer("status", 200, 200, 599));
  if (auto text = r.text("text")) {
    policy->body = std::move(*text);
    policy->content_type = "text/plain; charset=utf-8";
  }
  if (const config::Node* json = r.get("json")) {
    if (node.find("text") != nullptr) context.sink.error("two-bodies", r.key_span("json"), "an answer has one body: `text` or `json`");
    policy->body = config::to_json(*json);
    policy->content_type = "application/json";
  }
  parse_headers_of(*policy, r.get("headers"), context.sink);
  r.elsewhere("body", "write text: … or json: …");
  r.finish();
  if (!r.valid()) return nullptr;
  if (!policy->body.empty() && (policy->status == 204 || policy->status == 304))
    context.sink.error("two-bodies", r.span(), "an answer with status " + std::to_string(policy->status) + " has no body");
  return policy;
}

}  // namespace gatelab::policy
