// SPDX-License-Identifier: Apache-2.0
// May this response to this request be stored by a shared cache (RFC 9111 §3), and which of its fields (§3.1)? Pure, any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "cache/control.h"
#include "cache/rules.h"
#include "http/message.h"

namespace gatelab::cache {

// Why not. The order is that in which they are looked for.
enum class Storable : std::uint8_t {
  Yes,
  Method,           // not GET: HEAD has nothing to store, what POST answers nothing asks for again (RFC 9110 §9.3.3)
  RequestBody,      // a GET with content: it is not part of the key, so that it must not shape what others get
  RequestNoStore,   // §5.2.1.5
  NotFinal,         // 1xx (RFC 9110 §15.2)
  Partial,          // 206, or Content-Range: incomplete responses are not kept (§3.3)
  OfItsRequest,     // 304, 401, 407, 412, 416, 417, 431: answers to fields that are not part of the key
  NotUnderstood,    // must-understand, and the status is not one that this cache implements (§5.2.2.3)
  NoStore,          // §5.2.2.5
  Private,          // §5.2.2.7
  Authorization,    // §3.5
  SetCookie,        // Rules::set_cookie
  VaryStar,         // §4.1: would never match
  VaryUnreadable,   // what stands in Vary are no names of fields, or too many
  NotCacheable,     // nothing says that it may be stored, and its status is not heuristically cacheable (§3)
  RequestCookie,    // the request had Cookie, and nothing but the rules gives the response a lifetime (Rules::ignores_cookies)
  NeverUsable,      // no lifetime, no validator, never to be served stale: kept for nothing
};
// A stable word for logs, explain and Cache-Status; "stored" for Yes.
std::string_view word(Storable verdict) noexcept;

// RFC 9110 §15.1
bool is_heuristically_cacheable(std::uint16_t status) noexcept;

struct Exchanged {
  http::Method method = http::Method::Get;
  bool request_has_body = false;
  // The client was authenticated by anything: Authorization, a key, a certificate (docs/life-of-a-request.md).
  bool authenticated = false;
  KeyScope scope = KeyScope::Shared;
  bool request_has_cookie = false;
  RequestDirectives asked;
  std::uint16_t status = 0;
  const http::Fields* response = nullptr;  // never null
  const Control* control = nullptr;        // of `response`; never null
};

// All but what depends on lifetimes: never NeverUsable (facts.h).
Storable storable(const Exchanged& exchanged, const Rules& rules, Arena& arena) noexcept;

// The fields to keep: not those of one hop, of proxies' authentication, of the origin's lists in no-cache and private, not Age
// (which is counted on), Content-Length (which the stored body has), Trailer (trailers are not stored) or a cookie that the rules
// take out. A Date is added where there is none (RFC 9110 §6.6.1). In `arena`; views of `response`. Call it on
// fields that strip_hop_by_hop() has seen.
http::Fields stored_fields(const http::Fields& response, const Control& control, const Rules& rules, Instant response_time, Arena& arena) noexcept;
// Is a field of that name kept? What is not, does not update a stored response either (§3.2).
bool is_kept(std::string_view name, const ResponseDirectives& directives, const Rules& rules) noexcept;

}  // namespace gatelab::cache
