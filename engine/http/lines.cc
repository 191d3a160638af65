// SPDX-License-Identifier: Apache-2.0
#include "http/lines.h"

#include <cstring>

#include "base/text.h"
#include "http/chars.h"

namespace gatelab::http {

LineState next_line(std::string_view data, std::size_t& at, std::size_t& scanned, std::uint32_t limit, std::string_view& line, Rule& rule) noexcept {
  const void* found = std::memchr(data.data() + scanned, '\n', data.size() - scanned);
  const std::size_t lf = found == nullptr ? data.size() : static_cast<std::size_t>(static_cast<const char*>(found) - data.data());
  if (lf >= limit) {
    rule = Rule::HeadTooLarge;
    return LineState::Failed;
  }
  if (found == nullptr) {
    scanned = data.size();
    return LineState::NeedMore;
  }
  if (lf == at || data[lf - 1] != '\r') {
    rule = Rule::BareLf;
    return LineState::Failed;
  }
  line = data.substr(at, lf - 1 - at);
  at = scanned = lf + 1;
  return LineState::Line;
}

namespace {

Rule bad_name(std::string_view line) noexcept {
  std::size_t n = 0;
  while (n < line.size() && is(line[n], kToken)) ++n;
  if (n < line.size() && line[n] == '\r') return Rule::BareCr;
  const std::size_t colon = line.find(':');
  const bool space = n > 0 && colon != std::string_view::npos && trim_ows(line.substr(n, colon - n)).empty();
  return space ? Rule::SpaceBeforeColon : Rule::BadFieldName;
}

}  // namespace

Rule field_line(std::string_view line, Fields& out, std::uint32_t max_fields) noexcept {
  if (line.front() == ' ' || line.front() == '\t') return Rule::ObsFold;
  const void* const colon = std::memchr(line.data(), ':', line.size());
  if (colon == nullptr) return bad_name(line);
  const std::string_view name(line.data(), static_cast<std::size_t>(static_cast<const char*>(colon) - line.data()));
  const FieldId id = field_id(name);
  if (id == FieldId::Other && !is_token(name)) return name.empty() ? Rule::BadFieldName : bad_name(line);
  const std::string_view value = trim_ows(line.substr(name.size() + 1));
  if (!has_no_control(value)) {  // HTAB is one, and allowed
    for (const char c : value)
      if (!is(c, kValue)) return c == '\r' ? Rule::BareCr : Rule::BadFieldValue;
  }
  if (out.size() >= max_fields) return Rule::TooManyFields;
  out.add(id, name, value);
  return Rule::Ok;
}

Rule parse_version(std::string_view text, Version& out) noexcept {
  if (text == "HTTP/1.1") out = Version::Http11;
  else if (text == "HTTP/1.0") out = Version::Http10;
  else if (text.size() == 8 && text.starts_with("HTTP/") && text[5] >= '0' && text[5] <= '9' && text[6] == '.' && text[7] >= '0' && text[7] <= '9') return Rule::UnsupportedVersion;
  else return Rule::BadVersion;
  return Rule::Ok;
}

namespace {

Rule transfer_encoding(const Fields& fields) noexcept {
  bool chunked = false, unknown = false;
  for (const Field& f : fields) {
    if (f.id != FieldId::TransferEncoding) continue;
    std::string_view rest = f.value, coding;
    while (next_list_element(rest, coding)) {
      if (chunked) return Rule::ChunkedNotLast;
      chunked = iequals(coding, "chunked");
      unknown = unknown || !chunked;
    }
  }
  if (unknown) return Rule::UnknownTransferEncoding;
  if (!chunked) return Rule::ChunkedNotLast;
  // Empty elements beside it mean nothing (RFC 9110 §5.6.1.2), but others take "chunked," for something else than chunked.
  for (const Field& f : fields)
    if (f.id == FieldId::TransferEncoding && !iequals(f.value, "chunked")) return Rule::ChunkedNotLast;
  return Rule::Ok;
}

}  // namespace

Rule framing(const Fields& fields, Version version, BodyFraming& out) noexcept {
  if (!fields.may_have(FieldId::ContentLength) && !fields.may_have(FieldId::TransferEncoding)) return Rule::Ok;
  const Field* length = nullptr;
  bool encoded = false;
  for (const Field& f : fields) {
    if (f.id == FieldId::TransferEncoding) encoded = true;
    if (f.id != FieldId::ContentLength) continue;
    std::uint64_t value = 0;
    if (f.value.size() > 18 || !parse_decimal(f.value, value)) return Rule::BadContentLength;
    // Equal repetitions could be merged (RFC 9110 §8.6); nobody but a smuggler sends them.
    if (length != nullptr) return length->value == f.value ? Rule::BadContentLength : Rule::DifferentContentLengths;
    length = &f;
    out = {Framing::Length, value};
  }
  if (!encoded) return Rule::Ok;
  if (length != nullptr) return Rule::LengthAndEncoding;
  if (version == Version::Http10) return Rule::EncodingInHttp10;
  const Rule rule = transfer_encoding(fields);
  if (rule == Rule::Ok) out = {Framing::Chunked, 0};
  return rule;
}

bool keeps_alive(const Fields& fields, Version version) noexcept {
  if (!fields.may_have(FieldId::Connection)) return version == Version::Http11;
  bool close = false, keep = false;
  for (const Field& f : fields) {
    if (f.id != FieldId::Connection) continue;
    if (f.value == "keep-alive") {  // as most say it
      keep = true;
      continue;
    }
    std::string_view rest = f.value, option;
    while (next_list_element(rest, option)) {
      close = close || iequals(option, "close");
      keep = keep || iequals(option, "keep-alive");
    }
  }
  return !close && (keep || version == Version::Http11);
}

}  // namespace gatelab::http
