// SPDX-License-Identifier: Apache-2.0
#include "policy/aggregate/merge.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace gatelab::policy {
namespace {

using json::Document;
using json::kNone;
using json::Ref;

constexpr std::size_t kMostOctets = 64 * 1024 * 1024;

void fail(PartEnd& end, std::string_view word, std::string why) {
  end.failure = std::string(word);
  end.why = std::move(why);
}

// False: something else stands in the way.
bool put(Document& all, const json::Pointer& at, Ref value) { return at.put(all, value) == kNone; }

// The members of an object become members of the whole; what stands there by such a name gives way. Both may have many.
void spread(Document& all, Ref object) {
  if (all.root() == kNone) return all.set_root(object);
  std::unordered_map<std::string, Ref> there;
  for (Ref member = all.first(all.root()); member != kNone; member = all.next(member)) there.emplace(all.member_name(member), member);
  for (Ref member = all.first(object); member != kNone;) {
    const Ref next = all.next(member);
    const std::string name = all.member_name(member);
    const auto old = there.find(name);
    all.take_out(member);
    if (old != there.end()) all.put_in_place_of(old->second, member);
    else all.append(all.root(), name, member);
    member = next;
  }
}

// What stands further out comes first, so that it has a place for what stands in it.
std::vector<std::size_t> by_depth(const AggregatePlan& plan) {
  std::vector<std::size_t> order(plan.parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&plan](std::size_t a, std::size_t b) { return plan.parts[a].at.tokens().size() < plan.parts[b].at.tokens().size(); });
  return order;
}

Ref graft_text(Document& all, std::string_view text) { return all.graft(*Document::parse(text, AggregatePlan::kLimits)); }

void add_answer(Document& all, const AggregatePart& part, PartEnd& end) {
  auto read = Document::parse(end.body.empty() ? std::string_view("null") : std::string_view(end.body), AggregatePlan::kLimits);
  if (!read) return fail(end, "answer-json", std::string(read.error().what) + ", at octet " + std::to_string(read.error().at + 1));
  const Ref picked = part.pick ? part.pick->find(*read) : read->root();
  if (picked == kNone) return fail(end, "missing-value", "`pick` finds nothing in its answer");
  if (part.at.is_root() && !read->is(picked, json::Kind::Object)) return fail(end, "answer-json", "it is " + std::string(json::name(read->kind(picked))) + ", and only an object's members can stand beside others");
  const Ref value = all.graft(*read) + picked;
  if (picked != read->root()) all.take_out(value);
  if (part.at.is_root()) spread(all, value);
  else if (!put(all, part.at, value)) fail(end, "no-place", "another part has no object where it should stand");
}

void add_instead(Document& all, const AggregatePart& part) {
  if (part.on_failure != OnFailure::Null && part.on_failure != OnFailure::Default) return;
  const Ref value = graft_text(all, part.on_failure == OnFailure::Null ? std::string_view("null") : std::string_view(part.fallback));
  if (part.at.is_root()) spread(all, value);
  else put(all, part.at, value);
}

void add_errors(Document& all, const AggregatePlan& plan, const std::vector<PartEnd>& parts) {
  const Ref list = all.add(json::Kind::Object);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].failure.empty()) continue;
    const Ref one = all.add(json::Kind::Object);
    all.append(one, "reason", all.add_text(parts[i].failure));
    if (parts[i].status != 0) all.append(one, "status", all.add_literal(json::Kind::Number, std::to_string(parts[i].status)));
    all.append(list, plan.parts[i].name, one);
  }
  put(all, *plan.errors, list);
}

}  // namespace

std::size_t Merge::culprit() const noexcept {
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!parts[i].failure.empty() && plan->parts[i].on_failure <= OnFailure::Pass) return i;
  return parts.size();
}

bool Merge::is_partial() const noexcept {
  return std::any_of(parts.begin(), parts.end(), [](const PartEnd& end) { return !end.failure.empty(); });
}

void Merge::run() noexcept {
  Document all;
  for (const std::size_t i : by_depth(*plan)) {
    PartEnd& end = parts[i];
    if (!end.asked) continue;
    if (end.failure.empty()) add_answer(all, plan->parts[i], end);
    if (!end.failure.empty()) add_instead(all, plan->parts[i]);
  }
  if (culprit() != parts.size()) return;
  if (all.root() == kNone) all.set_root(all.add(json::Kind::Object));
  if (plan->errors && is_partial()) add_errors(all, *plan, parts);
  is_too_large = !all.write(text, kMostOctets);
}

}  // namespace gatelab::policy
