// SPDX-License-Identifier: Apache-2.0
// `format`: forms of strings and numbers that are looked at. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatelab::schema {

enum class Format : std::uint8_t { None, DateTime, Date, Time, Email, Hostname, Ipv4, Ipv6, Uri, UriReference, Uuid, JsonPointer, Regex, Byte, Int32, Int64 };
// Nullopt: there is none of that name here. `Format::None`: it says nothing that could be looked at (int32, password, binary…).
std::optional<Format> parse_format(std::string_view name) noexcept;
// Of those of strings; the others hold.
bool has_format(Format format, std::string_view text);
// Of int32 and int64: a number as it is written; the others hold.
bool has_number_format(Format format, std::string_view number) noexcept;

}  // namespace gatelab::schema
