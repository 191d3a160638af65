// SPDX-License-Identifier: Apache-2.0
// What HAR and Postman's collections have in common: JSON documents of others, of which nothing is sure.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "harness/replay/import_parts.h"
#include "http/chars.h"

namespace gatelab::harness {

using Json = nlohmann::json;

Json parse_json(Importing& in) {
  const std::string& text = in.source->text;
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const std::size_t at = std::min(e.byte == 0 ? 0 : e.byte - 1, text.size());
    in.error(at, std::min(at + 1, text.size()), "the file is no JSON from here on", "export it again; it may have been cut off");
  } catch (const Json::exception&) {
    in.error(0, 0, "the file holds a number that is too large", "export it again");
  }
  return nullptr;
}

const Json& member(const Json& json, const char* name) {
  static const Json none;
  if (!json.is_object()) return none;
  const auto found = json.find(name);
  return found == json.end() ? none : *found;
}

std::string text_of(const Json& json, const char* name) {
  const Json& found = member(json, name);
  return found.is_string() ? found.get<std::string>() : std::string();
}

RecordedHeaders header_list(const Json& list, const char* name) {
  RecordedHeaders out;
  if (list.is_array())
    for (const Json& h : list)
      if (const Json& disabled = member(h, "disabled"); !disabled.is_boolean() || !disabled.get<bool>()) out.emplace_back(text_of(h, name), text_of(h, "value"));
  return out;
}

std::string form_of(const Json& params, const char* name) { return form_of(header_list(params, name)); }

// A tilde is kept no more than a space (URL standard, application/x-www-form-urlencoded percent-encode set).
std::string form_of(const RecordedHeaders& pairs) {
  const auto encode = [](std::string& out, const std::string& s) { append_percent_encoded(out, s, [](char c) { return c == '*' || (http::is(c, http::kUnreserved) && c != '~'); }); };
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    encode(out, name);
    out += '=';
    encode(out, value);
  }
  return out;
}

}  // namespace gatelab::harness
