// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/compare.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "base/utf8.h"

namespace gatelab::harness::diff {
namespace {

// What can be seen of one request, by name, in order.
class Facts {
 public:
  explicit Facts(const Observed& seen) : id_(seen.logged ? seen.record.request_id : seen.answer.request_id) {
    if (!seen.problem.empty()) add("problem", seen.problem);
    ending(seen);
    answer(seen.answer, seen.answer.status == 404 && !seen.upstream.empty() && !seen.upstream.back().near_miss.empty());
    for (std::size_t i = 0; i < seen.upstream.size(); ++i) upstream(seen.upstream[i], seen.places[i], "upstream " + std::to_string(i + 1));
    if (seen.logged) decisions(seen.record);
    for (const auto& [name, value] : seen.states) add(name, value);
  }
  const Texts& all() const noexcept { return all_; }
  // Null: there is none.
  const Texts::value_type* find(const std::string& name) const noexcept {
    // Headers are one whatever the case of their letters (RFC 9110 §5.1): the name says how the first was spelled.
    const bool header = name.find("header ") != std::string::npos || name.starts_with("trailer ");
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& fact) { return header ? iequals(fact.first, name) : fact.first == name; });
    return found == all_.end() ? nullptr : &*found;
  }

 private:
  // No two engines need give a request the same id.
  void add(std::string name, std::string value) {
    for (std::size_t at = id_.empty() ? std::string::npos : value.find(id_); at != std::string::npos; at = value.find(id_, at + 4)) value.replace(at, id_.size(), "(id)");
    if (const auto* known = find(name)) all_[static_cast<std::size_t>(known - all_.data())].second += ", " + value;
    else all_.emplace_back(std::move(name), std::move(value));
  }
  void ending(const Observed& seen) {
    const Ending ending = ending_of(seen);
    add("status", ending.status == 0 ? "none" : std::to_string(ending.status));
    if (!seen.answer.error.empty()) add("error", seen.answer.error);
    if (!seen.logged) return add("log", "no record");
    add("route", ending.route);
    add("ended by", ending.policy);
    add("reason", ending.reason);
    add("phase", std::string(observe::name(seen.record.ended_phase)));
    add("consumer", seen.record.consumer.empty() ? "nobody" : seen.record.consumer);
    add("client", format(seen.record.client.ip));
  }
  // `unmatched`: a mock's own answer, which says which stub of which file came nearest: where that stands is no difference.
  void answer(const Answer& a, bool unmatched) {
    for (const auto& [name, value] : a.headers)
      if (!unmatched || name != "Content-Length") add("header " + name, value);
    for (const auto& [name, value] : a.trailers) add("trailer " + name, value);
    for (const int status : a.interim) add("interim", std::to_string(status));
    add("body", unmatched ? "unmatched-stub" : content_of(a));
    add("closed", a.closed ? "yes" : "no");
    add("latency", format(a.latency));
  }
  void upstream(const SeenRequest& r, const std::string& place, const std::string& which) {
    add(which, r.upstream + "/" + r.target + " at " + place);
    add(which + ": request", r.method + " " + r.path + (r.query.empty() ? "" : "?" + r.query));
    for (const auto& [name, value] : r.headers) add(which + ": header " + name, value);
    add(which + ": body", r.body);
    if (!r.proxied.empty()) add(which + ": PROXY header", r.proxied);
  }
  void decisions(const observe::OwnedRecord& r) {
    for (const auto& d : r.decisions)
      if (!d.id.empty()) add("policy " + d.id, std::string(observe::name(d.phase)) + " " + std::string(observe::name(d.outcome)) + (d.reason.empty() ? "" : " " + d.reason));
    for (const auto& a : r.attempts)
      add("attempts", a.upstream + "/" + a.target + " " + (a.status != 0 ? std::to_string(a.status) : a.reason) + " at " + format(a.started) + (a.reused ? " reused" : "") + (a.hedge ? " hedge" : "") + (a.not_retried.empty() ? "" : " not retried: " + a.not_retried));
  }

  std::string id_;
  Texts all_;
};

}  // namespace

Ending ending_of(const Observed& seen) {
  Ending out;
  out.status = seen.answer.status;
  if (!seen.logged) {
    out.reason = !seen.problem.empty() ? seen.problem : seen.answer.error;
    return out;
  }
  out.route = seen.record.route;
  const observe::OwnedRecord& r = seen.record;
  out.policy = r.ended_id.empty() ? r.ended_by : r.ended_by == "upstream" ? "upstream " + r.ended_id : r.ended_id;
  out.reason = seen.record.ended_reason;
  return out;
}

std::vector<Difference> compare(const Observed& a, const Observed& b) {
  const Facts left(a), right(b);
  std::vector<Difference> out;
  for (const auto& [name, value] : left.all()) {
    const auto* other = right.find(name);
    if (other == nullptr) out.push_back({name, value, std::nullopt});
    else if (other->second != value) out.push_back({name, value, other->second});
    else if (other->first != name) out.push_back({name, "(so spelled)", "(spelled " + other->first.substr(other->first.rfind(' ') + 1) + ")"});
  }
  for (const auto& [name, value] : right.all())
    if (left.find(name) == nullptr) out.push_back({name, std::nullopt, value});
  return out;
}

std::string shown(std::string_view octets, std::size_t most) {
  constexpr char kHex[] = "0123456789abcdef";
  const bool binary = !is_utf8(octets);  // a body in a coding
  std::string out;
  for (const char c : octets) {
    if (out.size() >= most) return out + "… (" + std::to_string(octets.size()) + " octets)";
    const auto octet = static_cast<unsigned char>(c);
    if (c == '\n') out += "\\n";
    else if (octet < 0x20 || octet == 0x7f || (binary && octet > 0x7f)) out += {'\\', 'x', kHex[octet >> 4], kHex[octet & 15]};
    else out += c;
  }
  return out;
}

}  // namespace gatelab::harness::diff
