// SPDX-License-Identifier: Apache-2.0
#include "http/rule.h"

#include <array>

namespace gatelab::http {
namespace {

constexpr std::string_view kBad = "Bad Request";

constexpr std::array<RuleInfo, 42> kRules{{
    {Rule::Ok, "ok", 200, "OK", ""},
    {Rule::BadRequestLine, "bad-request-line", 400, kBad, "RFC 9112 §3"},
    {Rule::BadMethod, "bad-method", 400, kBad, "RFC 9110 §9.1"},
    {Rule::BadTarget, "bad-target", 400, kBad, "RFC 9112 §3.2"},
    {Rule::TargetTooLong, "target-too-long", 414, "URI Too Long", "RFC 9110 §15.5.15"},
    {Rule::BadVersion, "bad-version", 400, kBad, "RFC 9112 §2.3"},
    {Rule::UnsupportedVersion, "unsupported-version", 505, "HTTP Version Not Supported", "RFC 9110 §15.6.6"},
    {Rule::BadStatusLine, "bad-status-line", 400, kBad, "RFC 9112 §4"},
    {Rule::BadStatus, "bad-status", 400, kBad, "RFC 9110 §15"},
    {Rule::BareLf, "bare-lf", 400, kBad, "RFC 9112 §2.2"},
    {Rule::BareCr, "bare-cr", 400, kBad, "RFC 9112 §2.2"},
    {Rule::BadFieldName, "bad-field-name", 400, kBad, "RFC 9110 §5.1"},
    {Rule::BadFieldValue, "bad-field-value", 400, kBad, "RFC 9110 §5.5"},
    {Rule::SpaceBeforeColon, "space-before-colon", 400, kBad, "RFC 9112 §5.1"},
    {Rule::ObsFold, "obs-fold", 400, kBad, "RFC 9112 §5.2"},
    {Rule::HeadTooLarge, "head-too-large", 431, "Request Header Fields Too Large", "RFC 6585 §5"},
    {Rule::TooManyFields, "too-many-fields", 431, "Request Header Fields Too Large", "RFC 6585 §5"},
    {Rule::MissingHost, "missing-host", 400, kBad, "RFC 9112 §3.2"},
    {Rule::DuplicateHost, "duplicate-host", 400, kBad, "RFC 9112 §3.2"},
    {Rule::BadHost, "bad-host", 400, kBad, "RFC 9110 §7.2"},
    {Rule::BadContentLength, "bad-content-length", 400, kBad, "RFC 9112 §6.3"},
    {Rule::DifferentContentLengths, "different-content-lengths", 400, kBad, "RFC 9112 §6.3"},
    {Rule::LengthAndEncoding, "length-and-encoding", 400, kBad, "RFC 9112 §6.1"},
    {Rule::UnknownTransferEncoding, "unknown-transfer-encoding", 501, "Not Implemented", "RFC 9112 §6.1"},
    {Rule::ChunkedNotLast, "chunked-not-last", 400, kBad, "RFC 9112 §6.3"},
    {Rule::EncodingInHttp10, "encoding-in-http10", 400, kBad, "RFC 9112 §6.1"},
    {Rule::BadChunkSize, "bad-chunk-size", 400, kBad, "RFC 9112 §7.1"},
    {Rule::BadChunkExtension, "bad-chunk-extension", 400, kBad, "RFC 9112 §7.1.1"},
    {Rule::ChunkTooLarge, "chunk-too-large", 400, kBad, "RFC 9112 §7.1"},
    {Rule::BadChunkEnd, "bad-chunk-end", 400, kBad, "RFC 9112 §7.1"},
    {Rule::BadTrailer, "bad-trailer", 400, kBad, "RFC 9112 §7.1.2"},
    {Rule::TrailerTooLarge, "trailer-too-large", 431, "Request Header Fields Too Large", "RFC 6585 §5"},
    {Rule::UnknownExpectation, "unknown-expectation", 417, "Expectation Failed", "RFC 9110 §10.1.1"},
    {Rule::BadPath, "bad-path", 400, kBad, "RFC 3986 §3.3"},
    {Rule::EncodedSlash, "encoded-slash", 400, kBad, "RFC 3986 §2.2"},
    {Rule::DuplicateSlash, "duplicate-slash", 400, kBad, "RFC 3986 §3.3"},
    {Rule::TruncatedBody, "truncated-body", 400, kBad, "RFC 9112 §8"},
    {Rule::ConnectNotSupported, "connect-not-supported", 501, "Not Implemented", "RFC 9110 §9.3.6"},
    {Rule::TraceNotSupported, "trace-not-supported", 501, "Not Implemented", "RFC 9110 §9.3.8"},
    {Rule::TraceWithBody, "trace-with-body", 400, kBad, "RFC 9110 §9.3.8"},
    {Rule::BadMaxForwards, "bad-max-forwards", 400, kBad, "RFC 9110 §7.6.2"},
    {Rule::UnderscoreField, "underscore-field", 400, kBad, "RFC 3875 §4.1.18"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i)
    if (static_cast<std::size_t>(kRules[i].rule) != i) return false;
  return true;
}
static_assert(in_order(), "the table is indexed by the rule");

}  // namespace

const RuleInfo& info(Rule rule) noexcept { return kRules[static_cast<std::size_t>(rule)]; }
std::span<const RuleInfo> all_rules() noexcept { return std::span(kRules).subspan(1); }

}  // namespace gatelab::http
