// SPDX-License-Identifier: Apache-2.0
#include "policy/aggregate/aggregate.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "policy/aggregate/gathering.h"
#include "policy/aggregate/tally.h"

namespace gatelab::policy {
namespace {

// Larger answers are merged off the loop.
constexpr std::size_t kInline = 64 * 1024;

// Fields of a part's own answer that are the client's business where it takes the whole one's place.
constexpr std::array kTold{http::FieldId::WwwAuthenticate, http::FieldId::Location, http::FieldId::RetryAfter, http::FieldId::ContentEncoding};

struct Memo {
  Memo(Input& in, const std::shared_ptr<const AggregatePlan>& plan) : gathering(in, plan) {}
  Gathering gathering;
  Effect effect;
  bool merges = false;  // the parts are there
};

bool is_timeout(std::string_view failure) noexcept {
  for (const observe::Reason* reason : {&observe::reason::kTotalTimeout, &observe::reason::kResponseTimeout, &observe::reason::kPerTryTimeout})
    if (failure == reason->word) return true;
  return false;
}

class Aggregate final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "aggregate"; }
  Phase phase() const noexcept override { return Phase::Forward; }

  Step step(Input& in) const noexcept override {
    if (in.is_explained || mode == Mode::Observe) return described(in);
    auto* memo = in.scratch.memo<Memo>();
    if (memo == nullptr) {
      memo = new (in.arena.allocate(sizeof(Memo), alignof(Memo))) Memo(in, plan);
      in.scratch.keep(memo);
      return need(*memo, Calls{&memo->gathering, plan->timeout});
    }
    Merge& merge = *memo->gathering.merge;
    if (!memo->merges) {
      memo->merges = true;
      memo->gathering.finish();
      if (merge.culprit() == merge.parts.size()) {
        std::size_t octets = 0;
        for (const PartEnd& end : merge.parts) octets += end.body.size();
        if (octets > kInline) return need(*memo, ComputeJob{[job = memo->gathering.merge] { job->run(); }});
        merge.run();
      }
    } else if (!in.effect_done) {
      return unavailable(in, observe::reason::kBusy, in.detailed ? "too many answers are being merged" : "");
    }
    return judge(in, memo->gathering);
  }

  void on_end(Input& in, const observe::Record&) const noexcept override {
    auto* memo = in.scratch.memo<Memo>();
    if (memo == nullptr) return;
    std::destroy_at(memo);
    in.scratch.keep(nullptr);
  }

  void part_plans(std::vector<const CachePlan*>& out) const override {
    for (const AggregatePart& part : plan->parts)
      if (part.cache) out.push_back(part.cache->cache_plan());
  }

  std::shared_ptr<const AggregatePlan> plan;
  std::shared_ptr<AggregateTally> tally;
  std::vector<AggregateTally::Counter*> counters;  // its own, one a part

 private:
  static Step need(Memo& memo, Effect effect) noexcept {
    memo.effect = std::move(effect);
    Step step;
    step.verdict = Verdict::Need;
    step.effect = &memo.effect;
    return step;
  }

  Step described(Input& in) const noexcept {
    std::string text;
    for (const AggregatePart& part : plan->parts) {
      text.append(text.empty() ? "asks for " : ", ").append(part.name);
      for (std::size_t i = 0; i < part.after.size(); ++i) text.append(i == 0 ? " (behind " : ", ").append(plan->parts[part.after[i]].name);
      if (!part.after.empty()) text += ")";
    }
    Step step = Step::go_on(in.arena.copy(text));
    if (mode == Mode::Observe) step.outcome = Outcome::Observe;
    else step.verdict = Verdict::Respond, step.outcome = Outcome::Respond, step.reason = observe::reason::kAggregated.word, step.answer = in.arena.make<Answer>(in.arena);
    return step;
  }

  Step judge(Input& in, const Gathering& gathering) const noexcept {
    const Merge& merge = *gathering.merge;
    for (std::size_t i = 0; i < merge.parts.size(); ++i)
      if (merge.parts[i].asked && gathering.has_ended(i)) counters[i]->count(!merge.parts[i].failure.empty());
    if (merge.is_too_large) return unavailable(in, observe::reason::kAnswerTooLarge, "all parts together are longer than 64MiB");
    const std::size_t culprit = merge.culprit();
    if (culprit != merge.parts.size()) return without(in, gathering, culprit);
    Step step;
    step.verdict = Verdict::Respond;
    step.outcome = Outcome::Respond;
    step.reason = merge.is_partial() ? observe::reason::kAggregatedInPart.word : observe::reason::kAggregated.word;
    if (in.detailed) step.detail = in.arena.copy(status_of(merge));
    step.answer = in.arena.make<Answer>(in.arena);
    step.answer->content_type = "application/json";
    step.answer->body = in.arena.copy(merge.text);
    step.answer->fields.add("Aggregate-Status", in.arena.copy(status_of(merge)));
    // Whoever keeps it would answer without the part long after that is there again.
    if (merge.is_partial()) step.answer->fields.add("Cache-Control", "no-store");
    return step;
  }

  // As a list of RFC 9651: user;status=200, orders;error=response-timeout.
  std::string status_of(const Merge& merge) const {
    std::string out;
    for (std::size_t i = 0; i < merge.parts.size(); ++i) {
      const PartEnd& end = merge.parts[i];
      out.append(out.empty() ? "" : ", ").append(plan->parts[i].name);
      if (!end.asked) out += ";skipped";
      if (!end.failure.empty()) out.append(";error=").append(end.failure);
      if (end.status != 0) out.append(";status=").append(std::to_string(end.status));
    }
    return out;
  }

  // No answer without that part.
  Step without(Input& in, const Gathering& gathering, std::size_t culprit) const noexcept {
    const PartEnd& end = gathering.merge->parts[culprit];
    const observe::Reason& reason = is_timeout(end.failure) ? observe::reason::kPartTimeout : observe::reason::kPartFailed;
    Step step = unavailable(in, reason, in.arena.concat("part `", plan->parts[culprit].name, "`: ", end.why.empty() ? end.failure : std::string_view(in.arena.copy(end.why))));
    step.answer->detail = step.detail;  // whoever asks is told which part it is
    const CallAnswer* answer = gathering.answer_of(culprit);
    if (plan->parts[culprit].on_failure != OnFailure::Pass || answer == nullptr || end.failure != "status") return step;
    step.answer->status = answer->status;
    step.answer->fields = http::Fields(in.arena);
    for (const http::Field& f : answer->fields)
      if (std::find(kTold.begin(), kTold.end(), f.id) != kTold.end()) step.answer->fields.add(f.id, f.name, f.value);
    const http::Field* type = answer->fields.find(http::FieldId::ContentType);
    if (answer->body.empty() || type == nullptr) return step;
    step.answer->body = answer->body;
    step.answer->content_type = type->value;
    return step;
  }
};

}  // namespace

std::unique_ptr<Policy> parse_aggregate(const config::Node& node, Context& context) {
  auto policy = std::make_unique<Aggregate>();
  policy->plan = parse_plan(node, context);
  if (!policy->plan) return nullptr;
  policy->tally = context.states.obtain<AggregateTally>(context.default_id, "aggregate", [] { return new AggregateTally; });
  policy->tally->begin();
  for (const AggregatePart& part : policy->plan->parts) policy->counters.push_back(policy->tally->of(part.name));
  return policy;
}

}  // namespace gatelab::policy
