// SPDX-License-Identifier: Apache-2.0
// Every way in which a message can break the protocol: a stable reason word, the status we answer with, and the
// section that says so. The words are those of docs/errors.md. Constants, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gatelab::http {

enum class Rule : std::uint8_t {
  Ok,
  // start line
  BadRequestLine, BadMethod, BadTarget, TargetTooLong, BadVersion, UnsupportedVersion, BadStatusLine, BadStatus,
  // lines and fields
  BareLf, BareCr, BadFieldName, BadFieldValue, SpaceBeforeColon, ObsFold, HeadTooLarge, TooManyFields,
  // host
  MissingHost, DuplicateHost, BadHost,
  // framing
  BadContentLength, DifferentContentLengths, LengthAndEncoding, UnknownTransferEncoding, ChunkedNotLast, EncodingInHttp10,
  BadChunkSize, BadChunkExtension, ChunkTooLarge, BadChunkEnd, BadTrailer, TrailerTooLarge,
  // others
  UnknownExpectation, BadPath, EncodedSlash, DuplicateSlash, TruncatedBody, ConnectNotSupported, TraceNotSupported,
  TraceWithBody, BadMaxForwards, UnderscoreField,
};

struct RuleInfo {
  Rule rule;
  std::string_view word;     // stable kebab-case: bare-lf
  std::uint16_t status;      // when received from a client
  std::string_view title;    // for the problem document
  std::string_view section;  // RFC 9112 §2.2
};

const RuleInfo& info(Rule rule) noexcept;
std::span<const RuleInfo> all_rules() noexcept;

}  // namespace gatelab::http
