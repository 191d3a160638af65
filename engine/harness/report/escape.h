// SPDX-License-Identifier: Apache-2.0
// Text of anybody, made safe for a place in a report. Pure.
#pragma once

#include <string>
#include <string_view>

namespace gatelab::harness {

// Valid UTF-8 without controls (but tab and newline) and without what XML 1.0 can't hold: each such thing becomes U+FFFD.
std::string clean(std::string_view text);
// In an attribute or element of XML or HTML.
std::string xml(std::string_view text);
// Of a workflow command of GitHub, which ends with its line; `property`: in front of its `::`.
std::string one_line(std::string_view text, bool property);
// At most `limit` octets, cut between characters; what is left out is said.
std::string bounded(std::string text, std::size_t limit);

}  // namespace gatelab::harness
