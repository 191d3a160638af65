// SPDX-License-Identifier: Apache-2.0
#include "policy/jwt/claim_rule.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace gatelab::policy {

ClaimRule::ClaimRule() = default;
ClaimRule::~ClaimRule() = default;
ClaimRule::ClaimRule(ClaimRule&&) noexcept = default;
ClaimRule& ClaimRule::operator=(ClaimRule&&) noexcept = default;

// Types are JSON's: the number 7 is not the text "7".
bool ClaimRule::Scalar::is(const crypto::JsonValue& value) const noexcept {
  if (!value.is(kind)) return false;
  return kind == crypto::JsonKind::Number ? value.as_number() == number : value.scalar() == text;
}

bool ClaimRule::holds(const crypto::Claims& claims) const noexcept {
  const std::optional<crypto::JsonValue> value = claims.find(path_);
  if (present_ && *present_ != value.has_value()) return false;
  if (!value) return present_.has_value();
  if (!one_of_.empty() && std::none_of(one_of_.begin(), one_of_.end(), [&value](const Scalar& s) { return s.is(*value); })) return false;
  for (const Scalar& wanted : includes_) {
    bool found = false;
    for (auto item = value->first(); item && !found; item = item->next()) found = wanted.is(*item);
    if (!found || !value->is(crypto::JsonKind::List)) return false;
  }
  if (ge_ || le_) {
    const auto number = value->as_number();
    if (!number || (ge_ && *number < *ge_) || (le_ && *number > *le_)) return false;
  }
  if (!matches_) return true;
  const auto text = value->as_text();
  return text && re2::RE2::FullMatch(re2::StringPiece(text->data(), text->size()), *matches_);
}

std::optional<ClaimRule::Scalar> ClaimRule::scalar(const config::Node& node, diag::Sink& sink, const std::string& what) {
  Scalar out;
  out.text = node.text;
  switch (node.kind) {
    case config::Kind::Text: return out;
    case config::Kind::Bool:
      out.kind = crypto::JsonKind::Bool;
      out.text = node.boolean ? "true" : "false";
      return out;
    case config::Kind::Integer:
    case config::Kind::Float:
      out.kind = crypto::JsonKind::Number;
      std::from_chars(node.text.data(), node.text.data() + node.text.size(), out.number);
      return out;
    default:
      sink.error("wrong-type", node.span, what + " is compared with a text, a number, true or false, not with " + std::string(config::kind_name(node.kind)));
      return std::nullopt;
  }
}

bool ClaimRule::predicate(config::Reader& r, const std::string& what, diag::Sink& sink) {
  bool any = false;
  const auto each = [&](std::string_view key, std::vector<Scalar>& into) {
    const config::Node* node = r.get(key);
    if (node == nullptr) return;
    any = true;
    const auto add = [&](const config::Node& one) {
      if (auto s = scalar(one, sink, what)) into.push_back(std::move(*s));
    };
    if (node->kind != config::Kind::List) return add(*node);
    for (const config::Node& item : node->items) add(item);
  };
  each("equals", one_of_);
  each("one_of", one_of_);
  each("includes", includes_);
  if (r.get("present") != nullptr) any = true, present_ = r.boolean("present", true);
  for (auto [key, to] : {std::pair{"ge", &ge_}, std::pair{"le", &le_}})
    if (const config::Node* node = r.get(key)) any = true, *to = config::as_number(*node, sink, what);
  if (const auto pattern = r.text("matches")) {
    any = true;
    re2::RE2::Options options;
    options.set_log_errors(false);
    matches_ = std::make_unique<re2::RE2>(*pattern, options);
    if (!matches_->ok()) sink.error("bad-regex", r.span_of("matches"), "`" + *pattern + "` is not a regular expression: " + matches_->error());
  }
  r.finish();
  if (!any && r.valid()) sink.error("bad-claim", r.span(), what + " has no predicate", "equals, one_of, includes, present, ge, le, matches");
  return any && r.valid() && (!matches_ || matches_->ok());
}

std::optional<ClaimRule> ClaimRule::parse(const config::Entry& entry, diag::Sink& sink) {
  ClaimRule rule;
  rule.path_ = entry.key;
  const std::string what = "claim `" + entry.key + "`";
  const config::Node& node = *entry.value;
  rule.text_ = entry.key;
  if (node.kind == config::Kind::Map) {
    config::Reader r(node, sink, what);
    if (!rule.predicate(r, what, sink)) return std::nullopt;
    return rule;
  }
  const auto add = [&](const config::Node& one) {
    if (auto s = scalar(one, sink, what)) rule.one_of_.push_back(std::move(*s));
  };
  if (node.kind == config::Kind::List) {
    for (const config::Node& item : node.items) add(item);
  } else {
    add(node);
  }
  if (rule.one_of_.empty()) return std::nullopt;
  return rule;
}

std::vector<ClaimRule> ClaimRule::parse_all(const config::Node* claims, diag::Sink& sink) {
  std::vector<ClaimRule> out;
  if (claims == nullptr) return out;
  if (claims->kind != config::Kind::Map) sink.error("wrong-type", claims->span, "`claims` must be a map of claims to what they must be, not " + std::string(config::kind_name(claims->kind)));
  for (const config::Entry& entry : claims->entries)
    if (auto rule = parse(entry, sink)) out.push_back(std::move(*rule));
  return out;
}

}  // namespace gatelab::policy
