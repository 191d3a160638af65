// SPDX-License-Identifier: Apache-2.0
#include "policy/aggregate/gathering.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "http/forwarded.h"
#include "http/hop.h"
#include "policy/path/rewrite.h"

namespace gatelab::policy {
namespace {

// Fields that speak of the client's own request, and would be wrong of another: its body, its conditions, what it takes.
bool is_left_out(const http::Field& f) noexcept {
  static constexpr std::array<std::string_view, 9> kNames{"Accept", "Accept-Encoding", "Digest", "Repr-Digest", "Expect", "Range", "TE", "Trailer", "Transfer-Encoding"};
  const auto begins = [&f](std::string_view with) { return f.name.size() > with.size() && iequals(f.name.substr(0, with.size()), with); };
  return begins("Content-") || begins("If-") || std::any_of(kNames.begin(), kNames.end(), [&f](std::string_view name) { return iequals(f.name, name); });
}

// A scalar as text, a list's scalars with commas between them; an object is nothing. As claims are.
std::string text_of(const json::Document& document, json::Ref at) {
  switch (document.kind(at)) {
    case json::Kind::Null:
    case json::Kind::Object: return {};
    case json::Kind::Bool:
    case json::Kind::Number: return std::string(document.raw(at));
    case json::Kind::String: return document.text(at);
    case json::Kind::Array: break;
  }
  std::string out;
  for (json::Ref item = document.first(at); item != json::kNone; item = document.next(item)) {
    if (document.kind(item) == json::Kind::Array) continue;
    const std::string one = text_of(document, item);
    if (!one.empty()) out.append(out.empty() ? "" : ",").append(one);
  }
  return out;
}

// The part's configuration has a field that this name reads like.
bool is_set_as(const AggregatePart& part, std::string_view name) noexcept {
  return std::any_of(part.headers.begin(), part.headers.end(), [name](const auto& header) { return http::reads_like(header.first, name); });
}

bool is_success(const AggregatePart& part, std::uint16_t status) noexcept { return part.accepted ? part.accepted->has(status) : status >= 200 && status < 300; }

}  // namespace

std::string_view Gathering::part_value(std::string_view name, std::string_view pointer, Arena& arena) const noexcept {
  const std::size_t i = plan_.find(name);
  if (i == parts_.size() || !parts_[i].document) return {};
  const auto path = json::Pointer::parse(pointer);
  const json::Ref at = path ? path->find(*parts_[i].document) : json::kNone;
  return at == json::kNone ? std::string_view() : arena.copy(text_of(*parts_[i].document, at));
}

const Call* Gathering::after(const Call* ended) noexcept {
  for (std::size_t i = 0; ended != nullptr && i < parts_.size(); ++i)
    if (parts_[i].call == ended) judge(i);
  const Call* first = nullptr;
  // What can't be asked has ended at once, and others may wait for it.
  for (bool again = true; again && !is_over_;) {
    again = false;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!may_begin(i)) continue;
      again = true;
      if (const Call* call = begin(i)) {
        parts_[i].call->next = first;
        first = call;
      }
    }
  }
  return is_over_ ? nullptr : first;
}

bool Gathering::may_begin(std::size_t i) const noexcept {
  const std::vector<std::size_t>& after = plan_.parts[i].after;
  return parts_[i].state == Part::State::Waits && std::all_of(after.begin(), after.end(), [this](std::size_t other) { return parts_[other].state == Part::State::Ended; });
}

void Gathering::judge(std::size_t i) noexcept {
  const AggregatePart& part = plan_.parts[i];
  const CallAnswer& answer = *parts_[i].answer;
  PartEnd& end_of_it = merge->parts[i];
  end_of_it.status = answer.status;
  if (!answer.failure.empty()) return end(i, answer.failure, {});
  if (!is_success(part, answer.status)) return end(i, "status", "it answered " + std::to_string(answer.status));
  const http::Field* coding = answer.fields.find(http::FieldId::ContentEncoding);
  if (coding != nullptr && !iequals(coding->value, "identity")) return end(i, "answer-encoding", "it is in a content coding, though it was asked for none");
  if (part.is_read) {
    auto read = json::Document::parse(answer.body.empty() ? std::string_view("null") : answer.body, AggregatePlan::kLimits);
    if (!read) return end(i, "answer-json", std::string(read.error().what) + ", at octet " + std::to_string(read.error().at + 1));
    parts_[i].document = std::move(*read);
  }
  end(i, {}, {});
}

void Gathering::end(std::size_t i, std::string_view failure, std::string why) noexcept {
  const AggregatePart& part = plan_.parts[i];
  parts_[i].state = Part::State::Ended;
  merge->parts[i].failure = std::string(failure);
  merge->parts[i].why = std::move(why);
  if (failure.empty()) return;
  if (part.on_failure <= OnFailure::Pass) is_over_ = true;
  if (part.on_failure != OnFailure::Default || !part.is_read) return;
  auto read = json::Document::parse(part.fallback, AggregatePlan::kLimits);
  if (read) parts_[i].document = std::move(*read);
}

// Null: it can't be asked, and has ended.
const Call* Gathering::begin(std::size_t i) noexcept {
  const AggregatePart& part = plan_.parts[i];
  if (!part.when.fits(in_)) {
    merge->parts[i].asked = false;
    end(i, {}, {});
    return nullptr;
  }
  Call& call = *in_.arena.make<Call>();
  std::string why;
  in_.parts = this;
  const bool fine = set_target(part, call, why) && set_fields(part, call, why);
  in_.parts = nullptr;
  if (!fine) {
    end(i, "missing-value", std::move(why));
    return nullptr;
  }
  parts_[i].state = Part::State::Asked;
  parts_[i].call = &call;
  parts_[i].answer = call.answer = in_.arena.make<CallAnswer>(in_.arena);
  call.name = part.name;
  call.upstream = part.upstream;
  call.method = part.method;
  call.timeout = part.timeout != Duration{} ? part.timeout : plan_.timeout;
  call.max_octets = part.max_size;
  set_cache(part, call);
  return &call;
}

bool Gathering::set_target(const AggregatePart& part, Call& call, std::string& why) noexcept {
  std::string path, query;
  std::string_view missing;
  if (!part.path.append_to_path(path, in_, missing) || (part.query && !part.query->append_to_query(query, in_, missing))) {
    why = missing;
    return false;
  }
  const RewrittenPath checked = checked_path(path, in_);
  why = checked.why;
  if (!checked.why.empty()) return false;
  call.path = checked.path;
  call.query = in_.arena.copy(query);
  return query.size() <= Template::kMost;
}

bool Gathering::set_fields(const AggregatePart& part, Call& call, std::string& why) noexcept {
  auto& fields = *in_.arena.make<http::Fields>(in_.arena);
  call.fields = &fields;
  // As for any target: a field that reads like another one does not go on beside it.
  const http::RequestHead& head = in_.request;
  for (const http::Field& f : head.fields) {
    const bool confuses = head.has_underscores && (http::is_forwarding_field(f.name) || http::reads_like_another(head.fields, f.name) || is_set_as(part, f.name));
    if (!is_left_out(f) && !confuses) fields.add(f.id, f.name, f.value);
  }
  fields.set("Accept", "application/json");
  fields.set("Accept-Encoding", "identity");
  for (const auto& [name, value] : part.headers) {
    const std::string_view text = value.render(in_);
    if (text.empty() && !value.is_literal()) fields.remove(name);
    else if (http::is_field_value(text)) fields.set(name, text);
    else return why = "what `" + name + "` would be is no value of a header", false;
  }
  if (!part.body) return true;
  RenderedTexts rendered;
  part.body->render(in_, rendered);
  json::Document document;
  std::size_t at = 0;
  document.set_root(part.body->make(document, rendered, at));
  std::string text;
  if (!document.write(text, part.max_size)) return why = "its body is longer than max_size", false;
  call.body = in_.arena.copy(text);
  fields.set("Content-Type", "application/json");
  return true;
}

// The part's cache policy looks at the client's request: who that is from, and whether it may be answered from a cache at all.
void Gathering::set_cache(const AggregatePart& part, Call& call) noexcept {
  if (part.cache == nullptr || (part.method != "GET" && part.method != "HEAD")) return;
  const CacheUse* const before = std::exchange(in_.cache, nullptr);
  (void)part.cache->step(in_);
  call.cache = std::exchange(in_.cache, before);
}

void Gathering::finish() noexcept {
  // All had as long as the configuration gives them.
  for (std::size_t i = 0; i < parts_.size() && !is_over_; ++i)
    if (parts_[i].state != Part::State::Ended) end(i, observe::reason::kTotalTimeout.word, {});
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (parts_[i].state == Part::State::Ended && merge->parts[i].failure.empty() && parts_[i].answer != nullptr) merge->parts[i].body = parts_[i].answer->body;
}

}  // namespace gatelab::policy
