// SPDX-License-Identifier: Apache-2.0
#include "policy/aggregate/plan.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "config/json.h"
#include "policy/cache/cache.h"
#include "policy/json/target.h"

namespace gatelab::policy {
namespace {

constexpr std::string_view kExample = "parts: { user: { upstream: users, path: '/users/${path.id}' } }";

bool is_part_name(std::string_view name) noexcept {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto fits = [is_letter](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 64 && is_letter(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

// What becomes of one part; the names of all are known.
class PartParser {
 public:
  PartParser(const config::Entry& entry, const std::vector<std::string>& names, Context& context)
      : entry_(entry), names_(names), context_(context), sink_(context.sink), r_(*entry.value, context.sink, "part `" + entry.key + "`") {}

  std::optional<AggregatePart> parse() {
    const std::size_t before = sink_.errors();
    out_.name = entry_.key;
    r_.require("upstream");
    if (const auto name = r_.text("upstream"))
      if (const auto index = context_.upstream(*name, r_.span_of("upstream"))) out_.upstream = *index;
    method();
    target();
    headers();
    if (const config::Node* json = r_.get("json")) {
      out_.body = JsonNewValue::parse(*json, sink_, &names_);
      if (out_.body && (out_.method == "GET" || out_.method == "HEAD")) sink_.error("no-effect", r_.key_span("json"), "a GET has no body", "method: POST");
    }
    out_.when = When::parse(r_.get("when"), "aggregate", sink_);
    if (const auto timeout = r_.duration("timeout")) out_.timeout = *timeout;
    out_.max_size = r_.size("max_size", ByteSize{1024 * 1024}).bytes;
    if (out_.max_size == 0 || out_.max_size > 16 * 1024 * 1024) sink_.error("out-of-range", r_.span_of("max_size"), "`max_size` is between 1B and 16MiB: the answer is held in memory");
    if (const config::Node* status = r_.get("status")) out_.accepted = Statuses::parse(status, sink_);
    if (const config::Node* pick = r_.get("pick")) out_.pick = parse_json_pointer(pick->text, pick->span, sink_);
    place();
    failure();
    cache();
    r_.elsewhere("url", "a part asks an upstream: upstreams: { users: { url: … } }");
    r_.elsewhere("body", "write json: …");
    r_.elsewhere("name", "the part's name is the key before it");
    r_.finish();
    if (!r_.valid() || sink_.errors() != before) return std::nullopt;
    return std::move(out_);
  }

 private:
  void method() {
    out_.method = r_.text("method", "GET");
    if (!http::is_token(out_.method) || out_.method == "CONNECT") sink_.error("bad-method", r_.span_of("method"), "`" + out_.method + "` is no method that a part can have");
  }

  void target() {
    const config::Node* node = r_.require("path");
    const auto text = node == nullptr ? std::nullopt : r_.text("path");
    if (!text) return;
    const std::size_t mark = text->find('?');
    const auto path = Template::parse(std::string_view(*text).substr(0, mark), node->span, sink_, &names_);
    const auto query = mark == std::string::npos ? std::nullopt : Template::parse(std::string_view(*text).substr(mark + 1), node->span, sink_, &names_);
    if (!path || (mark != std::string::npos && !query)) return;
    const std::string sample = path->sample();
    if (!sample.starts_with("/") || sample.find_first_of(" \t\r\n#") != std::string::npos || (query && query->sample().find_first_of(" \t\r\n#") != std::string::npos))
      return sink_.error("bad-path", node->span, "`" + *text + "` is not a path", "path: '/users/${path.id}?fields=name'");
    out_.path = *path;
    out_.query = query;
  }

  void headers() {
    const config::Node* node = r_.get("headers");
    if (node == nullptr) return;
    if (node->kind != config::Kind::Map) return sink_.error("wrong-type", node->span, "`headers` of a part must be a map, not " + std::string(config::kind_name(node->kind)));
    for (const config::Entry& entry : node->entries) {
      const http::FieldId id = http::field_id(entry.key);
      const bool framing = id == http::FieldId::Host || id == http::FieldId::ContentLength || id == http::FieldId::TransferEncoding || id == http::FieldId::Connection;
      if (!http::is_token(entry.key) || framing) sink_.error("bad-header", entry.key_span, "`" + entry.key + "` is not a header that can be set here");
      else if (!http::is_field_value(entry.value->text)) sink_.error("bad-header-value", entry.value->span, "the value of `" + entry.key + "` can't be sent");
      else if (auto value = Template::parse(entry.value->text, entry.value->span, sink_, &names_)) out_.headers.emplace_back(entry.key, std::move(*value));
    }
  }

  void place() {
    std::string own;
    json::append_token(own, out_.name);
    const config::Node* at = r_.get("at");
    const auto parsed = at == nullptr ? std::optional(*json::Pointer::parse(own)) : parse_json_pointer(at->text, at->span, sink_);
    if (parsed) out_.at = *parsed;
  }

  void failure() {
    const config::Node* fallback = r_.get("default");
    out_.on_failure = static_cast<OnFailure>(r_.choice("on_failure", fallback != nullptr ? 4 : 0, {"fail", "pass", "omit", "null", "default"}));
    if (fallback != nullptr) {
      out_.fallback = config::to_json(*fallback);
      const auto read = json::Document::parse(out_.fallback, AggregatePlan::kLimits);
      if (!read) sink_.error("bad-json", fallback->span, "this is no value that JSON has: " + std::string(read.error().what));
      else if (out_.at.is_root() && !read->is(read->root(), json::Kind::Object)) sink_.error("bad-json", fallback->span, "what stands beside other parts' members is an object");
      if (out_.on_failure != OnFailure::Default) sink_.error("no-effect", r_.key_span("default"), "`default` has no effect: `on_failure` says otherwise");
    } else if (out_.on_failure == OnFailure::Default) {
      sink_.error("missing-key", r_.span_of("on_failure"), "what stands in the part's place is missing", "default: []");
    }
    if (out_.on_failure == OnFailure::Null && out_.at.is_root()) sink_.error("no-effect", r_.span_of("on_failure"), "null can't stand beside other parts' members", "on_failure: omit");
  }

  void cache() {
    const config::Node* node = r_.get("cache");
    if (node == nullptr) return;
    if (out_.method != "GET" && out_.method != "HEAD") return sink_.error("no-effect", r_.key_span("cache"), "only GET and HEAD are answered from a cache");
    out_.cache = parse_cache(*node, context_);
    if (!out_.cache) return;
    out_.cache->id = context_.default_id + "/" + out_.name;
    out_.cache->span = r_.key_span("cache");
  }

  const config::Entry& entry_;
  const std::vector<std::string>& names_;
  Context& context_;
  diag::Sink& sink_;
  config::Reader r_;
  AggregatePart out_;
};

bool overlap(const json::Pointer& a, const json::Pointer& b) { return a.is_within(b) || b.is_within(a); }

// Two parts in one place, or one where the errors are.
void check_places(const AggregatePlan& plan, const config::Node& parts, diag::Sink& sink) {
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const AggregatePart& part = plan.parts[i];
    if (part.at.is_root()) continue;
    if (plan.errors && overlap(*plan.errors, part.at)) sink.error("same-place", parts.entries[i].key_span, "part `" + part.name + "` and the errors stand in one place", "errors: a place of their own");
    for (std::size_t k = 0; k < i; ++k)
      if (plan.parts[k].at.tokens() == part.at.tokens() && plan.parts[k].when.is_always() && part.when.is_always())
        sink.error("same-place", parts.entries[i].key_span, "parts `" + plan.parts[k].name + "` and `" + part.name + "` stand in one place: one of them would be lost", "give one of them another `at`");
  }
}

void find_order(AggregatePlan& plan) {
  for (AggregatePart& part : plan.parts) {
    std::vector<std::string_view> needed;
    part.path.add_parts(needed);
    if (part.query) part.query->add_parts(needed);
    for (const auto& [name, value] : part.headers) value.add_parts(needed);
    if (part.body) part.body->add_parts(needed);
    for (const std::string_view name : needed) {
      const std::size_t i = plan.find(name);
      plan.parts[i].is_read = true;
      if (std::find(part.after.begin(), part.after.end(), i) == part.after.end()) part.after.push_back(i);
    }
  }
}

// The first part that waits for itself, over whatever others; parts.size(): none does.
std::size_t find_circle(const AggregatePlan& plan) {
  std::vector<bool> ended(plan.parts.size());
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
      const auto& after = plan.parts[i].after;
      if (ended[i] || !std::all_of(after.begin(), after.end(), [&ended](std::size_t other) { return ended[other]; })) continue;
      ended[i] = again = true;
    }
  }
  return static_cast<std::size_t>(std::find(ended.begin(), ended.end(), false) - ended.begin());
}

}  // namespace

std::shared_ptr<const AggregatePlan> parse_plan(const config::Node& node, Context& context) {
  diag::Sink& sink = context.sink;
  const std::size_t before = sink.errors();
  config::Reader r(node, sink, "policy `aggregate`");
  auto plan = std::make_shared<AggregatePlan>();
  plan->timeout = r.duration("timeout", std::chrono::seconds(10));
  if (const config::Node* errors = r.get("errors")) {
    plan->errors = parse_json_pointer(errors->text, errors->span, sink);
    if (plan->errors && plan->errors->is_root()) sink.error("bad-json-pointer", errors->span, "the errors need a place of their own", "errors: /errors");
  }
  const config::Node* parts = r.require("parts");
  for (const std::string_view key : {"upstream", "path", "on_failure", "cache"}) r.elsewhere(key, "it stands in a part: parts: { user: { upstream: users, path: '/users/${path.id}' } }");
  r.finish();
  if (parts == nullptr) return nullptr;
  if (parts->kind != config::Kind::Map || parts->entries.empty()) {
    sink.error("wrong-type", parts->span, "`parts` must be a map of names to calls", std::string(kExample));
    return nullptr;
  }
  if (parts->entries.size() > AggregatePlan::kMostParts) sink.error("out-of-range", parts->span, "there are " + std::to_string(parts->entries.size()) + " parts; an answer is made of 32 at most");
  std::vector<std::string> names;
  for (const config::Entry& entry : parts->entries) {
    names.push_back(entry.key);
    if (!is_part_name(entry.key)) sink.error("bad-name", entry.key_span, "`" + entry.key + "` is no name of a part: letters, digits, - and _, the first a letter");
  }
  for (const config::Entry& entry : parts->entries)
    if (auto part = PartParser(entry, names, context).parse()) plan->parts.push_back(std::move(*part));
  if (!r.valid() || sink.errors() != before) return nullptr;
  check_places(*plan, *parts, sink);
  if (sink.errors() != before) return nullptr;
  find_order(*plan);
  const std::size_t circle = find_circle(*plan);
  if (circle == plan->parts.size()) return plan;
  sink.error("circle", parts->entries[circle].key_span, "part `" + plan->parts[circle].name + "` waits for a value that it has to give itself, perhaps over others");
  return nullptr;
}

}  // namespace gatelab::policy
