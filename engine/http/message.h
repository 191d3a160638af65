// SPDX-License-Identifier: Apache-2.0
// Message heads as values (RFC 9110, RFC 9112). Views as in fields.h. One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/fields.h"

namespace gatelab::http {

enum class Method : std::uint8_t { Other, Get, Head, Post, Put, Delete, Connect, Options, Trace, Patch };
Method method_of(std::string_view token) noexcept;          // case-sensitive (RFC 9110 §9.1)
bool is_idempotent(Method m) noexcept;                      // RFC 9110 §9.2.2
bool is_safe(Method m) noexcept;                            // RFC 9110 §9.2.1

enum class Version : std::uint8_t { Http10, Http11 };
enum class TargetForm : std::uint8_t { Origin, Absolute, Authority, Asterisk };  // RFC 9112 §3.2

// How the body's end is found (RFC 9112 §6.3).
enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };
struct BodyFraming {
  Framing kind = Framing::None;
  std::uint64_t length = 0;  // for Length
};

struct RequestHead {
  explicit RequestHead(Arena& arena) noexcept : fields(arena) {}
  Method method = Method::Other;
  TargetForm form = TargetForm::Origin;
  Version version = Version::Http11;
  bool keep_alive = true;       // what the client wants (RFC 9112 §9.3)
  bool expect_continue = false; // RFC 9110 §10.1.1
  bool has_underscores = false; // in names of fields, which were kept (hop.h)
  bool last_hop = false;        // Max-Forwards lets it go no further (hop.h)
  std::string_view method_text;
  std::string_view target;      // as received
  std::string_view path;        // of the target, raw, begins with '/', no query ("*" for Asterisk)
  std::string_view query;       // without '?'; empty if none
  bool has_query = false;       // tells "/a?" from "/a"
  std::string_view authority;   // host[:port] of an absolute target, else of Host; as received
  std::string_view host;        // authority without port, brackets kept
  BodyFraming body;
  Fields fields;
};

struct ResponseHead {
  explicit ResponseHead(Arena& arena) noexcept : fields(arena) {}
  Version version = Version::Http11;
  bool keep_alive = true;
  std::uint16_t status = 0;
  std::string_view reason_phrase;
  BodyFraming body;
  Fields fields;
};

std::string_view default_reason_phrase(int status) noexcept;  // "" if unknown

}  // namespace gatelab::http
