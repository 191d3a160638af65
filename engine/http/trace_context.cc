// SPDX-License-Identifier: Apache-2.0
#include "http/trace_context.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace gatelab::http {
namespace {

constexpr std::size_t kMaxMembers = 32;
constexpr std::size_t kMaxKey = 256, kMaxValue = 256, kMaxTenant = 241, kMaxSystem = 14;

constexpr bool is_lower_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool all_hex(std::string_view text) noexcept { return std::all_of(text.begin(), text.end(), is_lower_hex); }
bool all_zero(std::string_view text) noexcept { return text.find_first_not_of('0') == std::string_view::npos; }
constexpr unsigned digit(char c) noexcept { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_key_tail(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/'; });
}

// simple-key, or tenant-id "@" system-id (§3.3.1.3.1).
bool is_key(std::string_view key) noexcept {
  if (key.empty() || key.size() > kMaxKey) return false;
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) return is_lower(key.front()) && is_key_tail(key.substr(1));
  const std::string_view tenant = key.substr(0, at), system = key.substr(at + 1);
  if (tenant.empty() || tenant.size() > kMaxTenant || system.empty() || system.size() > kMaxSystem) return false;
  return (is_lower(tenant.front()) || is_digit(tenant.front())) && is_key_tail(tenant.substr(1)) && is_lower(system.front()) && is_key_tail(system.substr(1));
}

// 0*255(chr) nblk-chr: printable ASCII without comma and equals sign; the last is no space (§3.3.1.3.2).
bool is_value(std::string_view value) noexcept {
  if (value.empty() || value.size() > kMaxValue || value.back() == ' ') return false;
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

bool is_traceparent_name(const Field& f) noexcept { return f.id == FieldId::Other && iequals(f.name, "traceparent"); }
bool is_tracestate_name(const Field& f) noexcept { return f.id == FieldId::Other && iequals(f.name, "tracestate"); }

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view value) noexcept {
  if (value.size() < kTraceparentOctets || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  const std::string_view version = value.substr(0, 2), trace = value.substr(3, kTraceIdOctets), parent = value.substr(36, 16), flags = value.substr(53, 2);
  if (!all_hex(version) || version == "ff" || !all_hex(trace) || all_zero(trace) || !all_hex(parent) || all_zero(parent) || !all_hex(flags)) return std::nullopt;
  if (value.size() > kTraceparentOctets && (version == "00" || value[kTraceparentOctets] != '-')) return std::nullopt;
  TraceParent out;
  out.trace_id = trace;
  for (const char c : parent) out.parent_id = out.parent_id << 4 | digit(c);
  out.sampled = (digit(flags[1]) & 1) != 0;
  return out;
}

bool is_tracestate(std::string_view value) noexcept {
  std::array<std::string_view, kMaxMembers> keys;
  std::size_t n = 0;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view member = trim_ows(value.substr(0, comma));
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || n == kMaxMembers) return false;
    const std::string_view key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1))) return false;
    if (std::find(keys.begin(), keys.begin() + n, key) != keys.begin() + n) return false;
    keys[n++] = key;
  }
  return n > 0;
}

std::optional<TraceContext> find_trace_context(const Fields& fields) noexcept {
  const Field* parent = nullptr;
  std::string_view state;
  for (const Field& f : fields) {
    if (is_traceparent_name(f)) {
      if (parent != nullptr) return std::nullopt;
      parent = &f;
    } else if (is_tracestate_name(f)) {
      state = state.empty() ? f.value : fields.arena().concat(state, ",", f.value);
    }
  }
  if (parent == nullptr) return std::nullopt;
  const auto parsed = parse_traceparent(parent->value);
  if (!parsed) return std::nullopt;
  return TraceContext{*parsed, is_tracestate(state) ? state : std::string_view()};
}

void write_span_id(std::uint64_t span, char* out) noexcept {
  constexpr char kHex[] = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) out[i] = kHex[(span >> (60 - 4 * i)) & 15];
}

void write_traceparent(std::string_view trace_id, std::uint64_t span, bool sampled, char* out) noexcept {
  out = put(out, "00-");
  out = put(out, trace_id);
  *out++ = '-';
  write_span_id(span, out);
  put(out + 16, sampled ? "-01" : "-00");
}

}  // namespace gatelab::http
