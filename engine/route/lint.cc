// SPDX-License-Identifier: Apache-2.0
#include "route/lint.h"

#include <algorithm>
#include <map>
#include <set>

namespace gatelab::route {
namespace {

// Two paths with equal keys match the same requests: parameter names don't matter.
std::string path_key(const Match& m) {
  if (m.path_kind == PathKind::Any) return "prefix ";
  if (m.path_kind == PathKind::Exact) return "exact " + m.path;
  if (m.path_kind == PathKind::Prefix) return "prefix " + m.path;
  if (m.path_kind == PathKind::Regex) return "regex " + m.path;
  std::string key = "template ";
  bool inside = false;
  for (const char c : m.path) {
    if (c == '{') inside = true;
    if (!inside || c == '{') key += c;
    if (c == '}') inside = false;
  }
  return key;
}

std::set<std::string> hosts_of(const Match& m) {
  std::set<std::string> out;
  for (const auto& h : m.hosts) out.insert(h.value);
  if (out.empty()) out.insert("*");
  return out;
}

std::set<std::string> conditions_of(const Match& m) {
  std::set<std::string> out;
  for (const Condition& c : m.headers) out.insert("h" + c.name + "\n" + std::to_string(static_cast<int>(c.kind)) + c.value);
  for (const Condition& c : m.query) out.insert("q" + c.name + "\n" + std::to_string(static_cast<int>(c.kind)) + c.value);
  return out;
}

bool overlap(const Match& a, const Match& b) {
  return std::any_of(a.methods.begin(), a.methods.end(), [&b](const std::string& m) { return std::find(b.methods.begin(), b.methods.end(), m) != b.methods.end(); });
}

bool covers_methods(const Match& earlier, const Match& later) {
  if (earlier.methods.empty() || later.methods.empty()) return earlier.methods.empty() && later.methods.empty();
  return std::all_of(later.methods.begin(), later.methods.end(), [&earlier](const std::string& m) { return std::find(earlier.methods.begin(), earlier.methods.end(), m) != earlier.methods.end(); });
}

void warn(diag::Sink& sink, std::string id, const Spec& spec, const Spec& other, std::string message, std::string label, std::string hint) {
  diag::Diagnostic d;
  d.severity = diag::Severity::Warning;
  d.id = std::move(id);
  d.message = std::move(message);
  d.span = spec.span;
  d.related.push_back({other.span, std::move(label)});
  d.hint = std::move(hint);
  sink.report(std::move(d));
}

// Both have their path and a host in common.
void compare(const Spec& earlier, const Spec& later, diag::Sink& sink) {
  const Match &a = earlier.match, &b = later.match;
  const std::set<std::string> hosts_a = hosts_of(a), hosts_b = hosts_of(b);
  const bool all_hosts = std::includes(hosts_a.begin(), hosts_a.end(), hosts_b.begin(), hosts_b.end());
  const bool same_conditions = conditions_of(a) == conditions_of(b);
  if (all_hosts && same_conditions && covers_methods(a, b)) {
    warn(sink, "route-unreachable", later, earlier, "route `" + later.name + "` can never be reached: `" + earlier.name + "` takes all of its requests",
         "this one comes first", "remove it, or make its match narrower");
    return;
  }
  const bool methods = (a.methods.empty() && b.methods.empty()) || overlap(a, b);
  const bool ranks = a.headers.size() == b.headers.size() && a.query.size() == b.query.size() && a.methods.empty() == b.methods.empty();
  if (methods && ranks)
    warn(sink, "route-tie", later, earlier, "routes `" + earlier.name + "` and `" + later.name + "` tie: only their order in the file decides between them",
         "this one wins", "let them differ in methods, or in the number of header or query conditions");
}

}  // namespace

void lint(const std::vector<Spec>& specs, diag::Sink& sink) {
  // Only routes of one path with a host in common can be in each other's way.
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    std::set<std::size_t> earlier;
    for (const std::string& host : hosts_of(specs[i].match)) {
      auto& group = groups[path_key(specs[i].match) + "\n" + host];
      // Beyond some dozens in one place a report would help nobody, and comparing all pairs would be slow.
      if (group.size() >= 64) continue;
      earlier.insert(group.begin(), group.end());
      group.push_back(i);
    }
    for (const std::size_t one : earlier) compare(specs[one], specs[i], sink);
  }
}

}  // namespace gatelab::route
