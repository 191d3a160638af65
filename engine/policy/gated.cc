// SPDX-License-Identifier: Apache-2.0
#include "policy/gated.h"

namespace gatelab::policy {
namespace {

// What one request remembers until it has left the gate.
struct Memo {
  Gate::Place place;
  Gate::Seen seen;
  Effect* effect = nullptr;
};

std::string_view told(const Gate::Seen& seen, std::string_view key, Arena& arena) noexcept {
  return arena.concat("key ", key, ", ", std::to_string(seen.inside), " of ", std::to_string(seen.limit), " under way, ", std::to_string(seen.waiting), " waiting");
}

// How long a request took says something about the upstream if the upstream had its time, or took too much of it.
bool tells(const observe::Record& record) noexcept { return record.status == 504 || record.ended.reason == observe::reason::kCompleted.word; }

}  // namespace

Step Gated::step(Input& in) const noexcept {
  Memo* memo = in.scratch.memo<Memo>();
  if (memo == nullptr) {
    memo = in.arena.make<Memo>();
    in.scratch.keep(memo);
    memo->place.key = key_of(in);
    memo->place.priority = priority_of(in);
    memo->seen = gate->enter(memo->place, mode == Mode::Enforce, in.now);  // who only looks on makes nobody wait
    if (memo->seen.at == Gate::At::Outside) return turn_away(in, "no room to wait");
    if (memo->seen.at == Gate::At::Waiting) {
      // Read by the caller until the next step; what it holds needs no destructor.
      memo->effect = new (in.arena.allocate(sizeof(Effect), alignof(Effect))) Effect(Acquire{gate.get(), &memo->place, max_wait, abort_on_half_close});
      Step wait;
      wait.verdict = Verdict::Need;
      wait.effect = memo->effect;
      return wait;
    }
    return go_in(in, memo->seen);
  }
  const bool waited_out = !in.effect_done;
  if (gate->settle(memo->place) == Gate::At::Inside) return go_in(in, memo->seen);
  return turn_away(in, waited_out ? "no place in time" : "shed while it waited");
}

Step Gated::go_in(Input& in, const Gate::Seen& seen) const noexcept { return Step::go_on(in.detailed ? told(seen, key_of(in), in.arena) : std::string_view()); }

Step Gated::turn_away(Input& in, std::string_view why) const noexcept {
  const Memo& memo = *in.scratch.memo<Memo>();
  Step step = deny(in, refusal(), in.detailed ? in.arena.concat(told(memo.seen, memo.place.key, in.arena), ": ", why) : std::string_view());
  step.answer->fields.add(http::FieldId::RetryAfter, "Retry-After", "1");
  return step;
}

void Gated::undo(Input& in) const noexcept {
  if (Memo* memo = in.scratch.memo<Memo>()) gate->leave(memo->place, false, in.now);
}

void Gated::on_end(Input& in, const observe::Record& record) const noexcept {
  if (Memo* memo = in.scratch.memo<Memo>()) gate->leave(memo->place, tells(record), record.began + record.total);
}

void parse_queue(Gated& policy, config::Reader& r, std::uint32_t shortest) {
  policy.rule.queue = static_cast<std::uint32_t>(r.integer("queue", shortest, shortest, 1'000'000));
  policy.max_wait = r.duration("max_wait", std::chrono::seconds(1));
  policy.abort_on_half_close = r.boolean("abort_on_half_close", false);
  for (const std::string_view key : {"max_wait", "abort_on_half_close"})
    if (r.get(key) != nullptr && policy.rule.queue == 0) r.sink().error("no-effect", r.key_span(key), "nobody waits where there is no `queue`", "write, for example, queue: 100");
}

std::shared_ptr<Gate> obtain_gate(const GateRule& rule, config::Reader& r, Context& context, std::string_view kind, const std::string& said, std::string_view what) {
  const std::string pool = r.text("pool", "");
  if (r.get("pool") != nullptr && r.valid() && pool.empty()) context.sink.error("bad-name", r.span_of("pool"), "a pool needs a name");
  const std::string state = pool.empty() ? context.default_id : "pool " + pool;
  if (!pool.empty()) context.states.agree(state, std::string(kind) + " " + said, what, r.span_of("pool"), context.sink);
  const std::uint64_t seed = context.random.fork("gate", 0).next();
  auto gate = context.states.obtain<Gate>(state, std::string(kind) + " " + said.substr(0, said.find(';')), [&] { return new Gate(seed, rule); });
  gate->propose(rule);
  return gate;
}

}  // namespace gatelab::policy
