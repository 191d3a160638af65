// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/compare.h"

#include <algorithm>

#include "base/text.h"
#include "harness/match/json_text.h"
#include "harness/replay/request.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::json;
using Nodes = std::set<const Json*>;

constexpr std::size_t kMost = 200;  // differences of one pair

// What a mask hides: no JSON text has octets.
Json hidden() { return Json::binary({}); }

Nodes nodes_of(const JsonPath& path, const Json& root) {
  const auto found = path.select(root);
  return {found.begin(), found.end()};
}

std::vector<Json> values_of(const JsonPath& path, const Json& root) {
  std::vector<Json> out;
  for (const Json* node : path.select(root)) out.push_back(*node);
  return out;
}

// From the top down, so that nothing below what is hidden is looked at again.
void hide(Json& node, const Nodes& chosen) {
  if (chosen.count(&node) > 0) {
    node = hidden();
    return;
  }
  if (node.is_structured())
    for (Json& child : node) hide(child, chosen);
}

Json in_order(Json list) {
  if (list.is_array()) std::sort(list.begin(), list.end(), [](const Json& a, const Json& b) { return a.dump() < b.dump(); });
  return list;
}

// From the bottom up, so that lists within lists are in order first.
void order(Json& node, const Nodes& chosen) {
  if (node.is_structured())
    for (Json& child : node) order(child, chosen);
  if (chosen.count(&node) > 0) node = in_order(std::move(node));
}

std::string member(const std::string& place, const std::string& name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
  if (plain) return place + "." + name;
  std::string quoted;
  for (const char c : name) quoted += c == '\'' ? std::string("\\'") : std::string(1, c);
  return place + "['" + quoted + "']";
}

std::string text_of(const Json* json) { return json == nullptr ? "(absent)" : shown(Value(*json), Dimension::Json); }

void walk(std::vector<Difference>& out, const std::string& place, const Json* before, const Json* after) {
  if (out.size() >= kMost || (before != nullptr && before->is_binary()) || (after != nullptr && after->is_binary())) return;
  if (before != nullptr && after != nullptr) {
    if (*before == *after) return;
    if (before->is_object() && after->is_object()) {
      for (const auto& [name, value] : before->items()) {
        const auto other = after->find(name);
        walk(out, member(place, name), &value, other == after->end() ? nullptr : &*other);
      }
      for (const auto& [name, value] : after->items())
        if (!before->contains(name)) walk(out, member(place, name), nullptr, &value);
      return;
    }
    if (before->is_array() && after->is_array()) {
      for (std::size_t i = 0; i < std::max(before->size(), after->size()); ++i)
        walk(out, place + "[" + std::to_string(i) + "]", i < before->size() ? &(*before)[i] : nullptr, i < after->size() ? &(*after)[i] : nullptr);
      return;
    }
  }
  out.push_back({place, text_of(before), text_of(after)});
}

// Around the first octet that differs.
std::string excerpt(const std::string& text, std::size_t at) {
  constexpr std::size_t kBefore = 20, kAll = 100;
  const std::size_t begin = at > kBefore ? at - kBefore : 0;
  std::string out = (begin > 0 ? "…" : "") + Json(text.substr(begin, kAll)).dump(-1, ' ', false, Json::error_handler_t::replace);
  return begin + kAll < text.size() ? out + "…" : out;
}

std::string joined(const RecordedHeaders& headers, std::string_view name, bool& present) {
  std::string out;
  present = false;
  for (const auto& [n, value] : headers) {
    if (!iequals(n, name)) continue;
    out += (present ? "\n" : "") + value;
    present = true;
  }
  return out;
}

std::string shown_header(const std::string& value, bool present) {
  std::string out = present ? value : "(absent)";
  for (std::size_t at = out.find('\n'); at != std::string::npos; at = out.find('\n', at)) out.replace(at, 1, " ¦ ");
  return out;
}

std::string outcome(const ComparedAnswer& answer) { return answer.error.empty() ? std::to_string(answer.status) : "no whole answer: " + answer.error; }

}  // namespace

std::string any_element(std::string_view place) {
  std::string out;
  for (std::size_t i = 0; i < place.size(); ++i) {
    out += place[i];
    if (place[i] != '[' || i + 1 >= place.size() || place[i + 1] < '0' || place[i + 1] > '9') continue;
    out += '*';
    while (i + 1 < place.size() && place[i + 1] != ']') ++i;
  }
  return out;
}

Comparison::Comparison(const Masks& masks) : masks_(masks), used_headers_(masks.headers.size()), used_ignore_(masks.ignore.size()), used_unordered_(masks.unordered.size()) {}

void Comparison::headers(std::vector<Difference>& out, const ComparedAnswer& before, const ComparedAnswer& after) {
  std::vector<std::string> names;
  for (const RecordedHeaders* side : {&before.headers, &after.headers})
    for (const auto& [name, value] : *side)
      if (std::none_of(names.begin(), names.end(), [&name = name](const std::string& known) { return iequals(known, name); })) names.push_back(name);
  for (const std::string& name : names) {
    if (is_of_connection(name)) continue;
    bool had = false, has = false;
    const std::string a = joined(before.headers, name, had), b = joined(after.headers, name, has);
    const bool same = had == has && a == b;
    bool masked = false;
    for (std::size_t i = 0; i < masks_.headers.size(); ++i) {
      if (!iequals(masks_.headers[i].name, name)) continue;
      used_headers_[i].found = masked = true;
      used_headers_[i].hid = used_headers_[i].hid || !same;
    }
    if (!same && !masked) out.push_back({"header " + name, shown_header(a, had), shown_header(b, has)});
  }
}

void Comparison::body(std::vector<Difference>& out, const RecordedBody& before, const RecordedBody& after) {
  static const std::string nothing;
  if ((before.octets == nullptr && before.size > 0) || (after.octets == nullptr && after.size > 0)) {
    if (before.size != after.size) out.push_back({"body", std::to_string(before.size) + " octets", std::to_string(after.size) + " octets"});
    return;
  }
  const std::string& a = before.octets ? *before.octets : nothing;
  const std::string& b = after.octets ? *after.octets : nothing;
  const bool same = a == b;
  if (same && masks_.ignore.empty() && masks_.unordered.empty()) return;
  Json x = parse_json_text(a), y = same ? x : parse_json_text(b);
  if (!x.is_structured() || !y.is_structured()) {
    if (same) return;
    const auto at = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    out.push_back({"body", a.empty() ? "(empty)" : excerpt(a, at), b.empty() ? "(empty)" : excerpt(b, at)});
    return;
  }
  Nodes hidden_before, hidden_after;
  for (std::size_t i = 0; i < masks_.ignore.size(); ++i) {
    const JsonPath& path = masks_.ignore[i].path;
    const std::vector<Json> of_x = values_of(path, x), of_y = values_of(path, y);
    used_ignore_[i].found = used_ignore_[i].found || !of_x.empty() || !of_y.empty();
    used_ignore_[i].hid = used_ignore_[i].hid || of_x != of_y;
    hidden_before.merge(nodes_of(path, x));
    hidden_after.merge(nodes_of(path, y));
  }
  hide(x, hidden_before);
  hide(y, hidden_after);
  for (std::size_t i = 0; i < masks_.unordered.size(); ++i) {
    const JsonPath& path = masks_.unordered[i].path;
    const std::vector<Json> of_x = values_of(path, x), of_y = values_of(path, y);
    used_unordered_[i].found = used_unordered_[i].found || !of_x.empty() || !of_y.empty();
    for (std::size_t k = 0; k < std::min(of_x.size(), of_y.size()); ++k)
      if (of_x[k] != of_y[k] && in_order(of_x[k]) == in_order(of_y[k])) used_unordered_[i].hid = true;
    order(x, nodes_of(path, x));
    order(y, nodes_of(path, y));
  }
  walk(out, "$", &x, &y);
}

std::vector<Difference> Comparison::differences(const ComparedAnswer& before, const ComparedAnswer& after) {
  std::vector<Difference> out;
  if (before.status != after.status || before.error != after.error) out.push_back({"status", outcome(before), outcome(after)});
  if (before.has_headers && after.has_headers) headers(out, before, after);
  if (before.has_body && after.has_body) body(out, before.body, after.body);
  return out;
}

void Comparison::learn(const std::string& kind, const ComparedAnswer& a, const ComparedAnswer& b) {
  for (const Difference& d : differences(a, b)) learnt_[kind].insert(any_element(d.place));
}

bool Comparison::is_noise(const std::string& kind, const std::string& place) const {
  const auto known = learnt_.find(kind);
  if (known == learnt_.end()) return false;
  const std::string any = any_element(place);
  return std::any_of(known->second.begin(), known->second.end(), [&any](const std::string& noise) {
    return any == noise || (any.starts_with(noise) && (any[noise.size()] == '.' || any[noise.size()] == '['));
  });
}

std::vector<Difference> Comparison::compare(const std::string& kind, const ComparedAnswer& before, const ComparedAnswer& after) {
  std::vector<Difference> out = differences(before, after);
  const std::size_t all = out.size();
  std::erase_if(out, [this, &kind](const Difference& d) { return is_noise(kind, d.place); });
  noise_ += all - out.size();
  return out;
}

bool Comparison::is_stale(const Use& use) const noexcept {
  switch (masks_.unused) {
    case Masks::Unused::Fail: return !use.found;
    case Masks::Unused::Strict: return !use.hid;
    case Masks::Unused::Allow: return false;
  }
  return false;
}

std::vector<Comparison::Unused> Comparison::unused() const {
  std::vector<Unused> out;
  for (std::size_t i = 0; i < masks_.headers.size(); ++i)
    if (is_stale(used_headers_[i])) out.push_back({"header " + masks_.headers[i].name, masks_.headers[i].span});
  for (std::size_t i = 0; i < masks_.ignore.size(); ++i)
    if (is_stale(used_ignore_[i])) out.push_back({masks_.ignore[i].text, masks_.ignore[i].span});
  for (std::size_t i = 0; i < masks_.unordered.size(); ++i)
    if (is_stale(used_unordered_[i])) out.push_back({masks_.unordered[i].text, masks_.unordered[i].span});
  return out;
}

std::map<std::string, std::size_t> Comparison::learnt() const {
  std::map<std::string, std::size_t> out;
  for (const auto& [kind, places] : learnt_)
    for (const std::string& place : places) ++out[place];
  return out;
}

}  // namespace gatelab::harness
