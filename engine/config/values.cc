// SPDX-License-Identifier: Apache-2.0
// Scalars as typed values, each with its one error.
#include <algorithm>
#include <cmath>
#include <charconv>

#include "base/text.h"
#include "config/reader.h"

namespace gatelab::config {
namespace {

constexpr std::size_t kQuoted = 60;  // octets of an offending value that are shown

std::string shown(const Node& n) {
  if (n.secret) return "<redacted>";
  if (n.text.size() <= kQuoted) return n.text;
  std::size_t end = kQuoted;
  while (end > 0 && (static_cast<unsigned char>(n.text[end]) & 0xC0U) == 0x80U) --end;
  return n.text.substr(0, end) + "…";
}

void wrong_type(const Node& n, diag::Sink& sink, std::string_view what, std::string_view expected, std::string hint = {}) {
  sink.error("wrong-type", n.span, std::string(what) + " must be " + std::string(expected) + ", not " + std::string(kind_name(n.kind)), std::move(hint));
}

// The texts of units are kept by the parsers in base; a secret must not be quoted by them.
template <class T>
std::optional<T> measured(const Node& n, diag::Sink& sink, std::string_view what, std::string_view expected, Result<T> (*parse)(std::string_view)) {
  if (n.kind == Kind::List || n.kind == Kind::Map || n.kind == Kind::Null || n.kind == Kind::Bool) {
    wrong_type(n, sink, what, expected);
    return std::nullopt;
  }
  auto value = parse(n.text);
  if (value) return *value;
  const std::string message = n.secret ? std::string(what) + ": `<redacted>` is not " + std::string(expected) : std::string(what) + ": " + value.error().message;
  sink.error(value.error().id, n.span, message);
  return std::nullopt;
}

Result<Duration> positive_duration(std::string_view text) { return parse_duration(text); }

bool parse_integer(std::string_view text, std::int64_t& out) noexcept {
  const bool negative = text.starts_with("-");
  if (negative || text.starts_with("+")) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x")) base = 16;
  if (text.starts_with("0o")) base = 8;
  if (base != 10) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > INT64_MAX) return false;
  out = negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
  return true;
}

}  // namespace

std::optional<std::string> as_text(const Node& n, diag::Sink& sink, std::string_view what) {
  if (n.kind == Kind::Text) return n.text;
  const bool scalar = n.kind == Kind::Integer || n.kind == Kind::Float || n.kind == Kind::Bool;
  if (scalar && n.secret) return n.text;  // a variable that happens to hold digits
  wrong_type(n, sink, what, "text", scalar ? "put it in quotes: \"" + shown(n) + "\"" : "");
  return std::nullopt;
}

std::optional<bool> as_bool(const Node& n, diag::Sink& sink, std::string_view what) {
  if (n.kind == Kind::Bool) return n.boolean;
  const bool yaml11 = n.kind == Kind::Text && !n.quoted && (iequals(n.text, "yes") || iequals(n.text, "no") || iequals(n.text, "on") || iequals(n.text, "off"));
  wrong_type(n, sink, what, "true or false", yaml11 ? "`" + n.text + "` is text in YAML 1.2: write true or false" : "");
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const Node& n, diag::Sink& sink, std::string_view what, std::int64_t min, std::int64_t max) {
  if (n.kind != Kind::Integer) {
    wrong_type(n, sink, what, "a whole number");
    return std::nullopt;
  }
  std::int64_t value = 0;
  if (parse_integer(n.text, value) && value >= min && value <= max) return value;
  sink.error("out-of-range", n.span, std::string(what) + " must be from " + std::to_string(min) + " to " + std::to_string(max) + ", not " + shown(n));
  return std::nullopt;
}

std::optional<double> as_number(const Node& n, diag::Sink& sink, std::string_view what) {
  if (n.kind == Kind::Integer) {
    std::int64_t value = 0;
    if (parse_integer(n.text, value)) return static_cast<double>(value);
  }
  if (n.kind == Kind::Float) {
    std::string_view text = n.text;
    if (text.starts_with("+")) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) return value;
    sink.error("bad-number", n.span, std::string(what) + ": `" + shown(n) + "` is not a finite number");
    return std::nullopt;
  }
  wrong_type(n, sink, what, "a number");
  return std::nullopt;
}

std::optional<Duration> as_duration(const Node& n, diag::Sink& sink, std::string_view what) {
  return measured<Duration>(n, sink, what, "a duration such as 5s", positive_duration);
}
std::optional<ByteSize> as_size(const Node& n, diag::Sink& sink, std::string_view what) {
  return measured<ByteSize>(n, sink, what, "a size such as 64KiB", parse_size);
}
std::optional<Rate> as_rate(const Node& n, diag::Sink& sink, std::string_view what) {
  return measured<Rate>(n, sink, what, "a rate such as 100/m", parse_rate);
}
std::optional<std::uint64_t> as_octet_rate(const Node& n, diag::Sink& sink) {
  const std::string_view text = n.text;
  const auto size = text.ends_with("/s") ? parse_size(text.substr(0, text.size() - 2)) : Result<ByteSize>(fail("bad-rate", ""));
  if (size && size->bytes > 0) return size->bytes;
  sink.error("bad-rate", n.span, "`" + n.text + "` is no rate of octets", "write 1KiB/s");
  return std::nullopt;
}

std::optional<Share> as_share(const Node& n, diag::Sink& sink, std::string_view what) {
  return measured<Share>(n, sink, what, "a share such as 20%", parse_share);
}
std::optional<Address> as_address(const Node& n, diag::Sink& sink, std::string_view what) {
  return measured<Address>(n, sink, what, "an address such as 127.0.0.1:8080", parse_address);
}

std::optional<std::size_t> as_choice(const Node& n, diag::Sink& sink, std::string_view what, const std::vector<std::string_view>& choices) {
  std::string all;
  for (const std::string_view choice : choices) all.append(all.empty() ? "" : ", ").append(choice);
  if (n.kind == Kind::List || n.kind == Kind::Map || n.kind == Kind::Null) {
    wrong_type(n, sink, what, "one of " + all);
    return std::nullopt;
  }
  const auto found = std::find(choices.begin(), choices.end(), n.text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  diag::Diagnostic d;
  d.id = "bad-choice";
  d.message = std::string(what) + " can't be `" + shown(n) + "`";
  d.span = n.span;
  const std::string_view near = n.secret ? std::string_view() : diag::nearest(n.text, choices);
  if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
  d.hint = "one of " + all;
  sink.report(std::move(d));
  return std::nullopt;
}

std::optional<std::vector<Located<std::string>>> as_texts(const Node& n, diag::Sink& sink, std::string_view what) {
  std::vector<Located<std::string>> out;
  if (n.kind == Kind::Text) {
    out.push_back({n.text, n.span});
    return out;
  }
  if (n.kind != Kind::List) {
    wrong_type(n, sink, what, "text or a list of texts");
    return std::nullopt;
  }
  for (const Node& item : n.items)
    if (auto text = as_text(item, sink, "an element of " + std::string(what))) out.push_back({std::move(*text), item.span});
  return out;
}

}  // namespace gatelab::config
