// SPDX-License-Identifier: Apache-2.0
#include "policy/composite.h"

#include <algorithm>
#include <utility>

namespace gatelab::policy {
namespace {

constexpr std::size_t kMaxMembers = 8;

// Who the request is from: what a member that refuses must leave as it was.
struct Who {
  const Consumer* consumer = nullptr;
  std::string_view by, principal;
  const crypto::Claims* claims = nullptr;
  static Who of(const Input& in) noexcept { return {in.consumer, in.principal_by, in.principal, in.claims}; }
  void put(Input& in) const noexcept {
    in.consumer = consumer;
    in.principal_by = by;
    in.principal = principal;
    in.claims = claims;
  }
};

// Of one request, in the arena.
struct Memo {
  std::size_t at = 0;       // the member whose turn it is
  std::size_t stepped = 0;  // how many had theirs
  Scratch scratch[kMaxMembers];
  Who before;
  Step best;                // the refusal that will be told, if nobody lets it pass
  int rank = -1;
  std::string_view detail;
};

bool is_missing(std::string_view reason) noexcept { return reason.starts_with("missing-"); }

// A source that can't be asked might have said yes; a credential that is known and may not is told before one that is wrong,
// and that before one that is not there.
int rank_of(const Step& step) noexcept {
  if (step.outcome == Outcome::Error) return 3;
  if (step.answer != nullptr && step.answer->status == 403) return 2;
  return is_missing(step.reason) ? 0 : 1;
}

class Composite final : public Policy {
 public:
  explicit Composite(bool all) : all_(all) {}
  std::string_view kind() const noexcept override { return all_ ? "all-of" : "any-of"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  bool admits(const Consumer& consumer) const noexcept override {
    const auto one = [&consumer](const auto& member) { return member->admits(consumer); };
    return all_ ? std::all_of(members.begin(), members.end(), one) : std::any_of(members.begin(), members.end(), one);
  }
  void secret_query(std::vector<std::string_view>& out) const override {
    for (const auto& member : members) member->secret_query(out);
  }
  void issuers(std::set<const Issuer*>& out) const override {
    for (const auto& member : members) member->issuers(out);
  }
  void untell(Input& in) const noexcept override {
    for (const auto& member : members) member->untell(in);
  }

  Step step(Input& in) const noexcept override {
    Memo& memo = memo_of(in);
    for (; memo.at < members.size(); ++memo.at) {
      const Policy& member = *members[memo.at];
      if (!all_ && member.kind() == "anonymous" && memo.rank > 0) continue;  // who shows something wrong is not nobody
      memo.stepped = memo.at + 1;
      const BodyDigest* const before = in.body_digests;
      const Step step = of_member(in, memo, member);
      // What a member wants of the body it wants in the name of all: the mode is theirs.
      for (BodyDigest* one = in.body_digests; one != before; one = one->next) one->by = this;
      in.effect_done = false;
      if (step.verdict == Verdict::Need) return step;
      if (in.detailed) note(in, memo, member, step);
      if (step.verdict == Verdict::Continue) {
        if (all_) continue;
        for (std::size_t i = 0; i < members.size(); ++i)
          if (i != memo.at) members[i]->untell(in);
        return Step::go_on(memo.detail);
      }
      if (all_) return told(step, memo);
      memo.before.put(in);
      collect(memo, step);
    }
    return all_ ? Step::go_on(memo.detail) : told(memo.best, memo);
  }

  void on_end(Input& in, const observe::Record& record) const noexcept override {
    if (in.scratch.memo<Memo>() == nullptr) return;
    Memo& memo = memo_of(in);
    const Scratch own = in.scratch;
    for (std::size_t i = 0; i < memo.stepped; ++i) {
      in.scratch = memo.scratch[i];
      members[i]->on_end(in, record);
    }
    in.scratch = own;
  }

  std::vector<std::unique_ptr<Policy>> members;

 private:
  static Memo& memo_of(Input& in) noexcept {
    if (in.scratch.memo<Memo>() == nullptr) {
      auto* memo = new (in.arena.allocate(sizeof(Memo), alignof(Memo))) Memo;
      memo->before = Who::of(in);
      in.scratch.keep(memo);
    }
    return *in.scratch.memo<Memo>();
  }

  static Step of_member(Input& in, Memo& memo, const Policy& member) noexcept {
    const Scratch own = std::exchange(in.scratch, memo.scratch[memo.at]);
    const Step step = member.step(in);
    memo.scratch[memo.at] = std::exchange(in.scratch, own);
    return step;
  }

  static void note(Input& in, Memo& memo, const Policy& member, const Step& step) noexcept {
    const std::string_view what = step.verdict == Verdict::Continue ? step.detail : step.reason;
    memo.detail = in.arena.concat(memo.detail, memo.detail.empty() ? "" : "; ", member.kind(), what.empty() ? "" : ": ", what);
  }

  // Of several 401 the client hears every challenge (RFC 9110 §11.6.1), so that it can choose.
  static void collect(Memo& memo, const Step& step) noexcept {
    const Step before = std::exchange(memo.best, rank_of(step) > memo.rank ? step : memo.best);
    const Step& other = memo.best.answer == step.answer ? before : step;
    memo.rank = std::max(memo.rank, rank_of(step));
    if (memo.best.answer == nullptr || other.answer == nullptr || memo.best.answer->status != 401 || other.answer->status != 401) return;
    for (const http::Field& field : other.answer->fields)
      if (field.id == http::FieldId::WwwAuthenticate) memo.best.answer->fields.add(field.id, field.name, field.value);
  }

  static Step told(Step step, const Memo& memo) noexcept {
    if (!memo.detail.empty()) step.detail = memo.detail;
    return step;
  }

  const bool all_;
};

void check_members(const Composite& policy, const std::vector<diag::Span>& spans, bool all, diag::Sink& sink) {
  for (std::size_t i = 0; i < policy.members.size(); ++i) {
    const Policy& member = *policy.members[i];
    const std::string name(member.kind());
    if (!member.authenticates()) sink.error("no-authenticator-here", spans[i], "`" + name + "` does not say who calls: it can't be a member", "write it beside, as a policy of the route");
    if (member.kind() == "anonymous" && all) sink.error("no-effect", spans[i], "`anonymous` lets everyone pass: in `all-of` it has no effect");
    if (member.kind() == "anonymous" && !all && i + 1 < policy.members.size()) sink.error("unreachable-member", spans[i + 1], "`anonymous` before it lets everyone pass", "write `anonymous` last");
    for (std::size_t j = 0; j < i; ++j)
      if (policy.members[j]->kind() == member.kind() && policy.members[j]->id == member.id)
        sink.error("duplicate-id", spans[i], "there is a `" + name + "` here already", "give one of them an `id` beside its kind");
  }
}

}  // namespace

std::unique_ptr<Policy> parse_composite(const config::Node& node, Context& context, bool all) {
  const std::string kind = all ? "all-of" : "any-of";
  const std::string id = context.default_id;
  if (node.kind != config::Kind::List || node.items.size() < 2 || node.items.size() > kMaxMembers) {
    context.sink.error("wrong-type", node.span, "`" + kind + "` must be a list of two to eight authenticators", kind + ": [ { jwt: { issuer: main } }, { api-key: {} } ]");
    return nullptr;
  }
  auto policy = std::make_unique<Composite>(all);
  std::vector<diag::Span> spans;
  for (const config::Node& item : node.items) {
    auto member = parse_policy(item, id, context);
    if (!member) continue;
    if (member->mode == Policy::Mode::Observe) context.sink.error("no-effect", member->span, "a member has no mode of its own", "write `mode` beside `" + kind + "`");
    if (member->condition) context.sink.error("no-effect", member->span, "a member has no `if` of its own", "write `if` beside `" + kind + "`");
    spans.push_back(member->span);
    policy->members.push_back(std::move(member));
  }
  context.default_id = id;
  check_members(*policy, spans, all, context.sink);
  return policy->members.size() == node.items.size() ? std::move(policy) : nullptr;
}

}  // namespace gatelab::policy
