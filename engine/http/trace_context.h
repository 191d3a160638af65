// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context (Recommendation of 23 November 2021): traceparent and tracestate. Pure; views as in fields.h. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/fields.h"

namespace gatelab::http {

inline constexpr std::size_t kTraceIdOctets = 32;
inline constexpr std::size_t kTraceparentOctets = 55;

struct TraceParent {
  std::string_view trace_id;       // 32 lower-case hexadecimal digits, not all zero
  std::uint64_t parent_id = 0;     // not zero
  bool sampled = false;
};
// §3.2; nullopt: there is nothing that could be gone on with. Of versions after 00 what 00 has is read (§4.3, Versioning of traceparent).
std::optional<TraceParent> parse_traceparent(std::string_view value) noexcept;

// §3.3: at most 32 members, each `key=value`, no key twice; empty members count for nothing.
bool is_tracestate(std::string_view value) noexcept;

struct TraceContext {
  TraceParent parent;
  std::string_view state;  // all tracestate fields as one; empty: there is none, or it is broken and goes no further
};
// What a request brings; nullopt: no trace, or one that has to begin anew. Two traceparent fields are as good as none.
std::optional<TraceContext> find_trace_context(const Fields& fields) noexcept;

// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", exactly kTraceparentOctets at `out`.
void write_traceparent(std::string_view trace_id, std::uint64_t span, bool sampled, char* out) noexcept;
// Sixteen digits at `out`.
void write_span_id(std::uint64_t span, char* out) noexcept;

}  // namespace gatelab::http
