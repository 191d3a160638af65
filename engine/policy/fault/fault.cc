// SPDX-License-Identifier: Apache-2.0
#include "policy/fault/fault.h"

#include <atomic>
#include <optional>

#include "base/spread.h"
#include "base/units.h"
#include "policy/when.h"

namespace gatelab::policy {
namespace {

constexpr Share kAll{1'000'000};

constexpr std::string_view kTold = "X-Fault-Injected", kDelay = "delay", kAbort = "abort";

struct Delay {
  Spread length;
  Share share = kAll;
};

struct Breaking {
  std::uint16_t status = 503;
  bool reset = false;
  Share share = kAll;
};

// How many suffer now, over all workers and reloads.
class Suffering final : public State {
 public:
  bool enter(std::uint32_t most) noexcept {
    const bool room = active_.fetch_add(1, std::memory_order_relaxed) < most;
    if (room) return true;
    leave();
    add(spared_);
    return false;
  }
  void leave() noexcept { active_.fetch_sub(1, std::memory_order_relaxed); }
  void delayed() noexcept { add(delays_); }
  void broke(bool reset) noexcept { add(reset ? resets_ : aborts_); }

  void measure(std::vector<Measure>& out) const override {
    out.push_back({"gatelab_fault_policy_active", "Requests that a fault policy makes suffer now.", value(active_)});
    constexpr std::string_view kName = "gatelab_fault_policy_injected_total", kHelp = "What a fault policy has done to requests.";
    out.push_back({kName, kHelp, value(delays_), true, "kind", "delay"});
    out.push_back({kName, kHelp, value(aborts_), true, "kind", "abort"});
    out.push_back({kName, kHelp, value(resets_), true, "kind", "reset"});
    out.push_back({"gatelab_fault_policy_spared_total", "Requests that a fault policy let go as too many suffered.", value(spared_), true});
  }

 private:
  using Count = std::atomic<std::uint64_t>;
  static void add(Count& count) noexcept { count.fetch_add(1, std::memory_order_relaxed); }
  template <class T>
  static double value(const std::atomic<T>& count) noexcept { return static_cast<double>(count.load(std::memory_order_relaxed)); }
  std::atomic<std::uint32_t> active_{0};
  Count delays_{0}, aborts_{0}, resets_{0}, spared_{0};
};

// What one request remembers, in the bits of its first word.
enum Suffers : std::uint64_t { kDelays = 1, kBreaks = 2, kHolds = 4, kDecided = 8 };

class Fault final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "fault"; }
  Phase phase() const noexcept override { return Phase::Transform; }

  Step step(Input& in) const noexcept override {
    if ((in.scratch.a & kDecided) != 0) return go_on(in, Duration{static_cast<std::int64_t>(in.scratch.b)});
    if (!when.fits(in)) return Step::skip("`when` does not speak of it");
    if (in.is_explained) return foretell(in);
    // As many draws for every request: what one of them says moves no other.
    Dice dice(mix64(in.dice ^ seed));
    const std::uint64_t first = dice.below(kAll.millionths), second = dice.below(kAll.millionths);
    const Duration length = delay ? delay->length.draw(dice) : Duration{};
    std::uint64_t suffers = 0;
    if (delay && first < delay->share.millionths) suffers |= kDelays;
    if (breaking && second < breaking->share.millionths) suffers |= kBreaks;
    if (suffers == 0) return Step::skip("spared by the dice");
    if (mode == Mode::Observe) return look_on(in, suffers, length);
    if (!state->enter(max_active)) return Step::skip("as many suffer as may");
    in.scratch.a = suffers | kHolds | kDecided;
    in.scratch.b = static_cast<std::uint64_t>(length.count());
    return (suffers & kDelays) != 0 ? wait(in, length) : go_on(in, length);
  }

  bool has_on_response() const noexcept override { return tell_client; }
  void on_response(ResponseInput& response) const noexcept override {
    const std::uint64_t suffers = response.request.scratch.a;
    if ((suffers & kDecided) == 0) return;
    // Another fault policy, or a gateway behind this one, may have said so already.
    const http::Field* said = response.fields.find(kTold);
    const bool delayed = (suffers & kDelays) != 0 || (said != nullptr && said->value.starts_with(kDelay));
    const bool broken_off = (suffers & kBreaks) != 0 || (said != nullptr && said->value.ends_with(kAbort));
    response.fields.set(kTold, !broken_off ? kDelay : !delayed ? kAbort : "delay, abort");
  }
  void on_end(Input& in, const observe::Record&) const noexcept override { leave(in); }

  When when;
  std::optional<Delay> delay;
  std::optional<Breaking> breaking;
  std::uint32_t max_active = 0;
  bool tell_client = true, abort_on_half_close = false;
  std::uint64_t seed = 0;
  std::string told;  // what it does, for people
  std::shared_ptr<Suffering> state;

 private:
  Step wait(Input& in, Duration length) const noexcept {
    state->delayed();
    suffers(in, "delay " + format(length));
    Step step;
    step.verdict = Verdict::Need;
    step.effect = new (in.arena.allocate(sizeof(Effect), alignof(Effect))) Effect(Until{in.now + length, abort_on_half_close});
    return step;
  }

  // Behind the delay, if there was one.
  Step go_on(Input& in, Duration length) const noexcept {
    const std::uint64_t suffers = in.scratch.a;
    leave(in);
    if ((suffers & kBreaks) != 0) return break_off(in);
    Step step = Step::go_on(in.detailed ? in.arena.concat("delayed by ", format(length)) : std::string_view());
    step.reason = observe::reason::kInjectedDelay.word;
    return step;
  }

  Step break_off(Input& in) const noexcept {
    state->broke(breaking->reset);
    const std::string what = breaking->reset ? "reset" : "abort " + std::to_string(breaking->status);
    suffers(in, what);
    return broken(in);
  }

  // Beside what other policies have done to it.
  static void suffers(Input& in, const std::string& what) noexcept { in.injected = in.injected.empty() ? in.arena.copy(what) : in.arena.concat(in.injected, ", ", what); }

  Step broken(Input& in) const noexcept {
    Step step = deny(in, breaking->reset ? observe::reason::kInjectedReset : observe::reason::kInjectedAbort);
    step.outcome = Outcome::Error;
    if (breaking->reset) step.verdict = Verdict::Abort;
    step.answer->status = breaking->status;
    if (tell_client) step.answer->detail = "a fault that the gateway's configuration asks for";
    else step.answer->content_type = "text/plain; charset=utf-8";  // no problem document: that would tell
    return step;
  }

  // Nobody waits and nothing is rolled: what is certain, and how likely the rest is.
  Step foretell(Input& in) const noexcept {
    if (breaking && breaking->share == kAll) return broken(in);
    Step step = delay && delay->share == kAll ? Step::go_on(told) : Step::skip(told);
    if (step.outcome == Outcome::Allow) step.reason = observe::reason::kInjectedDelay.word;
    return step;
  }

  Step look_on(Input& in, std::uint64_t suffers, Duration length) const noexcept {
    const std::string_view delayed = (suffers & kDelays) != 0 ? in.arena.concat("would be delayed by ", format(length)) : std::string_view();
    Step step = Step::go_on(in.detailed ? delayed : std::string_view());
    if ((suffers & kBreaks) != 0) {
      step = broken(in);
      step.detail = in.detailed ? delayed : std::string_view();
    }
    step.outcome = Outcome::Observe;
    if (step.reason.empty()) step.reason = observe::reason::kInjectedDelay.word;
    return step;
  }

  void leave(Input& in) const noexcept {
    if ((in.scratch.a & kHolds) == 0) return;
    in.scratch.a &= ~static_cast<std::uint64_t>(kHolds);
    state->leave();
  }
};

void parse_share(Share& share, config::Reader& r) {
  if (const config::Node* node = r.get("share"))
    if (const auto said = config::as_share(*node, r.sink(), "`share` of " + r.what())) share = *said;
}

std::optional<Delay> parse_delay(const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return std::nullopt;
  Delay delay;
  if (node->kind != config::Kind::Map) {
    if (const auto fixed = config::as_duration(*node, sink, "`delay` of policy `fault`")) delay.length.p50 = *fixed;
    return delay;
  }
  config::Reader r(*node, sink, "`delay` of policy `fault`");
  const bool fixed = r.get("fixed") != nullptr, median = r.get("p50") != nullptr, last = r.get("p99") != nullptr;
  delay.length.p50 = r.duration(fixed ? "fixed" : "p50", Duration{});
  if (!fixed) {
    r.require("p50");
    r.require("p99");
    delay.length.p99 = r.duration("p99", Duration{});
    if (r.valid() && delay.length.p99 != Duration{} && delay.length.p99 < delay.length.p50) sink.error("out-of-range", r.span_of("p99"), "`p99` is less than `p50`", "delay: { p50: 20ms, p99: 400ms }");
  } else if (median || last) {
    sink.error("two-delays", r.key_span("fixed"), "a delay is always the same or has a spread: `fixed` does not go with `p50` and `p99`");
  }
  parse_share(delay.share, r);
  r.elsewhere("percentage", "write share: 10%");
  r.elsewhere("duration", "write fixed: 200ms");
  r.finish();
  return delay;
}

std::optional<Breaking> parse_breaking(const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return std::nullopt;
  constexpr std::int64_t kLeast = 200, kMost = 599;
  Breaking breaking;
  if (node->kind != config::Kind::Map) {
    if (const auto status = config::as_integer(*node, sink, "`abort` of policy `fault`", kLeast, kMost)) breaking.status = static_cast<std::uint16_t>(*status);
    return breaking;
  }
  config::Reader r(*node, sink, "`abort` of policy `fault`");
  breaking.status = static_cast<std::uint16_t>(r.integer("status", 503, kLeast, kMost));
  breaking.reset = r.boolean("reset", false);
  // `reset: false` says what does not happen.
  if (r.valid() && !breaking.reset && r.get("status") == nullptr) sink.error("missing-key", r.get("reset") != nullptr ? r.span_of("reset") : r.span(), "`abort` of policy `fault` does not say what the client gets", "status: 503, or reset: true");
  if (breaking.reset && r.get("status") != nullptr) sink.error("no-effect", r.key_span("status"), "a connection that is reset carries no status", "keep `status` or `reset`");
  parse_share(breaking.share, r);
  r.elsewhere("percentage", "write share: 10%");
  r.elsewhere("http_status", "write status: 503");
  r.finish();
  return breaking;
}

std::string words_of(Share share) { return share == kAll ? "" : format(share) + " are "; }

std::string words_of(const Fault& fault) {
  std::string out;
  if (fault.delay) {
    const Spread& length = fault.delay->length;
    out = words_of(fault.delay->share) + "delayed by " + (length.p99 == Duration{} ? format(length.p50) : "p50 " + format(length.p50) + ", p99 " + format(length.p99));
  }
  if (!fault.breaking) return out;
  if (!out.empty()) out += "; ";
  return out + words_of(fault.breaking->share) + (fault.breaking->reset ? "reset" : "answered " + std::to_string(fault.breaking->status));
}

}  // namespace

std::unique_ptr<Policy> parse_fault(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `fault`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Fault>();
  policy->when = When::parse(r.get("when"), "fault", context.sink);
  policy->delay = parse_delay(r.get("delay"), context.sink);
  policy->breaking = parse_breaking(r.get("abort"), context.sink);
  policy->max_active = static_cast<std::uint32_t>(r.integer("max_active", 1'000'000, 1, 1'000'000));
  policy->tell_client = r.boolean("tell_client", true);
  policy->abort_on_half_close = r.boolean("abort_on_half_close", false);
  r.elsewhere("share", "delay and abort have one each: delay: { fixed: 200ms, share: 10% }");
  r.elsewhere("status", "write abort: 503");
  r.elsewhere("reset", "write abort: { reset: true }");
  r.elsewhere("max_active_faults", "write max_active: 100");
  r.finish();
  if (!r.valid()) return nullptr;
  if (!policy->delay && !policy->breaking) context.sink.error("missing-key", r.span(), "this policy does no harm: `delay` and `abort` are missing", "delay: 200ms, or abort: { status: 503, share: 10% }");
  if (!policy->delay && policy->abort_on_half_close) context.sink.error("no-effect", r.key_span("abort_on_half_close"), "nobody waits where there is no `delay`", "write, for example, delay: 200ms");
  if (context.sink.errors() != before) return nullptr;
  policy->seed = hash64(context.default_id);
  policy->told = words_of(*policy);
  policy->state = context.states.obtain<Suffering>(context.default_id, "fault", [] { return new Suffering; });
  return policy;
}

}  // namespace gatelab::policy
