// SPDX-License-Identifier: Apache-2.0
#include "observe/log_shape.h"

#include <utility>

#include "base/placeholder.h"
#include "observe/log_text.h"

namespace gatelab::observe {
namespace {

using Kind = LogFieldInfo::Kind;

constexpr LogField kOfFixedShapes[] = {LogField::Client, LogField::Consumer, LogField::Target, LogField::UserAgent, LogField::Referer};

bool is_error(const Record& r, std::uint16_t from) noexcept { return r.status == 0 || r.status >= from || r.truncated; }

void json_value(std::string& out, Kind kind, std::string_view value) {
  const bool bare = kind == Kind::Number || kind == Kind::Milliseconds || kind == Kind::Flag;
  if (!bare) out += '"';
  append_json_escaped(out, value);
  if (!bare) out += '"';
}

void json_tries(std::string& out, const Record& r) {
  bool first = true;
  out += '[';
  for (const Attempt& a : r.attempts) {
    out += std::exchange(first, false) ? "{\"target\":" : ",{\"target\":";
    json_value(out, Kind::Text, a.target);
    out += ",\"reason\":";
    json_value(out, Kind::Text, a.reason);
    out += ",\"status\":";
    append_number(out, a.status);
    for (const auto& [key, took] : {std::pair(",\"after_ms\":", a.started), std::pair(",\"connect_ms\":", a.connected), std::pair(",\"answer_ms\":", a.first_byte)}) {
      out += key;
      append_ms(out, took);
    }
    if (a.hedge) out += ",\"hedge\":true";
    if (!a.not_retried.empty()) {
      out += ",\"not_retried\":";
      json_value(out, Kind::Text, a.not_retried);
    }
    out += '}';
  }
  out += ']';
}

// What is several values; empty: the record has none.
std::string list_of(Kind kind, const Record& r, bool json) {
  std::string out;
  if (kind == Kind::Tries && lists_tries(r)) {
    if (json) json_tries(out, r);
    else out = tries_of(r);
  } else if (kind == Kind::Parts && r.parts.size() != 0) {
    out = json ? parts_json(r) : parts_of(r);
  }
  return out;
}

void logfmt_value(std::string& out, std::string_view value) {
  const bool bare = is_plain_json(value) && value.find_first_of(" =") == std::string_view::npos;
  if (!bare) out += '"';
  append_json_escaped(out, value);
  if (!bare) out += '"';
}

// Where the reference stands in the file, if its scalar says it as it is.
diag::Span reference_span(const diag::Span& span, std::string_view reference) {
  if (!span) return span;
  const std::string_view written = std::string_view(span.file->text).substr(span.begin, span.end - span.begin);
  const std::size_t at = reference.ends_with('}') ? written.find(reference) : written.rfind(reference);
  if (at == std::string_view::npos) return span;
  diag::Span out = span;
  out.begin += static_cast<std::uint32_t>(at);
  out.end = out.begin + static_cast<std::uint32_t>(reference.size());
  return out;
}

void no_such_field(std::string_view reference, std::string_view name, const diag::Span& span, diag::Sink& sink) {
  std::vector<std::string_view> names;
  std::string all;
  for (const LogFieldInfo& one : log_fields()) {
    names.push_back(one.name);
    all.append(all.empty() ? "" : ", ").append(one.name);
  }
  const bool closed = reference.ends_with('}');
  const std::string_view near = diag::nearest(name, names);
  diag::Diagnostic d;
  d.id = "bad-template";
  d.message = closed ? "a line of the access log has no field `" + std::string(name) + "`" : "`" + std::string(reference) + "` has no end";
  d.span = reference_span(span, reference);
  if (closed && !near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
  // Who is told the right one needs no list.
  if (d.note.empty() && closed) d.hint = all + "; ";
  d.hint += "${name:text} has a default, $${ stands for ${";
  sink.report(std::move(d));
}

}  // namespace

std::string parts_json(const Record& r) {
  std::string out = "[";
  for (const PartNote& p : r.parts) {
    out += out.size() > 1 ? ",{\"part\":" : "{\"part\":";
    json_value(out, Kind::Text, p.name);
    for (const auto& [key, text] : {std::pair(",\"upstream\":", p.upstream), std::pair(",\"target\":", p.target), std::pair(",\"reason\":", p.reason), std::pair(",\"cache\":", p.cache)}) {
      if (text.empty()) continue;
      out += key;
      json_value(out, Kind::Text, text);
    }
    for (const auto& [key, number] : {std::pair(",\"status\":", std::uint32_t{p.status}), std::pair(",\"tries\":", p.tries)}) {
      out += key;
      append_number(out, number);
    }
    for (const auto& [key, took] : {std::pair(",\"after_ms\":", p.started), std::pair(",\"duration_ms\":", p.took)}) {
      out += key;
      append_ms(out, took);
    }
    out += '}';
  }
  return out + "]";
}

std::string_view Redaction::shown(LogField field, std::string_view value, LogFieldRoom& room) const noexcept {
  constexpr char kHex[] = "0123456789abcdef";
  const auto at = static_cast<std::size_t>(field);
  if (dropped[at]) return {};
  if (value.empty() || !hashed[at]) return value;
  const std::uint64_t hash = siphash(value, key);
  for (int i = 0; i < 16; ++i) room[i] = kHex[(hash >> (60 - 4 * i)) & 15];
  return {room, 16};
}

LogTemplate LogTemplate::parse(std::string_view text, const diag::Span& span, diag::Sink& sink) {
  LogTemplate out;
  std::string plain;
  while (const auto found = take_placeholder(text, plain)) {
    const std::size_t colon = found->inside.find(':');
    const std::string_view name = found->inside.substr(0, colon);
    const LogFieldInfo* field = found->has_end ? find_log_field(name) : nullptr;
    if (field == nullptr) no_such_field(found->whole, name, span, sink);
    if (!found->has_end) break;
    if (!plain.empty()) out.parts_.push_back({std::exchange(plain, {}), nullptr});
    if (field != nullptr) out.parts_.push_back({colon == std::string_view::npos ? std::string("-") : std::string(found->inside.substr(colon + 1)), field});
  }
  if (!plain.empty()) out.parts_.push_back({std::move(plain), nullptr});
  return out;
}

void LogTemplate::render(std::string& out, const Record& r, const Redaction& redaction) const {
  for (const Part& part : parts_) {
    if (part.field == nullptr) {
      out += part.text;
      continue;
    }
    const LogField field = part.field->field;
    if (const std::string list = list_of(part.field->kind, r, false); !list.empty() && !redaction.dropped[static_cast<std::size_t>(field)]) {
      append_json_escaped(out, list);
      continue;
    }
    LogFieldRoom room, hidden;
    const std::string_view value = redaction.shown(field, value_of(field, r, room), hidden);
    if (value.empty()) out += part.text;
    else if (is_plain_json(value)) out += value;
    else append_json_escaped(out, value);
  }
  out += '\n';
}

bool LogTemplate::names(LogField field) const noexcept {
  return std::any_of(parts_.begin(), parts_.end(), [field](const Part& part) { return part.field != nullptr && part.field->field == field; });
}

bool Sampling::keeps(const Record& r) const noexcept {
  if (keep != Keep::Nothing && is_error(r, keep == Keep::Errors ? 400 : 500)) return true;
  if (slower_than > Duration{} && r.total > slower_than) return true;
  const std::uint64_t hash = siphash(r.trace.id.empty() ? r.request_id : r.trace.id, key);
  return (hash >> 32) * 1'000'000 >> 32 < share.millionths;
}

void append_redacted(std::string& out, const Record& r, const LogShape& shape) {
  const bool json = shape.format == LogFormat::Json;
  bool first = true;
  for (const LogFieldInfo& one : log_fields()) {
    const auto index = static_cast<std::size_t>(one.field);
    if (!one.in_lines || shape.redaction.dropped[index]) continue;
    LogFieldRoom room, hidden;
    const std::string list = list_of(one.kind, r, json);
    const std::string_view value = shape.redaction.shown(one.field, value_of(one.field, r, room), hidden);
    if (list.empty() && value.empty()) continue;
    out.append(std::exchange(first, false) ? (json ? "{\"" : "") : (json ? ",\"" : " ")).append(one.name).append(json ? "\":" : "=");
    if (!list.empty() && json) out += list;
    else if (!list.empty()) logfmt_value(out, list);
    else if (json) json_value(out, one.kind, value);
    else logfmt_value(out, value);
  }
  out += json ? (first ? "{}\n" : "}\n") : "\n";
}

HiddenTexts::HiddenTexts(const Record& r, const Redaction& redaction) noexcept : record(r) {
  std::string_view* const texts[] = {&client, &record.consumer, &record.target, &record.user_agent, &record.referer};
  for (std::size_t i = 0; i < std::size(kOfFixedShapes); ++i) {
    LogFieldRoom room;
    const std::string_view value = value_of(kOfFixedShapes[i], r, room);
    const std::string_view shown = redaction.shown(kOfFixedShapes[i], value, rooms_[i]);
    // The address is in this loop's own room.
    if (shown.data() == room) *texts[i] = {rooms_[i], static_cast<std::size_t>(std::copy_n(room, shown.size(), rooms_[i]) - rooms_[i])};
    else *texts[i] = shown;
  }
  if (client.empty()) client = "-";
}

bool can_be_redacted(LogFormat format, LogField field) noexcept {
  if (format != LogFormat::Combined && format != LogFormat::Pretty) return true;
  return std::find(std::begin(kOfFixedShapes), std::end(kOfFixedShapes), field) != std::end(kOfFixedShapes);
}

}  // namespace gatelab::observe
