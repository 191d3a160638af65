// SPDX-License-Identifier: Apache-2.0
// By what a response may be purged besides its URI: Cache-Tag (names between commas) and Surrogate-Key (between spaces). Pure, any
// thread; views of the fields, in the arena.
#pragma once

#include <span>
#include <string_view>

#include "base/arena.h"
#include "http/fields.h"

namespace gatelab::cache {

// Each once, in the order in which they came; one more than Store::kMaxTags at most, for who has to see that they are too many.
std::span<const std::string_view> tags_of(const http::Fields& response, Arena& arena) noexcept;

}  // namespace gatelab::cache
