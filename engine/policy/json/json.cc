// SPDX-License-Identifier: Apache-2.0
#include "policy/json/json.h"

#include <memory>
#include <utility>

#include "base/units.h"
#include "http/digest_fields.h"
#include "policy/changed_answer.h"
#include "policy/compress/request_coding.h"
#include "policy/json/answer_edit.h"
#include "policy/json/program.h"
#include "policy/json/tally.h"
#include "policy/when.h"
#include "policy/whole_body.h"

namespace gatelab::policy {
namespace {

using End = JsonEdited::End;

// A larger body is edited off the loop, and so is one in which a path has to look at more.
constexpr std::size_t kInline = 64 * 1024;
constexpr std::size_t kVisitsOnLoop = 50'000;
// Of an answer, which is edited on the loop.
constexpr std::size_t kVisitsOfAnswer = 300'000, kLargeAnswer = 4 * 1024 * 1024;

// A body that is being edited; the job may outlive the request, and knows nothing of it.
struct Job {
  std::string body;
  std::optional<coding::Coding> coding;
  RenderedTexts rendered;
  const JsonProgram* program = nullptr;  // the policy's, whose configuration waits for jobs
  JsonBounds bounds;
  const observe::Reason* broken = nullptr;  // its coding is
  JsonEdited edited;

  void run() noexcept {
    if (coding) {
      Decoded decoded = decode_whole(*coding, body, bounds.size);
      body = std::move(decoded.octets);
      broken = decoded.failure;
    }
    if (broken == nullptr) edited = program->run(body, 0, rendered, bounds);
  }
};

struct Memo {
  Effect effect;  // what a step asks for, until somebody takes it
  std::shared_ptr<Job> job;
};

const observe::Reason& reason_of(End end) noexcept {
  switch (end) {
    case End::TooDeep: return observe::reason::kJsonTooDeep;
    case End::TooMany: return observe::reason::kJsonTooMany;
    case End::Mismatch: return observe::reason::kJsonMismatch;
    case End::TooLarge: return observe::reason::kBodyTooLarge;
    case End::Malformed:
    case End::Same:
    case End::Changed: break;
  }
  return observe::reason::kJsonMalformed;
}

class Json final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "json"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  bool has_on_response() const noexcept override { return !response->empty(); }

  Step step(Input& in) const noexcept override {
    Memo* memo = in.scratch.memo<Memo>();
    if (memo != nullptr && memo->job) return in.effect_done ? judge(in, *memo->job) : unavailable(in, observe::reason::kBusy, in.detailed ? "too many bodies are being edited" : "");
    if (memo == nullptr) {
      in.scratch.b = when.fits(in) ? 1 : 0;
      if (in.scratch.b == 0) return Step::skip("`when` does not speak of it");
      // A part of an answer can't be edited, and must not be a way around that.
      if (!response->empty() && mode != Mode::Observe)
        for (const std::string_view name : {"Range", "If-Range"}) in.request.fields.remove(name);
      if (request->empty()) return Step::go_on("answers are edited");
      if (!has_body(in.request)) return Step::skip("the request has no body");
      if (const auto refusal = refuse_type(in)) return refused(in, *refusal);
      if (!is_json(in.request.fields)) return Step::skip("the request's body is no JSON, by its Content-Type");
      if (in.is_explained) return Step::go_on("its body would be edited");
      memo = new (in.arena.allocate(sizeof(Memo), alignof(Memo))) Memo{};
      in.scratch.keep(memo);
    }
    Asked asked = ask_for_body(in, bounds.size, memo->effect);
    if (asked.what == Asked::What::Wait) return asked.step;
    if (asked.what == Asked::What::Refuse) return refused(in, asked.step);
    return edit(in, *memo, asked.coding);
  }

  void on_response(ResponseInput& in) const noexcept override {
    if (in.request.scratch.b == 0 || mode == Mode::Observe || in.local || !response->speaks_of(in.status)) return;
    if (in.status < 200 || in.status == 204 || in.status == 205) return;
    if (in.status == 304 && in.fields.find(http::FieldId::ContentType) == nullptr) return tell_changed(in.fields);
    if (!is_json(in.fields)) return;
    if (in.status == 304) return tell_changed(in.fields);
    const bool head = in.request.request.method == http::Method::Head;
    if (!head && (in.body.kind == http::Framing::None || (in.body.kind == http::Framing::Length && in.body.length == 0))) return;
    AnswerEditing what{*response, answer_bounds, in.status, {}, {}, passes, nullptr, {}};
    const RequestCoding coded = request_coding(in.fields);
    what.coding = coded.coding;
    if (in.status == 206 || in.fields.find("Content-Range") != nullptr) what.failure = &observe::reason::kAnswerPartial;
    else if (coded.coded && !coded.coding) what.failure = &observe::reason::kAnswerEncoding, what.detail = "it is in a content coding that is not known, or in several";
    if (what.failure != nullptr && passes) return tally->count(JsonTally::Of::AnswerFailed);
    if (coded.coding) in.fields.remove(http::FieldId::ContentEncoding);
    tell_changed(in.fields);
    in.body = {http::Framing::Chunked, 0};  // until it is known
    if (head) return;
    what.rendered = response->render(in.request, in.status);
    append(in.request.answer_body, make_answer_edit(*this, std::move(what), *tally));
  }

  void on_end(Input& in, const observe::Record&) const noexcept override {
    Memo* memo = in.scratch.memo<Memo>();
    if (memo == nullptr) return;
    std::destroy_at(memo);
    in.scratch.keep(nullptr);
  }

  When when;
  // Jobs may outlive the configuration.
  std::shared_ptr<JsonProgram> request = std::make_shared<JsonProgram>(), response = std::make_shared<JsonProgram>();
  JsonBounds bounds, answer_bounds;
  bool passes = false;
  std::shared_ptr<JsonTally> tally;

 private:
  Step edit(Input& in, Memo& memo, std::optional<coding::Coding> coding) const noexcept {
    if (in.body->octets.empty()) return Step::skip("the request has no body");
    memo.job = std::make_shared<Job>();
    Job& job = *memo.job;
    job.body = in.body->octets;
    job.coding = coding;
    job.rendered = request->render(in, 0);
    job.program = request.get();
    job.bounds = bounds;
    if (job.body.size() <= kInline && !coding) {
      job.bounds.visits = kVisitsOnLoop;
      job.run();
      if (!job.edited.gave_up) return judge(in, job);
      job.bounds.visits = bounds.visits;
      job.edited = {};
    }
    memo.effect = ComputeJob{[job = memo.job, program = request] { job->run(); }};
    Step step;
    step.verdict = Verdict::Need;
    step.effect = &memo.effect;
    return step;
  }

  Step judge(Input& in, Job& job) const noexcept {
    if (job.broken != nullptr) return refused(in, deny(in, *job.broken));
    if (job.edited.end == End::Same) {
      tally->count(JsonTally::Of::RequestSame);
      return Step::go_on("there is nothing to edit in the body");
    }
    if (job.edited.end != End::Changed) return refused(in, deny_told(in, reason_of(job.edited.end), in.arena.copy(job.edited.text)));
    tally->count(JsonTally::Of::RequestEdited);
    Step step = Step::go_on(in.detailed ? in.arena.concat("the body's ", format(ByteSize{in.body->octets.size()}), " have become ", format(ByteSize{job.edited.text.size()})) : std::string_view());
    if (mode == Mode::Observe) {
      step.outcome = Outcome::Observe;
      return step;
    }
    http::RequestHead& head = in.request;
    in.body->octets = std::move(job.edited.text);
    head.body = {http::Framing::Length, in.body->octets.size()};
    head.fields.remove(http::FieldId::ContentEncoding);
    http::drop_digests(head.fields);
    return step;
  }

  Step refused(const Input& in, const Step& refusal) const noexcept {
    tally->count(JsonTally::Of::RequestFailed);
    if (!passes) return refusal;
    Step step = Step::skip(in.detailed ? in.arena.concat("it goes on as it is: ", refusal.reason, refusal.answer->detail.empty() ? "" : ", ", refusal.answer->detail) : std::string_view());
    step.reason = refusal.reason;
    return step;
  }
};

// A map of edits, or a list of such maps.
void parse_side(JsonProgram& program, const config::Node* node, JsonEdit::Side side, diag::Sink& sink) {
  if (node == nullptr) return;
  const auto add = [&](const config::Node& one) {
    if (auto edit = JsonEdit::parse(one, side, sink); edit && !edit->empty()) program.add(std::move(*edit));
  };
  if (node->kind != config::Kind::List) return add(*node);
  for (const config::Node& one : node->items) add(one);
}

}  // namespace

std::unique_ptr<Policy> parse_json(const config::Node& node, Context& context) {
  diag::Sink& sink = context.sink;
  const std::size_t before = sink.errors();
  config::Reader r(node, sink, "policy `json`");
  auto policy = std::make_unique<Json>();
  policy->when = When::parse(r.get("when"), "json", sink);
  const config::Node* request = r.get("request");
  const config::Node* response = r.get("response");
  parse_side(*policy->request, request, JsonEdit::Side::Request, sink);
  parse_side(*policy->response, response, JsonEdit::Side::Response, sink);
  const BodyBounds bounds = parse_body_bounds(r);
  policy->bounds.size = bounds.size;
  policy->bounds.limits = bounds.limits;
  policy->answer_bounds = policy->bounds;
  policy->answer_bounds.visits = kVisitsOfAnswer;
  if (response != nullptr && policy->bounds.size > kLargeAnswer) sink.error("out-of-range", r.span_of("max_size"), "`max_size` is at most 4MiB where answers are edited: their worker does nothing else meanwhile");
  policy->passes = r.choice("on_error", 0, {"refuse", "pass"}) == 1;
  for (const std::string_view key : {"set", "remove", "rename", "move", "wrap", "pick"}) r.elsewhere(key, "it stands under `request` or `response`");
  r.elsewhere("status", "it stands under `response`");
  r.finish();
  if (!r.valid() || sink.errors() != before) return nullptr;
  if (request == nullptr && response == nullptr) sink.warning("no-effect", r.span(), "this policy edits nothing", "add `request` or `response` with pick, remove, move, rename, set or wrap");
  policy->tally = context.states.obtain<JsonTally>(context.default_id, "json", [] { return new JsonTally; });
  return policy;
}

}  // namespace gatelab::policy
