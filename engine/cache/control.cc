// SPDX-License-Identifier: Apache-2.0
#include "cache/control.h"

#include "http/signature_base.h"

namespace gatelab::cache {

Control response_control(const http::Fields& response, std::span<const std::string> targets, Arena& arena) noexcept {
  for (const std::string& name : targets) {
    bool found = false;
    const std::string_view text = http::combined_field(response, name, arena, found);
    if (!found) continue;
    const auto dictionary = http::structured::parse_dictionary(text, arena, http::structured::Reading::Rfc9651);
    if (!dictionary || dictionary->members.empty()) continue;  // §2.1: as if it were not there
    return {response_directives(*dictionary), name, true};
  }
  return {response_directives(response), response.find(http::FieldId::CacheControl) != nullptr ? "Cache-Control" : ""};
}

}  // namespace gatelab::cache
