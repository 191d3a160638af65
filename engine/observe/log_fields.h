// SPDX-License-Identifier: Apache-2.0
// The fields of an access-log line by name: what JSON and logfmt lines are made of, what a template may name, and what can be left
// out or hashed. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "observe/record.h"

namespace gatelab::observe {

enum class LogField : std::uint8_t {
  Time, RequestId, TraceId, Client, Peer, Listener, Method, Host, Target, Version, Status, Route, Consumer, By, Phase, Reason, PolicyId,
  Upstream, UpstreamTarget, Attempts, Tries, Parts, RequestBytes, ResponseBytes, DurationMs, UpstreamMs, Truncated, Cache, Variant, Injected,
  MirroredTo, TlsVersion, TlsCipher, TlsSni, TlsResumed, TlsClient, TlsClientFingerprint, TlsError, UserAgent, Referer,
  // Of templates only.
  TimeCommon, TimeUnix, SpanId, Path, Query,
};
inline constexpr std::size_t kLogFields = static_cast<std::size_t>(LogField::Query) + 1;

struct LogFieldInfo {
  std::string_view name;
  LogField field;
  enum class Kind : std::uint8_t { Text, Address, Number, Milliseconds, Flag, Time, Tries, Parts } kind;
  bool in_lines;  // of JSON and logfmt
};

// In the order of a line.
std::span<const LogFieldInfo> log_fields() noexcept;
inline const LogFieldInfo& info(LogField field) noexcept { return log_fields()[static_cast<std::size_t>(field)]; }
// Null: there is none of that name.
const LogFieldInfo* find_log_field(std::string_view name) noexcept;

// Of a record, as text; what is a number is written into `room`. Empty: the record has none. Not of Tries and Parts.
using LogFieldRoom = char[48];
std::string_view value_of(LogField field, const Record& r, LogFieldRoom& room) noexcept;

}  // namespace gatelab::observe
