// SPDX-License-Identifier: Apache-2.0
#include "policy/limit_key.h"

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace gatelab::policy {
namespace {

// A key is remembered: what a stranger may make long is told apart by its digest.
std::string_view bounded(std::string_view key, Arena& arena) noexcept {
  if (key.size() <= LimitKey::kMax) return key;
  const crypto::Sha256 digest = crypto::sha256(key);
  return arena.concat(key.substr(0, LimitKey::kMax / 2), "…", base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}));
}

// Whoever has one IPv6 address has the 2^64 of its network, and would have as many buckets.
std::string_view network_of(IpAddress ip, Arena& arena) noexcept {
  constexpr std::string_view kPrefix = "/64";
  const bool many = ip.family == IpAddress::Family::V6;
  if (many)
    for (std::size_t i = 8; i < 16; ++i) ip.octets[i] = 0;
  char* const text = static_cast<char*>(arena.allocate(46 + kPrefix.size(), 1));
  char* at = text + format_to(ip, text);
  if (many) at = put(at, kPrefix);
  return {text, static_cast<std::size_t>(at - text)};
}

}  // namespace

std::string_view LimitKey::read(Input& in) const noexcept {
  switch (by) {
    case By::Constant: return "all";
    case By::Route: return in.route;
    case By::Header: {
      const http::Field* field = in.request.fields.find(header);
      return field == nullptr ? std::string_view() : bounded(in.arena.copy(field->value), in.arena);
    }
    case By::Consumer:
      if (in.consumer != nullptr) return in.arena.concat("consumer ", in.consumer->name);
      if (!in.principal.empty()) return bounded(in.arena.concat("principal ", in.principal), in.arena);
      break;  // who is nobody is known by address
    case By::Ip: break;
  }
  return network_of(in.client.ip, in.arena);
}

std::string LimitKey::written(std::string_view name) const {
  Arena arena;
  if (by == By::Constant) return "all";
  if (by == By::Consumer) return "consumer " + std::string(name);
  if (by == By::Header) return std::string(bounded(name, arena));
  const auto ip = by == By::Ip ? parse_ip(name) : Result<IpAddress>(IpAddress{});
  return std::string(by == By::Ip && ip ? network_of(*ip, arena) : name);
}

std::string LimitKey::shape() const { return std::to_string(static_cast<int>(by)) + " " + to_lower(header); }

OnFull parse_on_full(config::Reader& r) { return static_cast<OnFull>(r.choice("on_full", 0, {"reject", "admit"})); }

Step when_full(Input& in, OnFull on_full, std::string_view key) noexcept {
  if (on_full == OnFull::Reject) return deny(in, observe::reason::kLimiterFull, in.detailed ? in.arena.concat("key ", key) : std::string_view());
  Step admitted = Step::skip({});
  admitted.reason = observe::reason::kLimiterFull.word;
  return admitted;
}

LimitKey parse_limit_key(const config::Node& node, std::string_view kind, diag::Sink& sink) {
  const std::string what = "`key` of policy `" + std::string(kind) + "`";
  LimitKey out;
  if (node.kind != config::Kind::Map) {
    constexpr LimitKey::By kBy[] = {LimitKey::By::Ip, LimitKey::By::Consumer, LimitKey::By::Route, LimitKey::By::Constant};
    if (const auto choice = config::as_choice(node, sink, what, {"ip", "consumer", "route", "constant"})) out.by = kBy[*choice];
    return out;
  }
  config::Reader r(node, sink, what);
  r.require("header");
  out.by = LimitKey::By::Header;
  out.header = r.text("header", "");
  if (r.valid() && node.find("header") != nullptr && !http::is_token(out.header)) sink.error("bad-header", r.span_of("header"), "`" + out.header + "` is not a header name");
  r.finish();
  return out;
}

bool check_limit_groups(const config::Node& node, const LimitKey& key, std::string_view example, const Context& context) {
  if (node.kind != config::Kind::Map) {
    context.sink.error("wrong-type", node.span, "`groups` must be a map of groups to limits, not " + std::string(config::kind_name(node.kind)), "groups: { gold: " + std::string(example) + " }");
    return false;
  }
  if (key.by != LimitKey::By::Consumer) context.sink.error("no-effect", node.span, "`groups` are consumers': they have no effect on another key", "key: consumer");
  for (const config::Entry& entry : node.entries) {
    const bool known = std::any_of(context.consumers.all.begin(), context.consumers.all.end(), [&entry](const auto& c) { return c->in_group(entry.key); });
    if (!known) context.sink.error("unknown-group", entry.key_span, "no consumer is in a group `" + entry.key + "`", "groups are given to consumers under `consumers`");
  }
  return true;
}

}  // namespace gatelab::policy
