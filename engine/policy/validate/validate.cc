// SPDX-License-Identifier: Apache-2.0
#include "policy/validate/validate.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "policy/validate/errors.h"
#include "policy/validate/loaded_schema.h"
#include "policy/validate/texts.h"
#include "policy/when.h"
#include "policy/whole_body.h"

namespace gatelab::policy {
namespace {

using LoadedPtr = std::shared_ptr<const LoadedSchema>;

// A larger body is looked at off the loop.
constexpr std::size_t kInline = 64 * 1024;

struct Rules {
  LoadedPtr body, query, headers;
  std::size_t size = 0;
  json::Limits limits;
  schema::Effort effort;
};

// What a body comes to; the job may outlive the request, and knows nothing of it.
struct Job {
  std::string body;
  std::optional<coding::Coding> coding;
  Rules rules;
  const observe::Reason* reason = nullptr;  // it is refused
  std::string detail;
  std::vector<InvalidPart> failures;

  void run() {
    std::string_view text = body;
    Decoded decoded;
    if (coding) {
      decoded = decode_whole(*coding, body, rules.size);
      text = decoded.octets;
      if (decoded.failure != nullptr) return refuse(*decoded.failure, {});
    }
    const auto document = json::Document::parse(text, rules.limits);
    if (!document) {
      using Fault = json::Fault::Kind;
      const Fault kind = document.error().kind;
      return refuse(kind == Fault::TooDeep ? observe::reason::kJsonTooDeep : kind == Fault::TooMany ? observe::reason::kJsonTooMany : observe::reason::kJsonMalformed,
                    std::string(document.error().what) + ", at octet " + std::to_string(document.error().at + 1));
    }
    schema::Verdict verdict = schema::validate(rules.body->set, rules.body->root, *document, document->root(), rules.effort);
    if (verdict.gave_up) return refuse(observe::reason::kJsonTooMany, "to look at all of it would take too long");
    if (verdict.valid) return;
    for (schema::Failure& failure : verdict.failures) failures.push_back({"body", std::move(failure)});
    refuse(observe::reason::kInvalidBody, {});
  }

 private:
  void refuse(const observe::Reason& why, std::string what) {
    reason = &why;
    detail = std::move(what);
  }
};

struct Memo {
  Effect effect;  // what a step asks for, until somebody takes it
  std::shared_ptr<Job> job;
};

bool carries_body(http::Method method) noexcept { return method == http::Method::Post || method == http::Method::Put || method == http::Method::Patch; }

class Validate final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "validate"; }
  Phase phase() const noexcept override { return Phase::Validate; }

  Step step(Input& in) const noexcept override {
    Memo* memo = in.scratch.memo<Memo>();
    if (memo != nullptr && memo->job) return in.effect_done ? judge(in, *memo->job) : unavailable(in, observe::reason::kBusy, in.detailed ? "too many bodies are being looked at" : "");
    if (memo == nullptr) {
      if (!when.fits(in)) return Step::skip("`when` does not speak of it");
      if (const Step head = look_at_head(in); head.verdict != Verdict::Continue) return head;
      if (!rules.body) return Step::go_on();
      if (!has_body(in.request)) {
        if (required && carries_body(in.request.method)) return deny(in, observe::reason::kMissingBody);
        return Step::go_on("there is no body");
      }
      if (!is_json(in.request.fields)) {
        if (other_types) return Step::go_on("the body is no JSON, by its Content-Type");
        return deny(in, observe::reason::kMediaType, "application/json, or another +json");
      }
      if (in.is_explained) return Step::go_on("its body would be looked at");
      memo = new (in.arena.allocate(sizeof(Memo), alignof(Memo))) Memo{};
      in.scratch.keep(memo);
    }
    const Asked asked = ask_for_body(in, rules.size, memo->effect);
    return asked.what == Asked::What::Look ? look(in, *memo, asked.coding) : asked.step;
  }

  void on_end(Input& in, const observe::Record&) const noexcept override {
    Memo* memo = in.scratch.memo<Memo>();
    if (memo == nullptr) return;
    std::destroy_at(memo);
    in.scratch.keep(nullptr);
  }

  When when;
  Rules rules;
  bool required = true, other_types = false;

 private:
  // Query and fields: together, as a client should hear of all that is wrong.
  Step look_at_head(Input& in) const noexcept {
    std::vector<InvalidPart> failures;
    const observe::Reason* reason = nullptr;
    const auto look_at = [&](const LoadedPtr& schema, std::string_view what, const observe::Reason& refused, const json::Document& document) {
      schema::Verdict verdict = schema::validate(schema->set, schema->root, document, document.root(), rules.effort);
      if (verdict.valid) return;
      if (reason == nullptr) reason = verdict.gave_up ? &observe::reason::kJsonTooMany : &refused;
      for (schema::Failure& failure : verdict.failures)
        if (failures.size() < rules.effort.failures) failures.push_back({what, std::move(failure)});
    };
    if (rules.query) look_at(rules.query, "query", observe::reason::kInvalidQuery, query_object(in.request.query, rules.query->set, rules.query->root, in.arena));
    if (rules.headers) look_at(rules.headers, "headers", observe::reason::kInvalidHeaders, fields_object(in.request.fields, rules.headers->set, rules.headers->root));
    if (reason == nullptr) return Step::go_on();
    if (failures.empty()) return deny(in, *reason, "to look at all of it would take too long");
    return refuse_invalid(in, *reason, failures);
  }

  Step look(Input& in, Memo& memo, std::optional<coding::Coding> coding) const noexcept {
    memo.job = std::make_shared<Job>();
    Job& job = *memo.job;
    job.body = in.body->octets;
    job.coding = coding;
    job.rules = rules;
    if (job.body.empty()) return required && carries_body(in.request.method) ? deny(in, observe::reason::kMissingBody) : Step::go_on("there is no body");
    if (job.body.size() <= kInline && !coding) {
      job.run();
      return judge(in, job);
    }
    memo.effect = ComputeJob{[job = memo.job] { job->run(); }};
    Step step;
    step.verdict = Verdict::Need;
    step.effect = &memo.effect;
    return step;
  }

  static Step judge(Input& in, const Job& job) noexcept {
    if (job.reason == nullptr) return Step::go_on();
    if (job.failures.empty()) return deny(in, *job.reason, in.arena.copy(job.detail));
    return refuse_invalid(in, *job.reason, job.failures);
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
  Rules& rules = policy->rules;
  if (const config::Node* body = r.get("body"); body != nullptr) {
    config::Reader part(*body, sink, "`body` of policy `validate`");
    rules.body = LoadedSchema::parse(part, context);
    policy->required = part.boolean("required", true);
    policy->other_types = part.choice("other_types", 0, {"refuse", "pass"}) == 1;
    for (const std::string_view word : {"type", "properties", "$ref", "allOf"}) part.elsewhere(word, "a schema stands under `schema`");
    part.elsewhere("content_types", "application/json and every +json are taken; other_types: pass lets all others through");
    part.finish();
  }
  rules.query = parse_part(r, "query", context);
  rules.headers = parse_part(r, "headers", context);
  const bool has_size = r.get("max_size") != nullptr || r.get("max_depth") != nullptr || r.get("max_values") != nullptr;
  rules.size = r.size("max_size", ByteSize{1024 * 1024}).bytes;
  if (rules.size == 0 || rules.size > 64 * 1024 * 1024) sink.error("out-of-range", r.span_of("max_size"), "`max_size` is between 1B and 64MiB: the body is held in memory");
  rules.limits.depth = static_cast<std::size_t>(r.integer("max_depth", 64, 1, 500));
  rules.limits.values = static_cast<std::size_t>(r.integer("max_values", 100'000, 1, 1'000'000));
  rules.effort.failures = static_cast<std::size_t>(r.integer("max_errors", 10, 1, 100));
  for (const std::string_view key : {"schema", "file"}) r.elsewhere(key, "it stands under `body`, `query` or `headers`");
  r.elsewhere("response", "answers are validated by the policy `openapi`");
  r.finish();
  if (!r.valid() || sink.errors() != before) return nullptr;
  if (!rules.body && !rules.query && !rules.headers) sink.warning("no-effect", r.span(), "this policy looks at nothing", "body: { schema: … }, query: …, headers: …");
  if (!rules.body && has_size) sink.warning("no-effect", r.span(), "`max_size`, `max_depth` and `max_values` are about bodies, and none is looked at", "body: { schema: … }");
  return policy;
}

}  // namespace gatelab::policy
