// SPDX-License-Identifier: Apache-2.0
// What an answer's head may not claim any more once its body is changed on the way. Pure; any thread.
#pragma once

#include "base/text.h"
#include "http/digest_fields.h"
#include "http/fields.h"

namespace gatelab::policy {

// A strong ETag becomes a weak one (RFC 9110 §8.8.1); digests go (RFC 9530 §2, §3), and so do ranges, which would be of octets that
// nobody gets.
inline void tell_changed(http::Fields& fields) noexcept {
  for (http::Field& field : fields)
    if (iequals(field.name, "ETag") && field.value.starts_with('"')) field.value = fields.arena().concat("W/", field.value);
  http::drop_digests(fields);
  fields.remove("Accept-Ranges");
}

}  // namespace gatelab::policy
