// SPDX-License-Identifier: Apache-2.0
// RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): what is left, and in how many seconds there is more.
// Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/time.h"
#include "http/message.h"

namespace gatelab::policy {

constexpr std::int64_t whole_seconds(Duration d) noexcept { return (d.count() + 999'999'999) / 1'000'000'000; }

// A policy's id as a quoted string.
std::string limit_name(std::string_view id);
// "id";q=100;w=60
std::string_view limit_policy(std::string_view name, std::uint64_t quota, std::int64_t window_seconds, Arena& arena) noexcept;
// `policy` must live as long as the fields.
void add_limit_fields(http::Fields& fields, std::string_view name, std::uint64_t remaining, std::int64_t reset_seconds, std::string_view policy, Arena& arena) noexcept;

}  // namespace gatelab::policy
