// SPDX-License-Identifier: Apache-2.0
#include "config/reader.h"

#include <algorithm>

namespace gatelab::config {
namespace {

const Node& empty_map() {
  static const Node node = [] {
    Node n;
    n.kind = Kind::Map;
    return n;
  }();
  return node;
}

}  // namespace

Reader::Reader(const Node& node, diag::Sink& sink, std::string what)
    : node_(node.kind == Kind::Map ? node : empty_map()), sink_(sink), what_(std::move(what)), valid_(node.kind == Kind::Map), span_(node.span) {
  if (!valid_) sink_.error("wrong-type", node.span, what_ + " must be a map, not " + std::string(kind_name(node.kind)));
}

std::string Reader::named(std::string_view key) const { return "`" + std::string(key) + "` of " + what_; }

const Node* Reader::get(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  return node_.find(key);
}

const Node* Reader::require(std::string_view key) {
  const Node* node = get(key);
  if (node == nullptr && valid_) sink_.error("missing-key", span_, what_ + " needs `" + std::string(key) + "`");
  return node;
}

diag::Span Reader::span_of(std::string_view key) const {
  const Node* node = node_.find(key);
  return node == nullptr ? span_ : node->span;
}

diag::Span Reader::key_span(std::string_view key) const {
  const Entry* entry = node_.entry(key);
  return entry == nullptr ? span_ : entry->key_span;
}

std::string Reader::text(std::string_view key, std::string fallback) {
  auto value = text(key);
  return value ? std::move(*value) : std::move(fallback);
}

std::optional<std::string> Reader::text(std::string_view key) {
  const Node* node = get(key);
  return node == nullptr ? std::nullopt : as_text(*node, sink_, named(key));
}

bool Reader::boolean(std::string_view key, bool fallback) {
  const Node* node = get(key);
  return node == nullptr ? fallback : as_bool(*node, sink_, named(key)).value_or(fallback);
}

std::int64_t Reader::integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max) {
  const Node* node = get(key);
  return node == nullptr ? fallback : as_integer(*node, sink_, named(key), min, max).value_or(fallback);
}

Duration Reader::duration(std::string_view key, Duration fallback) { return duration(key).value_or(fallback); }

std::optional<Duration> Reader::duration(std::string_view key) {
  const Node* node = get(key);
  if (node == nullptr) return std::nullopt;
  const auto value = as_duration(*node, sink_, named(key));
  if (!value || value->count() > 0) return value;
  sink_.error("bad-duration", node->span, named(key) + " is zero: it must be longer");
  return std::nullopt;
}

void Reader::range(std::string_view key, Duration& least, Duration& most) {
  const auto said = text(key);
  if (!said) return;
  const std::size_t dots = said->find("..");
  const auto first = parse_duration(said->substr(0, dots));
  const auto last = dots == std::string::npos ? first : parse_duration(said->substr(dots + 2));
  if (!first || !last || *first > *last) return sink_.error("bad-range", span_of(key), "`" + *said + "` is no range of durations", std::string(key) + ": " + (first && last ? format(*last) + ".." + format(*first) : format(least) + ".." + format(most)));
  least = *first;
  most = *last;
}

ByteSize Reader::size(std::string_view key, ByteSize fallback) {
  const Node* node = get(key);
  return node == nullptr ? fallback : as_size(*node, sink_, named(key)).value_or(fallback);
}

std::optional<Rate> Reader::rate(std::string_view key) {
  const Node* node = get(key);
  return node == nullptr ? std::nullopt : as_rate(*node, sink_, named(key));
}

std::size_t Reader::choice(std::string_view key, std::size_t fallback, const std::vector<std::string_view>& choices) {
  const Node* node = get(key);
  return node == nullptr ? fallback : as_choice(*node, sink_, named(key), choices).value_or(fallback);
}

std::vector<Located<std::string>> Reader::texts(std::string_view key) {
  const Node* node = get(key);
  if (node == nullptr) return {};
  return as_texts(*node, sink_, named(key)).value_or(std::vector<Located<std::string>>{});
}

std::optional<Secret> Reader::secret(std::string_view key) {
  const Node* node = get(key);
  if (node == nullptr) return std::nullopt;
  node->secret = true;
  auto value = as_text(*node, sink_, named(key));
  if (!value) return std::nullopt;
  return Secret(std::move(*value));
}

void Reader::not_supported(std::string_view key, std::string_view since_what) {
  const Entry* entry = node_.entry(key);
  known_.push_back(key);
  if (entry == nullptr) return;
  sink_.error("not-supported", entry->key_span, named(key) + " is not supported yet", std::string(since_what));
}

void Reader::elsewhere(std::string_view key, std::string_view hint) { elsewhere_.emplace_back(key, hint); }

void Reader::finish() {
  for (const Entry& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    diag::Diagnostic d;
    d.id = "unknown-key";
    d.message = "unknown key `" + entry.key + "` in " + what_;
    d.span = entry.key_span;
    const std::string_view near = diag::nearest(entry.key, known_);
    if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
    for (const auto& [key, hint] : elsewhere_)
      if (key == entry.key) d.hint = hint;
    if (d.hint.empty() && near.empty() && !known_.empty()) {
      d.hint = "known keys:";
      for (std::size_t i = 0; i < known_.size(); ++i) d.hint.append(i == 0 ? " " : ", ").append(known_[i]);
    }
    sink_.report(std::move(d));
  }
}

}  // namespace gatelab::config
