// SPDX-License-Identifier: Apache-2.0
#include "policy/split/split.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <optional>

#include "balance/balancer.h"
#include "http/uri.h"
#include "policy/field_name.h"

namespace gatelab::policy {
namespace {

using balance::HashOn;

// Requests by variant, over all workers and reloads. As many as the configurations have named.
class Counts final : public State {
 public:
  using Count = std::atomic<std::uint64_t>;
  // Stays where it is. At reload time.
  Count& of(const std::string& variant) {
    std::lock_guard lock(mutex_);
    return counts_[variant];
  }
  void measure(std::vector<Measure>& out) const override {
    std::lock_guard lock(mutex_);
    for (const auto& [variant, count] : counts_)
      out.push_back({"gatelab_split_requests_total", "Requests by the variant that a split has chosen.", static_cast<double>(count.load(std::memory_order_relaxed)), true, "variant", variant});
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Count> counts_;
};

struct Variant {
  std::string name;
  std::int32_t upstream = -1;
  std::uint32_t weight = 1;
  std::uint64_t hash = 0;
  Counts::Count* count = nullptr;
};

// How a tester asks for a variant by its name.
struct Override {
  HashOn by;
  std::vector<std::string> groups;  // whose consumers may; empty: everyone
};

class Split final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "split"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  void sends_to(std::vector<std::int32_t>& upstreams) const override {
    for (const Variant& v : variants) upstreams.push_back(v.upstream);
  }

  Step step(Input& in) const noexcept override {
    const Variant* asked = override ? asked_for(in) : nullptr;
    const Variant& chosen = asked != nullptr ? *asked : choose(in);
    Step step = Step::go_on(in.detailed ? tell(in, chosen, asked != nullptr) : std::string_view());
    if (mode == Mode::Observe) {
      step.outcome = Outcome::Observe;
      return step;
    }
    in.upstream = chosen.upstream;
    in.variant = chosen.name;
    if (!in.is_explained) chosen.count->fetch_add(1, std::memory_order_relaxed);
    if (!request_header.empty()) in.request.fields.set(request_header, chosen.name);
    return step;
  }

  // The variant is not the client's to say.
  void untell(Input& in) const noexcept override {
    if (!request_header.empty() && mode == Mode::Enforce) in.request.fields.remove(request_header);
  }

  bool has_on_response() const noexcept override { return !response_header.empty() && mode == Mode::Enforce; }
  void on_response(ResponseInput& response) const noexcept override { response.fields.set(response_header, response.request.variant); }

  std::vector<Variant> variants;
  std::optional<HashOn> key;  // nullopt: each request by itself
  std::optional<Override> override;
  std::string request_header, response_header;
  std::uint64_t salt = 0;
  std::string shares;  // "stable 95, canary 5", for people
  std::shared_ptr<Counts> counts;

 private:
  const Variant* named(std::string_view name) const noexcept {
    for (const Variant& v : variants)
      if (v.name == name) return &v;
    return nullptr;
  }

  // A name that is none changes nothing: it is the client's word.
  const Variant* asked_for(const Input& in) const noexcept {
    if (!override->groups.empty() && (in.consumer == nullptr || !in.consumer->in_any_of(override->groups))) return nullptr;
    const auto said = value_of(in, override->by);
    return said ? named(*said) : nullptr;
  }

  static std::optional<std::string_view> value_of(const Input& in, const HashOn& on) noexcept {
    std::optional<std::string_view> out;
    if (on.kind == HashOn::Kind::Consumer) {
      if (in.consumer != nullptr) out = in.consumer->name;
      else if (!in.principal.empty()) out = in.principal;
    } else if (on.kind == HashOn::Kind::Header) {
      if (const http::Field* f = in.request.fields.find(on.name)) out = f->value;
    } else if (on.kind == HashOn::Kind::Cookie) {
      if (const http::Field* f = in.request.fields.find(http::FieldId::Cookie)) out = http::cookie_value(f->value, on.name);
    }
    return out;
  }

  std::uint64_t hash_of(const Input& in) const noexcept {
    if (!key) return mix64(in.dice ^ salt);
    const auto value = value_of(in, *key);
    if (value) return hash64(*value, salt);
    // Who does not say what is asked for stays with his address.
    const IpAddress& ip = in.client.ip;
    return hash64({reinterpret_cast<const char*>(ip.octets.data()), ip.octets.size()}, salt);
  }

  // Weighted rendezvous: each variant draws a time by the key's hash, sooner the more it weighs, and the soonest has it. A
  // weight that changes moves keys only to or from its own variant.
  const Variant& choose(const Input& in) const noexcept {
    if (in.is_explained && !key) return *std::max_element(variants.begin(), variants.end(), [](const Variant& a, const Variant& b) { return a.weight < b.weight; });
    const std::uint64_t hash = hash_of(in);
    const Variant* best = &variants.front();
    double soonest = std::numeric_limits<double>::infinity();
    for (const Variant& v : variants) {
      if (v.weight == 0) continue;
      const double unit = (static_cast<double>(mix64(hash ^ v.hash) >> 11) + 0.5) * 0x1.0p-53;
      const double time = -std::log(unit) / v.weight;
      if (time >= soonest) continue;
      soonest = time;
      best = &v;
    }
    return *best;
  }

  std::string_view tell(const Input& in, const Variant& chosen, bool asked) const noexcept {
    if (asked) return in.arena.concat(chosen.name, ", as the ", override->by.kind == HashOn::Kind::Header ? "header " : "cookie ", override->by.name, " asks");
    const std::string_view by = !key ? "each request by itself" : key->kind == HashOn::Kind::Ip ? "by address" : key->kind == HashOn::Kind::Consumer ? "by consumer" : key->kind == HashOn::Kind::Header ? "by header " : "by cookie ";
    const std::string_view name = key ? std::string_view(key->name) : std::string_view();
    const bool likely = in.is_explained && !key;
    return in.arena.concat(likely ? "likely " : "", chosen.name, " of ", shares, ", ", by, name);
  }
};

void parse_variant(Split& policy, const config::Entry& entry, Context& context) {
  constexpr std::int64_t kMostWeight = 1'000'000;
  constexpr std::string_view kFine = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  const std::string what = "variant `" + entry.key + "` of policy `split`";
  Variant variant;
  variant.name = entry.key;
  variant.hash = hash64(entry.key);
  if (entry.key.empty() || entry.key.find_first_not_of(kFine) != std::string::npos)
    context.sink.error("bad-name", entry.key_span, "`" + entry.key + "` can't be the name of a variant", "names are made of letters, digits, dash, dot and underscore");
  std::string upstream = entry.key;
  diag::Span place = entry.key_span;
  if (entry.value->kind == config::Kind::Map) {
    config::Reader r(*entry.value, context.sink, what);
    if (auto name = r.text("upstream")) {
      upstream = std::move(*name);
      place = r.span_of("upstream");
    }
    r.require("weight");
    variant.weight = static_cast<std::uint32_t>(r.integer("weight", 1, 0, kMostWeight));
    r.elsewhere("share", "write weight: 5; shares are weights over their sum");
    r.finish();
  } else if (const auto weight = config::as_integer(*entry.value, context.sink, what, 0, kMostWeight)) {
    variant.weight = static_cast<std::uint32_t>(*weight);
  }
  if (const auto index = context.upstream(upstream, place)) variant.upstream = *index;
  policy.shares += (policy.shares.empty() ? "" : ", ") + variant.name + " " + std::to_string(variant.weight);
  policy.variants.push_back(std::move(variant));
}

void parse_variants(Split& policy, const config::Node* node, Context& context) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return context.sink.error("wrong-type", node->span, "`variants` must be a map of names to weights, not " + std::string(config::kind_name(node->kind)), "variants: { orders: 95, orders-next: 5 }");
  for (const config::Entry& entry : node->entries) parse_variant(policy, entry, context);
  const bool any = std::any_of(policy.variants.begin(), policy.variants.end(), [](const Variant& v) { return v.weight > 0; });
  if (policy.variants.size() < 2) context.sink.error("no-effect", node->span, "there is nothing to split: `variants` needs two at least", "a route with one upstream says upstream: …");
  else if (!any) context.sink.error("out-of-range", node->span, "no variant gets anything: all weights are 0");
}

void parse_key(Split& policy, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  const std::string what = "`key` of policy `split`";
  if (node->kind == config::Kind::Map) {
    policy.key = balance::parse_hash(*node, sink, what);
    return;
  }
  const auto word = config::as_choice(*node, sink, what, {"request", "ip", "consumer"});
  if (!word || *word == 0) return;
  policy.key.emplace();
  policy.key->kind = *word == 1 ? HashOn::Kind::Ip : HashOn::Kind::Consumer;
}

void parse_override(Split& policy, const config::Node* node, Context& context) {
  if (node == nullptr) return;
  config::Reader r(*node, context.sink, "`override` of policy `split`");
  const auto header = r.text("header"), cookie = r.text("cookie");
  Override out;
  for (auto& group : r.texts("groups")) {
    const bool known = std::any_of(context.consumers.all.begin(), context.consumers.all.end(), [&group](const auto& c) { return c->in_group(group.value); });
    if (!known) context.sink.error("unknown-group", group.span, "no consumer is in a group `" + group.value + "`", "groups are given to consumers under `consumers`");
    out.groups.push_back(std::move(group.value));
  }
  r.finish();
  if (!r.valid()) return;
  if (header.has_value() == cookie.has_value()) return context.sink.error("bad-choice", r.span(), "`override` of policy `split` is a header or a cookie", "override: { header: X-Variant }");
  out.by.kind = header ? HashOn::Kind::Header : HashOn::Kind::Cookie;
  out.by.name = header ? *header : *cookie;
  if (!http::is_token(out.by.name)) context.sink.error("bad-name", r.span_of(header ? "header" : "cookie"), "`" + out.by.name + "` is no name of a " + (header ? "header" : "cookie"));
  policy.override = std::move(out);
}

void parse_tell(Split& policy, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  config::Reader r(*node, sink, "`tell` of policy `split`");
  for (auto& [key, out] : {std::pair<std::string_view, std::string*>{"request", &policy.request_header}, {"response", &policy.response_header}}) {
    auto name = r.text(key);
    if (name && check_field_name(*name, r.span_of(key), sink)) *out = std::move(*name);
  }
  r.finish();
}

}  // namespace

std::unique_ptr<Policy> parse_split(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `split`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Split>();
  parse_variants(*policy, r.require("variants"), context);
  parse_key(*policy, r.require("key"), context.sink);
  parse_override(*policy, r.get("override"), context);
  parse_tell(*policy, r.get("tell"), context.sink);
  policy->salt = hash64(r.text("salt", context.default_id));
  r.elsewhere("weights", "write variants: { orders: 95, orders-next: 5 }");
  r.elsewhere("sticky", "write key: consumer, or key: { cookie: session }");
  r.finish();
  if (context.route.empty()) context.sink.error("wrong-place", r.span(), "`split` says where a route's requests go, and stands on that route", "write it under `policies` of a route");
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  policy->counts = context.states.obtain<Counts>(context.default_id, "split", [] { return new Counts; });
  for (Variant& v : policy->variants) v.count = &policy->counts->of(v.name);
  return policy;
}

}  // namespace gatelab::policy
