// SPDX-License-Identifier: Apache-2.0
// Cache-Control (RFC 9111 §5.2, RFC 5861, RFC 8246) and its forerunner Pragma (§5.4), as values. Where a field is wrong or says
// two things, what keeps less counts:
// - a number of a response that can't be read, or is given twice and differently, is 0 (§4.2.1);
// - a directive that restricts counts whatever argument it has, one that permits only without;
// - an argument that does not end may hide any directive, so that it counts as no-store.
// Pure, any thread; views are of the fields' values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/time.h"
#include "http/fields.h"
#include "http/structured.h"

namespace gatelab::cache {

// The argument of no-cache="…" and private="…". Views.
class FieldNames {
 public:
  static constexpr std::size_t kMax = 16;
  // False if there is no room.
  bool add(std::string_view name) noexcept;
  // Without case.
  bool contains(std::string_view name) const noexcept;
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::array<std::string_view, kMax> names_{};
  std::size_t size_ = 0;
};

struct RequestDirectives {
  std::optional<Duration> max_age;         // a number that can't be read is 0; of several the smallest counts
  std::optional<Duration> max_stale;       // Duration::max(): any staleness; of several the smallest counts
  std::optional<Duration> min_fresh;       // of several the largest counts
  std::optional<Duration> stale_if_error;  // RFC 5861 §4; of several the smallest counts
  bool no_cache = false;
  bool no_store = false;
  bool no_transform = false;
  bool only_if_cached = false;
};

struct ResponseDirectives {
  std::optional<Duration> max_age;
  std::optional<Duration> s_maxage;
  std::optional<Duration> stale_while_revalidate;  // RFC 5861 §3
  std::optional<Duration> stale_if_error;          // RFC 5861 §4
  bool no_store = false;
  bool no_cache = false;    // without names, or with names that can't be read
  bool is_private = false;  // likewise
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool no_transform = false;
  bool immutable = false;  // RFC 8246
  FieldNames no_cache_fields;
  FieldNames private_fields;
};

// Of all Cache-Control lines; without any, of Pragma: no-cache.
RequestDirectives request_directives(const http::Fields& request) noexcept;
// Of all Cache-Control lines. Pragma means nothing in a response (§5.4).
ResponseDirectives response_directives(const http::Fields& response) noexcept;
// Of a field that is a dictionary (RFC 9213 §2.1): a value of another type than its directive has is as one that can't be read.
ResponseDirectives response_directives(const http::structured::Dictionary& dictionary) noexcept;

}  // namespace gatelab::cache
