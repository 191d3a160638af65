// SPDX-License-Identifier: Apache-2.0
#include "policy/whole_body.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/units.h"
#include "policy/compress/request_coding.h"

namespace gatelab::policy {

BodyBounds parse_body_bounds(config::Reader& r) {
  BodyBounds out;
  out.size = r.size("max_size", ByteSize{1024 * 1024}).bytes;
  if (out.size == 0 || out.size > 64 * 1024 * 1024) r.sink().error("out-of-range", r.span_of("max_size"), "`max_size` is between 1B and 64MiB: the body is held in memory");
  out.limits.depth = static_cast<std::size_t>(r.integer("max_depth", 64, 1, 500));
  out.limits.values = static_cast<std::size_t>(r.integer("max_values", 100'000, 1, 1'000'000));
  return out;
}

bool has_body(const http::RequestHead& head) noexcept { return head.body.kind != http::Framing::None && (head.body.kind != http::Framing::Length || head.body.length > 0); }

Step deny_told(Input& in, const observe::Reason& reason, std::string_view detail) noexcept {
  Step step = deny(in, reason, detail);
  step.answer->detail = detail;
  return step;
}

bool is_json(const http::Fields& fields) noexcept {
  return std::any_of(fields.begin(), fields.end(), [](const http::Field& field) {
    if (field.id != http::FieldId::ContentType) return false;
    const std::string_view type = trim_ows(field.value.substr(0, field.value.find(';')));
    return iequals(type, "application/json") || (type.size() > 5 && iequals(type.substr(type.size() - 5), "+json"));
  });
}

std::optional<Step> refuse_type(Input& in) noexcept {
  const http::Field* only = nullptr;
  for (const http::Field& field : in.request.fields) {
    if (field.id != http::FieldId::ContentType) continue;
    if (only != nullptr) return deny(in, observe::reason::kSeveralTypes);
    only = &field;
  }
  if (only == nullptr) return std::nullopt;
  for (std::string_view rest = only->value; rest.find(';') != std::string_view::npos;) {
    rest.remove_prefix(rest.find(';') + 1);
    const std::string_view parameter = trim_ows(rest.substr(0, rest.find(';')));
    if (parameter.size() < 8 || !iequals(parameter.substr(0, 8), "charset=")) continue;
    std::string_view charset = parameter.substr(8);
    if (charset.size() > 1 && charset.front() == '"' && charset.back() == '"') charset = charset.substr(1, charset.size() - 2);
    if (!iequals(charset, "utf-8") && !iequals(charset, "us-ascii")) return deny_told(in, observe::reason::kMediaType, "charset=utf-8");
  }
  return std::nullopt;
}

Decoded decode_whole(coding::Coding coding, std::string_view octets, std::size_t at_most) {
  Decoded out;
  const auto decoder = coding::make_decoder(coding);
  std::array<char, 16 * 1024> room;
  coding::Moved step;
  do {
    step = decoder->move(octets, coding::Behind::End, room);
    octets.remove_prefix(step.taken);
    out.octets.append(room.data(), step.made);
    if (out.octets.size() > at_most) out.failure = &observe::reason::kDecompressedTooLarge;
    else if (step.broken) out.failure = &observe::reason::kMalformedEncoding;
  } while (out.failure == nullptr && step.more);
  return out;
}

Asked ask_for_body(Input& in, std::size_t at_most, Effect& effect) noexcept {
  Asked out;
  const auto refuse = [&](const observe::Reason& reason) {
    out.what = Asked::What::Refuse;
    out.step = deny_told(in, reason, &reason == &observe::reason::kBodyTooLarge ? in.arena.concat("at most ", format(ByteSize{at_most})) : std::string_view());
  };
  const http::RequestHead& head = in.request;
  const RequestCoding coded = request_coding(head.fields);
  out.coding = coded.coding;
  if (coded.coded && !coded.coding) {
    refuse(observe::reason::kUnsupportedEncoding);
    out.step.answer->fields.add("Accept-Encoding", "gzip, deflate, br, zstd, identity");  // RFC 9110 §15.5.16
  } else if (in.body == nullptr || (in.body->complete && in.request_body != nullptr)) {
    // What was read is not what goes up: a filter follows. What is known to be too long need not be waited for.
    if (head.body.kind == http::Framing::Length && head.body.length > at_most && in.request_body == nullptr) return refuse(observe::reason::kBodyTooLarge), out;
    effect = ReadBody{at_most};
    out.what = Asked::What::Wait;
    out.step.verdict = Verdict::Need;
    out.step.effect = &effect;
  } else if (!in.body->complete && in.body->octets.size() <= at_most) {
    effect = ReadBody{at_most};  // another policy has read less
    out.what = Asked::What::Wait;
    out.step.verdict = Verdict::Need;
    out.step.effect = &effect;
  } else if (!in.body->complete || in.body->octets.size() > at_most) {
    refuse(observe::reason::kBodyTooLarge);
  }
  return out;
}

}  // namespace gatelab::policy
