// SPDX-License-Identifier: Apache-2.0
// Distributed traces: which exchanges have spans, what their spans are called, and how they are written down for a collector
// (OTLP/JSON, opentelemetry-proto 1.x). Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/units.h"
#include "observe/record.h"

namespace gatelab::observe {

struct TraceRules {
  // Whose traces are gone on with: everybody's, those of trusted proxies, nobody's.
  enum class Incoming : std::uint8_t { Keep, Trusted, Restart } incoming = Incoming::Keep;
  Share sample{1'000'000};  // of the traces that begin here; of others whoever began them has decided
  bool exports = false;     // spans are made, and sent somewhere
  // `dice` are the exchange's own.
  bool samples(std::uint64_t dice) const noexcept { return (mix64(dice ^ 0x73616d706c65) >> 32) * 1'000'000 >> 32 < sample.millionths; }
};

// An exchange's own span, and those below it: of its phases, of its tries. Never 0, and no two are the same.
inline std::uint64_t own_span(std::uint64_t dice) noexcept {
  const std::uint64_t id = mix64(dice ^ 0x7370616e);
  return id == 0 ? 1 : id;
}
inline std::uint64_t child_span(std::uint64_t span, std::uint64_t nth) noexcept {
  const std::uint64_t id = mix64(span + nth * 0x9e3779b97f4a7c15ULL);
  return id == 0 ? 1 : id;
}
inline std::uint64_t phase_span(std::uint64_t span, Phase phase) noexcept { return child_span(span, 1 + static_cast<std::uint64_t>(phase)); }
inline std::uint64_t try_span(std::uint64_t span, std::uint32_t nth) noexcept { return child_span(span, 64 + nth); }

// Appends the spans of an exchange or of a call of the gateway's own as JSON objects with commas between, and says how many they
// are: the exchange (SERVER; a call is INTERNAL), below it each phase that took part (INTERNAL), below Forward each try (CLIENT).
std::size_t append_spans(std::string& out, const Record& r);
// What stands before and behind them in a request to a collector.
std::string otlp_head(std::string_view service);
inline constexpr std::string_view kOtlpTail = "]}]}]}";

}  // namespace gatelab::observe
