// SPDX-License-Identifier: Apache-2.0
// Fields that speak of a message's very octets, for whoever changes these on their way. Pure; edits in place. Any thread.
#pragma once

#include "http/fields.h"

namespace gatelab::http {

// Of a head or a trailer section: Content-Digest, Repr-Digest (RFC 9530 §2, §3), Digest (RFC 3230), Content-MD5 (RFC 2616 §14.15), and
// their names in Trailer (RFC 9110 §6.6.2), which goes if nothing else is announced. New values are in the arena of `fields`.
void drop_digests(Fields& fields) noexcept;

}  // namespace gatelab::http
