// SPDX-License-Identifier: Apache-2.0
// Texts with ${placeholders}: where the next one is. What stands in them is whoever reads them's business. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatelab {

struct Placeholder {
  std::string_view whole;   // with ${ and }
  std::string_view inside;
  bool has_end = false;     // false: no } follows, and it goes up to the text's end
};

// Takes the next one from the front of `text`, and appends what stands before it to `plain`, where `$${` has become `${`. nullopt:
// there is none, and all of the text was plain.
inline std::optional<Placeholder> take_placeholder(std::string_view& text, std::string& plain) {
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${")) {
    if (at > 0 && text[at - 1] == '$') {
      plain.append(text.substr(0, at - 1)).append("${");
      text.remove_prefix(at + 2);
      continue;
    }
    plain += text.substr(0, at);
    text.remove_prefix(at);
    const std::size_t end = text.find('}');
    Placeholder found{text.substr(0, end == std::string_view::npos ? end : end + 1), {}, end != std::string_view::npos};
    found.inside = found.whole.substr(2, found.has_end ? end - 2 : std::string_view::npos);
    text.remove_prefix(found.whole.size());
    return found;
  }
  plain += text;
  text = {};
  return std::nullopt;
}

}  // namespace gatelab
