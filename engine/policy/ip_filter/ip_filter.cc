// SPDX-License-Identifier: Apache-2.0
#include "policy/ip_filter/ip_filter.h"

#include <algorithm>
#include <optional>

#include "base/cidr.h"

namespace gatelab::policy {
namespace {

// Ranges none of which lies in another, in order: an address is in one of them at most, and a search finds it.
class Ranges {
 public:
  struct Hit {
    const Cidr* range = nullptr;
    bool unix = false;
    explicit operator bool() const noexcept { return unix || range != nullptr; }
  };

  bool unix = false;  // peers that come over a unix socket

  void add(const Cidr& range) {
    if (std::any_of(sorted_.begin(), sorted_.end(), [&range](const Cidr& r) { return r.covers(range); })) return;
    std::erase_if(sorted_, [&range](const Cidr& r) { return range.covers(r); });
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), range), range);
  }

  // For people; the first few of many.
  std::string text() const {
    constexpr std::size_t kShown = 4;
    std::string out;
    for (std::size_t i = 0; i < sorted_.size() && i < kShown; ++i) out += (out.empty() ? "" : " or ") + format(sorted_[i]);
    if (sorted_.size() > kShown) return out + " or others";
    return unix ? (out.empty() ? "a unix socket" : out + " or a unix socket") : out;
  }

  Hit find(const IpAddress& ip) const noexcept {
    if (ip.family == IpAddress::Family::None) return {nullptr, unix};
    const IpAddress plain = without_mapping(ip);
    const auto after = std::upper_bound(sorted_.begin(), sorted_.end(), plain, [](const IpAddress& a, const Cidr& r) { return a < r.base; });
    if (after == sorted_.begin()) return {};
    const Cidr& range = *std::prev(after);
    return {range.contains(plain) ? &range : nullptr, false};
  }

 private:
  std::vector<Cidr> sorted_;
};

class IpFilter final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "ip-filter"; }
  Phase phase() const noexcept override { return Phase::Access; }

  Step step(Input& in) const noexcept override {
    if (const Ranges::Hit hit = deny_.find(in.client.ip)) return deny(in, observe::reason::kAddressDenied, describe(in, hit, "deny"));
    if (!allow_) return Step::go_on(describe(in, {}, "deny"));
    const Ranges::Hit hit = allow_->find(in.client.ip);
    const std::string_view detail = describe(in, hit, "allow");
    return hit ? Step::go_on(detail) : deny(in, observe::reason::kAddressNotAllowed, in.detailed ? in.arena.concat(detail, "; would pass from ", allow_->text()) : std::string_view());
  }

  std::optional<Ranges> allow_;  // none: everybody whom deny_ does not name
  Ranges deny_;

 private:
  static std::string_view describe(Input& in, const Ranges::Hit& hit, std::string_view list) noexcept {
    if (!in.detailed) return {};
    const std::string client = in.client.ip.family == IpAddress::Family::None ? "a peer on a unix socket" : format(in.client.ip);
    if (!hit) return in.arena.concat(client, " is not in ", list);
    return in.arena.concat(client, " is in ", list, ": ", hit.unix ? "unix" : format(*hit.range));
  }
};

// One entry as it was written, to tell which of them do nothing.
struct Entry {
  std::string text;
  diag::Span span;
  std::optional<Cidr> range;  // none: unix
  bool covers(const Entry& other) const noexcept { return range && other.range ? range->covers(*other.range) : range.has_value() == other.range.has_value(); }
};

std::vector<Entry> parse_list(config::Reader& r, std::string_view key, diag::Sink& sink) {
  std::vector<Entry> out;
  const config::Node* node = r.get(key);
  if (node == nullptr) return out;
  if (node->kind == config::Kind::List && node->items.empty()) {
    sink.error("no-addresses", node->span, "`" + std::string(key) + "` of " + r.what() + " names nobody",
               key == "allow" ? "leave `allow` out to let everybody through whom `deny` does not name" : "leave `deny` out");
    return out;
  }
  for (auto& text : r.texts(key)) {
    Entry entry{text.value, text.span, std::nullopt};
    if (text.value != "unix") {
      const auto range = parse_cidr(text.value);
      if (!range) {
        sink.error(range.error().id, text.span, range.error().message);
        continue;
      }
      entry.range = *range;
    }
    out.push_back(std::move(entry));
  }
  return out;
}

void warn(diag::Sink& sink, const Entry& entry, std::string message, const Entry& other) {
  diag::Diagnostic d;
  d.id = "no-effect";
  d.severity = diag::Severity::Warning;
  d.message = std::move(message);
  d.span = entry.span;
  d.related.push_back({other.span, "it is here"});
  sink.report(std::move(d));
}

// True if one of `others` covers the entry; `same`: the list is the entry's own, and of two that are equal the first counts.
const Entry* coverer(const Entry& entry, const std::vector<Entry>& others, bool same) {
  for (const Entry& other : others) {
    if (same && &other == &entry) continue;
    if (!other.covers(entry)) continue;
    if (same && entry.covers(other) && &entry < &other) continue;
    return &other;
  }
  return nullptr;
}

void lint(const std::vector<Entry>& allow, const std::vector<Entry>& deny, diag::Sink& sink) {
  for (const Entry& entry : allow) {
    if (const Entry* by = coverer(entry, deny, false)) warn(sink, entry, "`" + entry.text + "` is never let through: `deny` has `" + by->text + "`, and deny wins", *by);
    else if (const Entry* twice = coverer(entry, allow, true)) warn(sink, entry, "`" + entry.text + "` changes nothing: `allow` has `" + twice->text + "` already", *twice);
  }
  for (const Entry& entry : deny) {
    if (const Entry* twice = coverer(entry, deny, true)) {
      warn(sink, entry, "`" + entry.text + "` changes nothing: `deny` has `" + twice->text + "` already", *twice);
      continue;
    }
    const bool meets = std::any_of(allow.begin(), allow.end(), [&entry](const Entry& a) { return a.covers(entry) || entry.covers(a); });
    if (!allow.empty() && !meets) sink.warning("no-effect", entry.span, "`" + entry.text + "` changes nothing: `allow` does not let it through anyway");
  }
}

}  // namespace

std::unique_ptr<Policy> parse_ip_filter(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `ip-filter`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<IpFilter>();
  const std::vector<Entry> allow = parse_list(r, "allow", context.sink), deny = parse_list(r, "deny", context.sink);
  if (r.valid() && node.find("allow") == nullptr && node.find("deny") == nullptr)
    context.sink.error("no-addresses", r.span(), "policy `ip-filter` names nobody", "give it `allow: [10.0.0.0/8]`, or `deny`, or both");
  for (const std::string_view key : {"allowlist", "whitelist", "ips"}) r.elsewhere(key, "write allow: [ … ]");
  for (const std::string_view key : {"denylist", "blacklist"}) r.elsewhere(key, "write deny: [ … ]");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  const auto fill = [](Ranges& ranges, const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) entry.range ? ranges.add(*entry.range) : static_cast<void>(ranges.unix = true);
  };
  if (!allow.empty()) fill(policy->allow_.emplace(), allow);
  fill(policy->deny_, deny);
  lint(allow, deny, context.sink);
  return policy;
}

}  // namespace gatelab::policy
