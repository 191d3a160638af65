// SPDX-License-Identifier: Apache-2.0
// Typed access to the located tree. A Reader walks one map, remembers which keys it was asked for, and reports every
// other key as unknown (with "did you mean") when finish() is called. Every getter reports its own error and returns a
// usable default, so that all errors of a file are shown at once. One thread; must not outlive the tree or the sink.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/secret.h"
#include "base/units.h"
#include "config/node.h"

namespace gatelab::config {

// Value plus where it was written (the default's span is the enclosing map's).
template <class T>
struct Located {
  T value{};
  diag::Span span;
};

// Reading one scalar. On a wrong kind or form: one diagnostic (ids: wrong-type, bad-duration, bad-size, bad-rate,
// bad-share, bad-number, out-of-range, bad-choice, bad-address) and nullopt.
std::optional<std::string> as_text(const Node& n, diag::Sink& sink, std::string_view what);  // numbers and booleans are refused unless quoted
std::optional<bool> as_bool(const Node& n, diag::Sink& sink, std::string_view what);
std::optional<std::int64_t> as_integer(const Node& n, diag::Sink& sink, std::string_view what, std::int64_t min, std::int64_t max);
std::optional<double> as_number(const Node& n, diag::Sink& sink, std::string_view what);
std::optional<Duration> as_duration(const Node& n, diag::Sink& sink, std::string_view what);  // negative refused
std::optional<ByteSize> as_size(const Node& n, diag::Sink& sink, std::string_view what);
std::optional<Rate> as_rate(const Node& n, diag::Sink& sink, std::string_view what);
// Octets a second, never none: 1KiB/s. id: bad-rate.
std::optional<std::uint64_t> as_octet_rate(const Node& n, diag::Sink& sink);
std::optional<Share> as_share(const Node& n, diag::Sink& sink, std::string_view what);
std::optional<Address> as_address(const Node& n, diag::Sink& sink, std::string_view what);
// Index into `choices` (literal words, kebab-case).
std::optional<std::size_t> as_choice(const Node& n, diag::Sink& sink, std::string_view what, const std::vector<std::string_view>& choices);
// A list of texts, or one text alone as a list of one.
std::optional<std::vector<Located<std::string>>> as_texts(const Node& n, diag::Sink& sink, std::string_view what);

class Reader {
 public:
  // `what` names the map in messages: "upstream `orders`". If `node` is not a map: one wrong-type diagnostic, and the
  // Reader then behaves as over an empty map whose required keys are not reported again.
  Reader(const Node& node, diag::Sink& sink, std::string what);

  bool valid() const noexcept { return valid_; }
  const diag::Span& span() const noexcept { return span_; }
  diag::Sink& sink() const noexcept { return sink_; }
  const std::string& what() const noexcept { return what_; }

  // The value node or null; marks the key as known.
  const Node* get(std::string_view key);
  // As get(); reports missing-key if absent.
  const Node* require(std::string_view key);
  // The span of the key's value, or of the whole map if absent.
  diag::Span span_of(std::string_view key) const;
  diag::Span key_span(std::string_view key) const;

  std::string text(std::string_view key, std::string fallback);
  std::optional<std::string> text(std::string_view key);
  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max);
  Duration duration(std::string_view key, Duration fallback);  // also refuses zero: bad-duration
  std::optional<Duration> duration(std::string_view key);
  // "25ms..250ms", or one duration for both. id: bad-range.
  void range(std::string_view key, Duration& least, Duration& most);
  ByteSize size(std::string_view key, ByteSize fallback);
  std::optional<Rate> rate(std::string_view key);
  std::size_t choice(std::string_view key, std::size_t fallback, const std::vector<std::string_view>& choices);
  std::vector<Located<std::string>> texts(std::string_view key);
  // Secret text: the node is marked so that no message quotes it.
  std::optional<Secret> secret(std::string_view key);

  // Keys that the design has and this build does not: reported by name, "not-supported", never silently ignored.
  void not_supported(std::string_view key, std::string_view since_what);
  // A key that is right elsewhere: the hint for the unknown-key message. Optional.
  void elsewhere(std::string_view key, std::string_view hint);

  // Reports unknown keys. Call last.
  void finish();

 private:
  std::string named(std::string_view key) const;
  const Node& node_;
  diag::Sink& sink_;
  std::string what_;
  bool valid_ = true;
  diag::Span span_;
  std::vector<std::string_view> known_;
  std::vector<std::pair<std::string_view, std::string_view>> elsewhere_;
};

}  // namespace gatelab::config
