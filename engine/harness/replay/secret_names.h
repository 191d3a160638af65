// SPDX-License-Identifier: Apache-2.0
// By which names and by which looks a secret is known. Pure.
#pragma once

#include <string_view>

namespace gatelab::harness {

// Of a parameter, a member, a form's field: password, clientSecret, access_token.
bool is_secret_name(std::string_view name);
// Of a header whose whole value is one.
bool is_secret_header(std::string_view name);
// Of a header whose value looks like one and is none: ETag, traceparent.
bool is_plain_header(std::string_view name);
// Long and without a pattern: a key, a session's number. UUIDs are taken for numbers of things.
bool is_random(std::string_view word);

}  // namespace gatelab::harness
