// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/difference_text.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/text.h"

namespace gatelab::harness {
namespace {

constexpr std::size_t kGroups = 10, kLines = 12, kLinesOfOther = 3, kOthers = 6;

std::string request_line(const DifferentExchange& one) { return one.request.empty() ? one.exchange->request.method + " " + one.exchange->request.target : one.request; }

// Made anew for each answer, by whatever gateway.
bool is_fresh(std::string_view header) {
  for (const std::string_view name : {"x-request-id", "x-correlation-id", "request-id", "traceparent", "tracestate", "date", "via", "age", "server-timing"})
    if (iequals(header, name)) return true;
  return false;
}

std::string counted(std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

void add_first(std::string& out, const DifferentExchange& first) {
  const std::string place = diag::place(first.exchange->span);
  out += "    " + request_line(first) + "  (" + first.exchange->id + (place.empty() ? "" : ", " + place) + ")\n";
  // Of an answer with another status everything differs.
  const std::size_t most = first.differences.front().place == "status" ? kLinesOfOther : kLines;
  for (std::size_t i = 0; i < std::min(first.differences.size(), most); ++i) {
    const Difference& d = first.differences[i];
    out += "      " + d.place + "\n        - " + d.before + "\n        + " + d.after + "\n";
  }
  if (first.differences.size() > most) out += "      and " + std::to_string(first.differences.size() - most) + " more\n";
  for (std::size_t i = 0; i < first.trace.size(); ++i) out += (i == 0 ? "      trace  " : "             ") + first.trace[i] + "\n";
}

void add_others(std::string& out, const std::vector<const DifferentExchange*>& group) {
  if (group.size() == 1) return;
  out += "    and alike: ";
  for (std::size_t i = 1; i < std::min(group.size(), kOthers + 1); ++i) out += (i == 1 ? "" : ", ") + request_line(*group[i]) + " (" + group[i]->exchange->id + ")";
  out += group.size() > kOthers + 1 ? " and " + std::to_string(group.size() - kOthers - 1) + " more\n" : "\n";
}

}  // namespace

std::string signature(const DifferentExchange& one) {
  if (one.differences.front().place == "status") return "status " + one.differences.front().before + " → " + one.differences.front().after;
  std::vector<std::string> places;
  for (const Difference& d : one.differences) {
    std::string place = any_element(d.place);
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(std::move(place));
  }
  constexpr std::size_t kNamed = 4;
  std::string out;
  for (std::size_t i = 0; i < std::min(places.size(), kNamed); ++i) out += (out.empty() ? "" : ", ") + places[i];
  return places.size() > kNamed ? out + " and " + std::to_string(places.size() - kNamed) + " more" : out;
}

std::string difference_text(const std::vector<DifferentExchange>& all, std::size_t compared) {
  std::vector<std::pair<std::string, std::vector<const DifferentExchange*>>> groups;
  std::map<std::string, std::size_t> known;
  for (const DifferentExchange& one : all) {
    const std::string key = signature(one);
    const auto [at, fresh] = known.try_emplace(key, groups.size());
    if (fresh) groups.push_back({key, {}});
    groups[at->second].second.push_back(&one);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  std::string out = "  " + std::to_string(all.size()) + " of " + counted(compared, "exchange") + (all.size() == 1 ? " differs" : " differ") + (groups.size() > 1 ? ", in " + std::to_string(groups.size()) + " ways" : "") + "\n";
  for (std::size_t i = 0; i < std::min(groups.size(), kGroups); ++i) {
    out += "  " + counted(groups[i].second.size(), "exchange") + ": " + groups[i].first + "\n";
    add_first(out, *groups[i].second.front());
    add_others(out, groups[i].second);
  }
  if (groups.size() > kGroups) out += "  and " + std::to_string(groups.size() - kGroups) + " more ways\n";
  out.pop_back();
  return out;
}

std::string hint_of_fresh(const std::vector<DifferentExchange>& all) {
  constexpr std::string_view kHeader = "header ";
  std::vector<std::string> names;
  for (const DifferentExchange& one : all)
    for (const Difference& d : one.differences) {
      if (!d.place.starts_with(kHeader) || !is_fresh(std::string_view(d.place).substr(kHeader.size()))) return {};
      const std::string name = d.place.substr(kHeader.size());
      if (std::none_of(names.begin(), names.end(), [&name](const std::string& known) { return iequals(known, name); })) names.push_back(name);
    }
  if (names.empty()) return {};
  std::string flags, list;
  for (const std::string& name : names) {
    flags += " --ignore-header " + name;
    list += (list.empty() ? "" : ", ") + name;
  }
  return "nothing differs but what gateways make anew for each answer: ignore it with" + flags + " (in a scenario: headers: { ignore: [ " + list + " ] })";
}

}  // namespace gatelab::harness
