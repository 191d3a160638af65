// SPDX-License-Identifier: Apache-2.0
#include "policy/mirror/mirror.h"

#include "base/units.h"
#include "http/forwarded.h"
#include "http/hop.h"
#include "policy/field_name.h"
#include "policy/mirror/copies.h"
#include "policy/when.h"

namespace gatelab::policy {
namespace {

constexpr Share kAll{1'000'000};

class Mirror final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "mirror"; }
  Phase phase() const noexcept override { return Phase::Transform; }

  Step step(Input& in) const noexcept override {
    untell(in);
    if (!when.fits(in)) return Step::skip("`when` does not speak of it");
    if (in.is_explained) return share == kAll ? Step::go_on(told) : Step::skip(told);
    Dice dice(mix64(in.dice ^ seed));
    if (share < kAll && dice.below(kAll.millionths) >= share.millionths) return Step::skip("not in the share");
    Step step = Step::go_on(told);
    if (mode == Mode::Observe) {
      step.outcome = Outcome::Observe;
      return step;
    }
    if (in.request.body.kind == http::Framing::Length && in.request.body.length > max_body) {
      copies->count(Copies::Result::TooLarge);
      return Step::skip("its body is too long");
    }
    Copy copy;
    copy.upstream = upstream;
    copy.max_body = max_body;
    copy.max_in_flight = max_in_flight;
    copy.timeout = timeout;
    copy.host_suffix = host_suffix;
    copy.mark = mark;
    copy.value = id;
    copy.without = &without;
    copy.copies = copies.get();
    copy.next = in.copies;
    in.copies = in.arena.make<Copy>(copy);
    return step;
  }

  // What tells a copy from its original is not the client's to say.
  void untell(Input& in) const noexcept override { in.request.fields.remove(mark); }

  When when;
  Share share = kAll;
  std::int32_t upstream = -1;
  std::uint32_t max_in_flight = 100;
  std::size_t max_body = 0;
  Duration timeout = std::chrono::seconds(5);
  std::string host_suffix, mark;
  std::vector<std::string> without;
  std::uint64_t seed = 0;
  std::string told;  // what it does, for people
  std::shared_ptr<Copies> copies;
};

void check_suffix(const std::string& suffix, config::Reader& r) {
  constexpr std::string_view kFine = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
  if (suffix.find_first_not_of(kFine) == std::string::npos) return;
  r.sink().error("bad-name", r.span_of("host_suffix"), "`" + suffix + "` can't be part of a host's name", "host_suffix: -shadow");
}

void parse_without(std::vector<std::string>& out, const std::string& mark, config::Reader& r) {
  for (auto& field : r.texts("without")) {
    if (!check_field_name(field.value, field.span, r.sink())) continue;
    if (http::is_forwarding_field(field.value)) r.sink().error("no-effect", field.span, "`" + field.value + "` of a client is never copied: the gateway says it anew to each upstream", "the mirrored upstream says what it is told: forwarded: off");
    else if (http::reads_like(field.value, mark)) r.sink().error("no-effect", field.span, "`" + field.value + "` is what tells a copy from its original: no copy is without it");
    else out.push_back(std::move(field.value));
  }
}

}  // namespace

std::unique_ptr<Policy> parse_mirror(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `mirror`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Mirror>();
  r.require("upstream");
  const auto name = r.text("upstream");
  policy->when = When::parse(r.get("when"), "mirror", context.sink);
  if (const config::Node* share = r.get("share")) policy->share = config::as_share(*share, context.sink, "`share` of policy `mirror`").value_or(kAll);
  policy->max_in_flight = static_cast<std::uint32_t>(r.integer("max_in_flight", 100, 1, 100'000));
  policy->max_body = r.size("max_body", ByteSize{64 * 1024}).bytes;
  policy->timeout = r.duration("timeout", policy->timeout);
  policy->host_suffix = r.text("host_suffix", "");
  check_suffix(policy->host_suffix, r);
  policy->mark = r.text("header", "X-Mirrored");
  check_field_name(policy->mark, r.span_of("header"), context.sink);
  parse_without(policy->without, policy->mark, r);
  for (const std::string_view key : {"percentage", "percent", "sample_ratio"}) r.elsewhere(key, "write share: 10%");
  r.elsewhere("url", "where it goes is an upstream: upstreams: { shadow: { url: … } }");
  r.finish();
  if (!r.valid() || !name) return nullptr;
  const auto upstream = context.upstream(*name, r.span_of("upstream"));
  if (!upstream || context.sink.errors() != before) return nullptr;
  policy->upstream = *upstream;
  policy->seed = hash64(context.default_id);
  policy->told = (policy->share == kAll ? "a copy goes to " : "copies of " + format(policy->share) + " go to ") + *name;
  for (const std::string& field : policy->without) policy->told += (&field == &policy->without.front() ? ", without " : ", ") + field;
  policy->copies = context.states.obtain<Copies>(context.default_id, "mirror", [] { return new Copies; });
  return policy;
}

}  // namespace gatelab::policy
