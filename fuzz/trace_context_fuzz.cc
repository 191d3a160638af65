// SPDX-License-Identifier: Apache-2.0
// traceparent and tracestate: what is read can be written, and is then read as the same; nothing that goes on could break a field.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/trace_context.h"

using namespace gatelab;

// Input: lines, in turn a traceparent and a tracestate.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Arena arena;
  http::Fields fields(arena);
  for (bool parent = true; !rest.empty(); parent = !parent) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view value = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    fields.add(parent ? "traceparent" : "tracestate", value);
    (void)http::is_tracestate(value);
    const auto one = http::parse_traceparent(value);
    if (!one) continue;
    char text[http::kTraceparentOctets];
    http::write_traceparent(one->trace_id, one->parent_id, one->sampled, text);
    const auto again = http::parse_traceparent({text, sizeof text});
    if (!again || again->trace_id != one->trace_id || again->parent_id != one->parent_id || again->sampled != one->sampled) std::abort();
  }
  const auto found = http::find_trace_context(fields);
  if (!found) return 0;
  if (found->parent.trace_id.size() != http::kTraceIdOctets || found->parent.parent_id == 0) std::abort();
  if (!found->state.empty() && !http::is_tracestate(found->state)) std::abort();
  if (std::any_of(found->state.begin(), found->state.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x7f || (static_cast<unsigned char>(c) < 0x20 && c != '\t'); })) std::abort();
  return 0;
}
