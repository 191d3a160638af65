// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "http/chars.h"
#include "http/forwarded.h"
#include "http/parser.h"

namespace gatelab::http {
namespace {

constexpr std::uint8_t kMaxSizeDigits = 15;
constexpr std::uint16_t kMaxExtension = 1024;       // of one chunk
constexpr std::uint32_t kMaxExtensions = 16 * 1024;  // of all: octets that cost much to send and nothing to keep
constexpr std::uint32_t kMaxTrailer = 8 * 1024;
constexpr std::uint8_t kMaxTrailers = 64;

// RFC 9110 §6.5.1: fields that frame, route, modify or authenticate a message mean nothing behind its body, and whoever
// merges trailers into fields must not find there what the gateway vouches for.
bool forbidden_in_trailer(std::string_view name) noexcept {
  switch (field_id(name)) {
    case FieldId::TransferEncoding:
    case FieldId::ContentLength:
    case FieldId::Host:
    case FieldId::Connection:
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::Upgrade:
    case FieldId::Trailer:
    case FieldId::Te:
    case FieldId::Via:
    case FieldId::MaxForwards:
    case FieldId::Authorization:
    case FieldId::ProxyAuthorization:
    case FieldId::ProxyAuthenticate:
    case FieldId::WwwAuthenticate:
    case FieldId::Cookie:
    case FieldId::SetCookie:
    case FieldId::ContentEncoding:
    case FieldId::ContentType:
    case FieldId::Expect:
    case FieldId::CacheControl:
    case FieldId::Location:
    case FieldId::Vary:
    case FieldId::XRequestId:
      return true;
    default:
      break;
  }
  if (is_forwarding_field(name)) return true;
  for (const std::string_view other : {"Range", "Content-Range", "Pragma", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"})
    if (iequals(name, other)) return true;
  return false;
}

}  // namespace

BodyDecoder::BodyDecoder(BodyFraming framing, Fields* trailers) noexcept : left_(framing.length), trailers_(trailers) {
  switch (framing.kind) {
    case Framing::None: step_ = Step::End; break;
    case Framing::Length: step_ = framing.length == 0 ? Step::End : Step::Fixed; break;
    case Framing::Chunked: step_ = Step::ChunkSize; break;
    case Framing::UntilClose: step_ = Step::UntilClose; break;
  }
}

BodyDecoder::Piece BodyDecoder::fail(Rule rule) noexcept {
  step_ = Step::Bad;
  rule_ = rule;
  return {State::Failed, {}, 0};
}

BodyDecoder::Piece BodyDecoder::next(std::string_view input) noexcept {
  switch (step_) {
    case Step::End: return {State::Done, {}, 0};
    case Step::Bad: return {State::Failed, {}, 0};
    case Step::UntilClose:
      if (input.empty()) return {State::NeedMore, {}, 0};
      return {State::Data, input, input.size()};
    case Step::Fixed: {
      if (input.empty()) return {State::NeedMore, {}, 0};
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
      left_ -= n;
      if (left_ == 0) step_ = Step::End;
      return {State::Data, input.substr(0, n), n};
    }
    default: return chunked(input);
  }
}

BodyDecoder::Piece BodyDecoder::chunked(std::string_view input) noexcept {
  std::size_t i = 0;
  while (i < input.size()) {
    const char c = input[i];
    switch (step_) {
      case Step::ChunkSize: {
        const int digit = hex_value(c);
        if (digit >= 0) {
          if (++digits_ > kMaxSizeDigits) return fail(Rule::ChunkTooLarge);
          left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
          break;
        }
        if (digits_ == 0 || (c != '\r' && c != ';')) return fail(Rule::BadChunkSize);
        extension_octets_ = 0;
        step_ = c == '\r' ? Step::ChunkSizeLf : Step::ChunkExtension;
        break;
      }
      case Step::ChunkExtension:
        if (c == '\r') step_ = Step::ChunkSizeLf;
        else if (!is(c, kValue) || ++extension_octets_ > kMaxExtension || ++extensions_octets_ > kMaxExtensions) return fail(Rule::BadChunkExtension);
        break;
      case Step::ChunkSizeLf:
        if (c != '\n') return fail(Rule::BadChunkSize);
        digits_ = 0;
        line_octets_ = 0;
        step_ = left_ == 0 ? Step::TrailerLine : Step::ChunkData;
        break;
      case Step::ChunkData: {
        const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - i));
        left_ -= n;
        if (left_ == 0) step_ = Step::ChunkCr;
        return {State::Data, input.substr(i, n), i + n};
      }
      case Step::ChunkCr:
        if (c != '\r') return fail(Rule::BadChunkEnd);
        step_ = Step::ChunkLf;
        break;
      case Step::ChunkLf:
        if (c != '\n') return fail(Rule::BadChunkEnd);
        step_ = Step::ChunkSize;
        break;
      case Step::TrailerLine: {
        if (++trailer_octets_ > kMaxTrailer) return fail(Rule::TrailerTooLarge);
        if (c != '\n') {
          if (line_octets_ == sizeof line_) return fail(Rule::TrailerTooLarge);
          line_[line_octets_++] = c;
          break;
        }
        if (line_octets_ == 0 || line_[line_octets_ - 1] != '\r') return fail(Rule::BareLf);
        const std::string_view line(line_, std::exchange(line_octets_, 0U) - 1);
        if (line.empty()) {
          step_ = Step::End;
          return {State::Done, {}, i + 1};
        }
        const Rule rule = trailer_line(line);
        if (rule != Rule::Ok) return fail(rule);
        break;
      }
      default: return fail(Rule::BadChunkSize);
    }
    ++i;
  }
  return {State::NeedMore, {}, i};
}

Rule BodyDecoder::trailer_line(std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return Rule::BadTrailer;
  const std::string_view name = line.substr(0, colon), value = trim_ows(line.substr(colon + 1));
  if (!all(value, kValue) || forbidden_in_trailer(name)) return Rule::BadTrailer;
  if (++trailer_fields_ > kMaxTrailers) return Rule::TrailerTooLarge;
  // A recipient may drop any trailer; these could be taken for others (hop.h).
  if (trailers_ == nullptr || name.find('_') != std::string_view::npos) return Rule::Ok;
  trailers_->add(trailers_->arena().copy(name), trailers_->arena().copy(value));
  return Rule::Ok;
}

bool BodyDecoder::finish_at_close() noexcept {
  if (step_ == Step::UntilClose) step_ = Step::End;
  if (step_ == Step::End) return true;
  if (step_ != Step::Bad) rule_ = Rule::TruncatedBody;
  return false;
}

}  // namespace gatelab::http
