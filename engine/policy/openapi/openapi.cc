// SPDX-License-Identifier: Apache-2.0
#include "policy/openapi/openapi.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "json/pointer.h"
#include "policy/compress/request_coding.h"
#include "policy/openapi/answer_check.h"
#include "policy/openapi/document.h"
#include "policy/openapi/values.h"
#include "policy/when.h"
#include "policy/whole_body.h"

namespace gatelab::policy {
namespace {

// Parameters are small, and looked at on the loop.
constexpr std::size_t kStepsOfHead = 50'000;

std::string_view content_type(const http::Fields& fields) noexcept {
  const http::Field* field = fields.find(http::FieldId::ContentType);
  return field == nullptr ? std::string_view() : field->value;
}

class OpenApi final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "openapi"; }
  Phase phase() const noexcept override { return Phase::Validate; }
  bool has_on_response() const noexcept override { return answers; }

  Step step(Input& in) const noexcept override {
    BodyMemo* memo = in.scratch.memo<BodyMemo>();
    if (memo != nullptr && memo->check) return in.effect_done ? memo->check->judge(in) : unavailable(in, observe::reason::kBusy, in.detailed ? "too many bodies are being looked at" : "");
    if (memo == nullptr) {
      if (!when.fits(in)) return Step::skip("`when` does not speak of it");
      const route::Matched matched = find(in);
      if (matched.route < 0) return unknown(in, matched);
      in.scratch.b = static_cast<std::uint64_t>(matched.route) + 1;
      const ApiOperation& operation = document->operations[static_cast<std::size_t>(matched.route)];
      const std::string_view told = in.detailed ? in.arena.concat("operation ", operation.id) : std::string_view();
      // A part of an answer can't be looked at, and must not be a way around that.
      if (answers && mode != Mode::Observe)
        for (const std::string_view name : {"Range", "If-Range"}) in.request.fields.remove(name);
      if (!requests) return Step::go_on(told);
      if (const Step refusal = look_at_parameters(in, operation, matched); refusal.verdict != Verdict::Continue) return refusal;
      const ApiMedia* media = nullptr;
      if (const Step refusal = look_at_type(in, operation, media); refusal.verdict != Verdict::Continue) return refusal;
      if (media == nullptr || media->schema < 0 || media->kind == ApiMedia::Kind::Unseen) return Step::go_on(told);
      if (in.is_explained) return Step::go_on(in.arena.concat(told, "; its body would be looked at"));
      memo = &BodyMemo::make(in);
      memo->check = nullptr;
    }
    const Asked asked = ask_for_body(in, rules.size, memo->effect);
    return asked.what == Asked::What::Look ? look_at_body(in, *memo, asked.coding) : asked.step;
  }

  void on_response(ResponseInput& in) const noexcept override {
    if (in.request.scratch.b == 0 || in.local || in.status < 200 || in.status == 304 || in.request.request.method == http::Method::Head) return;
    const ApiOperation& operation = document->operations[static_cast<std::size_t>(in.request.scratch.b - 1)];
    AnswerChecking what;
    what.observes = mode == Mode::Observe;
    const auto answer = std::find_if(operation.answers.begin(), operation.answers.end(), [&](const ApiAnswer& a) { return in.status >= a.low && in.status <= a.high; });
    const auto wrong = [&what](std::string detail) {
      what.failure = &observe::reason::kAnswerInvalid;
      what.detail = std::move(detail);
    };
    if (answer == operation.answers.end()) wrong("the status " + std::to_string(in.status) + " is none of operation " + operation.id);
    else if (std::string why = look_at_fields(*answer, in); !why.empty()) wrong(std::move(why));
    else look_at_content(*answer, in, what, wrong);
    if (what.failure == nullptr && what.check.set == nullptr) return;
    append(in.request.answer_body, make_answer_check(*this, std::move(what)));
  }

  void on_end(Input& in, const observe::Record&) const noexcept override { BodyMemo::drop(in); }

  When when;
  std::shared_ptr<const ApiDocument> document;
  BodyCheck::Rules rules;
  bool requests = true, answers = false, passes_unknown = false;

 private:
  route::Matched find(const Input& in) const noexcept {
    route::Request request;
    request.host = in.request.host;
    request.path = in.path;
    request.query = in.request.query;
    request.method = in.request.method_text;
    request.fields = &in.request.fields;
    return document->table->match(request, in.arena);
  }

  Step unknown(Input& in, const route::Matched& matched) const noexcept {
    if (passes_unknown) return Step::skip("no operation of the document");
    if (matched.allow.empty()) return deny(in, observe::reason::kNoOperation);
    Step step = deny(in, observe::reason::kOperationMethod);
    step.answer->fields.add("Allow", matched.allow);
    return step;
  }

  // `effort` has what may still be spent on this request's or answer's parameters together.
  void look_at(const ApiParameter& parameter, const ApiValue& value, schema::Effort& effort, std::vector<InvalidPart>& failures) const {
    std::string pointer;
    json::append_token(pointer, parameter.name);
    const auto tell = [&](std::string_view keyword, std::string detail, const std::string& inner = {}) { failures.push_back({name(parameter.in), {pointer + inner, keyword, std::move(detail)}}); };
    if (value.state == ApiValue::State::Absent && parameter.required) return tell("required", "is missing");
    if (value.state == ApiValue::State::Malformed) return tell("style", "is not written as it should be");
    if (value.state != ApiValue::State::There || parameter.schema < 0) return;
    const json::Ref root = value.document.root();
    if (parameter.allows_empty && value.document.is(root, json::Kind::String) && value.document.raw(root).empty()) return;
    schema::Verdict verdict = schema::validate(document->set, parameter.schema, value.document, root, effort);
    effort.steps -= std::min(effort.steps, verdict.spent);
    if (verdict.gave_up) return tell("schema", "would take too long to look at");
    for (schema::Failure& failure : verdict.failures) tell(failure.keyword, std::move(failure.detail), failure.pointer);
  }

  schema::Effort effort_of_head(schema::Effort::Side side) const noexcept {
    schema::Effort effort = rules.effort;
    effort.steps = kStepsOfHead;
    effort.side = side;
    return effort;
  }

  Step look_at_parameters(Input& in, const ApiOperation& operation, const route::Matched& matched) const noexcept {
    const auto segments = in.arena.array<std::string_view>(matched.parameters.size());
    for (std::size_t i = 0; i < segments.size(); ++i) segments[i] = matched.parameters[i].second;
    const ApiRequest request{in.request.query, in.request.fields, segments, operation};
    std::vector<InvalidPart> failures;
    schema::Effort effort = effort_of_head(schema::Effort::Side::Request);
    for (const ApiParameter& parameter : operation.parameters) {
      look_at(parameter, value_of_parameter(parameter, request, document->set, in.arena), effort, failures);
      if (failures.size() >= rules.effort.failures) break;
    }
    if (failures.empty()) return Step::go_on();
    if (failures.size() > rules.effort.failures) failures.resize(rules.effort.failures);
    return refuse_invalid(in, observe::reason::kInvalidParameters, failures);
  }

  static Step look_at_type(Input& in, const ApiOperation& operation, const ApiMedia*& media) noexcept {
    if (!has_body(in.request)) return operation.body && operation.body->required ? deny(in, observe::reason::kMissingBody) : Step::go_on();
    // Of an operation without a requestBody nothing is said of one (OpenAPI 3.1.0, Operation Object).
    if (!operation.body || operation.body->media.empty()) return Step::go_on();
    if (auto refusal = refuse_type(in)) return *refusal;
    media = find_media(operation.body->media, content_type(in.request.fields));
    if (media != nullptr) return Step::go_on();
    std::string taken;
    for (const ApiMedia& one : operation.body->media) taken += (taken.empty() ? "" : ", ") + one.range;
    return deny_told(in, observe::reason::kMediaType, in.arena.copy(taken));
  }

  Step look_at_body(Input& in, BodyMemo& memo, std::optional<coding::Coding> coding) const noexcept {
    const ApiOperation& operation = document->operations[static_cast<std::size_t>(in.scratch.b - 1)];
    if (in.body->octets.empty()) return operation.body->required ? deny(in, observe::reason::kMissingBody) : Step::go_on("there is no body");
    const ApiMedia& media = *find_media(operation.body->media, content_type(in.request.fields));
    memo.check = std::make_shared<BodyCheck>(check_of(media, schema::Effort::Side::Request));
    memo.check->coding = coding;
    memo.check->body = in.body->octets;
    return memo.run(in);
  }

  BodyCheck check_of(const ApiMedia& media, schema::Effort::Side side) const {
    BodyCheck out;
    out.keeps = document;
    out.set = &document->set;
    out.schema = media.schema;
    out.as = media.kind == ApiMedia::Kind::Form ? BodyCheck::As::Form : BodyCheck::As::Json;
    out.rules = rules;
    out.rules.effort.side = side;
    return out;
  }

  // What is wrong with them; empty: nothing.
  std::string look_at_fields(const ApiAnswer& answer, const ResponseInput& in) const {
    std::vector<InvalidPart> failures;
    schema::Effort effort = effort_of_head(schema::Effort::Side::Answer);
    for (const ApiParameter& field : answer.fields) look_at(field, value_of_field(field, in.fields, document->set, in.request.arena), effort, failures);
    return failures.empty() ? std::string() : first_of(failures);
  }

  template <class Wrong>
  void look_at_content(const ApiAnswer& answer, const ResponseInput& in, AnswerChecking& what, Wrong wrong) const {
    const bool empty = in.body.kind == http::Framing::None || (in.body.kind == http::Framing::Length && in.body.length == 0);
    if (answer.media.empty() || empty) return;
    const std::string_view type = content_type(in.fields);
    const ApiMedia* media = find_media(answer.media, type);
    if (media == nullptr) return wrong("the media type `" + std::string(type.substr(0, 100)) + "` is none of this answer's");
    if (media->kind != ApiMedia::Kind::Json || media->schema < 0) return;
    const RequestCoding coded = request_coding(in.fields);
    if (in.status == 206) what.failure = &observe::reason::kAnswerPartial;
    else if (coded.coded && !coded.coding) what.failure = &observe::reason::kAnswerEncoding, what.detail = "it is in a content coding that is not known, or in several";
    what.check = check_of(*media, schema::Effort::Side::Answer);
    what.check.rules.effort.steps = kStepsOfAnswer;
    what.check.coding = coded.coding;
  }
};

}  // namespace

std::unique_ptr<Policy> parse_openapi(const config::Node& node, Context& context) {
  diag::Sink& sink = context.sink;
  const std::size_t before = sink.errors();
  config::Reader r(node, sink, "policy `openapi`");
  auto policy = std::make_unique<OpenApi>();
  policy->when = When::parse(r.get("when"), "openapi", sink);
  const config::Node* file = r.require("file");
  const std::string base = r.text("base_path", "");
  if (!base.empty() && (!base.starts_with('/') || base.ends_with('/') || base.find_first_of("{}*?#") != std::string::npos)) sink.error("bad-path", r.span_of("base_path"), "`" + base + "` is no beginning of paths", "base_path: /v1");
  policy->requests = r.choice("requests", 0, {"validate", "off"}) == 0;
  policy->answers = r.choice("responses", 0, {"off", "validate"}) == 1;
  policy->passes_unknown = r.choice("unknown", 0, {"refuse", "pass"}) == 1;
  policy->rules = parse_body_rules(r);
  if (policy->answers && policy->rules.size > kLargeAnswer) sink.error("out-of-range", r.span_of("max_size"), "`max_size` is at most 4MiB where answers are looked at: their worker does nothing else meanwhile");
  for (const std::string_view key : {"spec", "document", "schema", "path"}) r.elsewhere(key, "write file: api.yaml");
  r.finish();
  if (!r.valid() || sink.errors() != before || file == nullptr || !config::as_text(*file, sink, "`file` of policy `openapi`")) return nullptr;
  policy->document = ApiDocument::load(*file, base, context);
  if (!policy->document) return nullptr;
  if (policy->document->operations.empty()) sink.warning("no-effect", file->span, "the document has no operation");
  if (!policy->requests && !policy->answers && policy->passes_unknown) sink.warning("no-effect", r.span(), "this policy looks at nothing", "requests: validate, responses: validate");
  return policy;
}

}  // namespace gatelab::policy
