// SPDX-License-Identifier: Apache-2.0
// A request's body for policies that look at all of it: out of its content coding, and no more than they take. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coding/coder.h"
#include "config/reader.h"
#include "json/document.h"
#include "policy/policy.h"

namespace gatelab::policy {

// `max_size`, `max_depth` and `max_values` of a map: what is held in memory of one body. Reports.
struct BodyBounds {
  std::size_t size = 0;  // octets, out of its coding
  json::Limits limits;
};
BodyBounds parse_body_bounds(config::Reader& r);

bool has_body(const http::RequestHead& head) noexcept;
// application/json, or another +json (RFC 6839 §3.1), by its Content-Type; by any of them, should there be several.
bool is_json(const http::Fields& fields) noexcept;

// As deny(), and the client is told `detail` too, which lives as long as the arena.
Step deny_told(Input& in, const observe::Reason& reason, std::string_view detail) noexcept;

// Where a body is to be looked at: 400 for several Content-Types, of which another reader may take another; 415 for a charset in which
// octets mean something else (JSON is UTF-8, RFC 8259 §8.1). Nullopt: there is nothing wrong with it.
std::optional<Step> refuse_type(Input& in) noexcept;

// What a body's coding comes to.
struct Decoded {
  std::string octets;
  const observe::Reason* failure = nullptr;  // malformed-encoding, decompressed-too-large
};
Decoded decode_whole(coding::Coding coding, std::string_view octets, std::size_t at_most);

// What a step does with what a client has sent, up to where the body is there.
struct Asked {
  enum class What : std::uint8_t { Wait, Refuse, Look } what = What::Look;
  Step step;                               // of Wait and Refuse
  std::optional<coding::Coding> coding{};  // of Look
};
// `effect` lives in the arena, and is written for Wait. Refuses (415, 413) what can't be taken.
Asked ask_for_body(Input& in, std::size_t at_most, Effect& effect) noexcept;

}  // namespace gatelab::policy
