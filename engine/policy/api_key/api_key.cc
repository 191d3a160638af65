// SPDX-License-Identifier: Apache-2.0
#include "policy/api_key/api_key.h"

#include "base/text.h"
#include "http/uri.h"
#include "policy/consumers.h"

namespace gatelab::policy {
namespace {

constexpr std::size_t kMaxKey = 4096;
enum class Where : std::uint8_t { Header, Query, Cookie };

struct Found {
  std::string_view value;
  std::size_t count = 0;
};


class ApiKey final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "api-key"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  std::string_view secret_query() const noexcept override { return where == Where::Query ? std::string_view(name) : std::string_view(); }

  Step step(Input& in) const noexcept override {
    const Found found = find(in);
    if (found.count == 0 || found.value.empty()) return challenge(in, observe::reason::kMissingKey, "no key in " + place_of_key());
    if (found.count > 1) return challenge(in, observe::reason::kDuplicateKey, "more than one key in " + place_of_key());
    const Consumer* consumer = found.value.size() > kMaxKey ? nullptr : keys->find(found.value);
    if (consumer == nullptr) return challenge(in, observe::reason::kUnknownKey, "a key of nobody");
    in.consumer = consumer;
    in.principal_by = kind();
    if (!forward_key) strip(in);
    if (!groups.empty()) {
      bool member = false;
      for (const std::string& group : groups) member = member || consumer->in_group(group);
      if (!member) return deny(in, observe::reason::kNotInGroup, in.detailed ? in.arena.concat("consumer ", consumer->name) : std::string_view());
    }
    return Step::go_on(in.detailed ? in.arena.concat("consumer ", consumer->name) : std::string_view());
  }

  Where where = Where::Header;
  std::string name = "X-Api-Key";
  std::vector<std::string> groups;  // empty: any consumer
  bool forward_key = false;
  std::shared_ptr<const KeyStore> keys;
  std::string www_authenticate;

 private:
  std::string place_of_key() const {
    return (where == Where::Header ? "header " : where == Where::Query ? "query parameter " : "cookie ") + name;
  }

  Step challenge(Input& in, const observe::Reason& reason, const std::string& detail) const noexcept {
    Step step = deny(in, reason, in.detailed ? in.arena.copy(detail) : std::string_view());
    step.answer->fields.add(http::FieldId::WwwAuthenticate, "WWW-Authenticate", www_authenticate);
    return step;
  }

  Found find(Input& in) const noexcept {
    Found out;
    const auto take = [&out](std::string_view value) {
      out.value = value;
      ++out.count;
    };
    if (where == Where::Query) {
      std::string_view rest = in.request.query, key, value;
      while (http::next_query_pair(rest, key, value))
        if (http::decode_query(key, in.arena) == name) take(http::decode_query(value, in.arena));
      return out;
    }
    for (const http::Field& field : in.request.fields) {
      if (where == Where::Header) {
        if (iequals(field.name, name)) take(field.value);
      } else if (field.id == http::FieldId::Cookie) {
        if (const auto value = http::cookie_value(field.value, name)) take(*value);
      }
    }
    return out;
  }

  // The key goes no further than here.
  void strip(Input& in) const noexcept {
    if (where == Where::Header) {
      in.request.fields.remove(name);
    } else if (where == Where::Query) {
      std::string_view rest = in.request.query, key, value, kept;
      while (http::next_query_pair(rest, key, value)) {
        if (http::decode_query(key, in.arena) == name) continue;
        const bool equals = value.data() != nullptr && value.data() == key.data() + key.size() + 1;
        kept = in.arena.concat(kept, kept.empty() ? "" : "&", key, equals ? "=" : "", value);
      }
      in.request.query = kept;
      in.request.has_query = !kept.empty();
    } else {
      strip_cookie(in);
    }
  }

  void strip_cookie(Input& in) const noexcept {
    for (http::Field& field : in.request.fields) {
      if (field.id != http::FieldId::Cookie) continue;
      std::string_view rest = field.value, kept;
      while (!rest.empty()) {
        const std::size_t end = rest.find(';');
        const std::string_view pair = trim_ows(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (pair.empty() || pair.substr(0, pair.find('=')) == name) continue;
        kept = in.arena.concat(kept, kept.empty() ? "" : "; ", pair);
      }
      field.value = kept;
    }
    const http::Field* cookie = in.request.fields.find(http::FieldId::Cookie);
    if (cookie != nullptr && cookie->value.empty()) in.request.fields.remove(http::FieldId::Cookie);
  }
};

}  // namespace

std::unique_ptr<Policy> parse_api_key(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `api-key`");
  auto policy = std::make_unique<ApiKey>();
  int places = 0;
  constexpr std::pair<std::string_view, Where> kPlaces[] = {{"header", Where::Header}, {"query", Where::Query}, {"cookie", Where::Cookie}};
  for (const auto& [key, where] : kPlaces) {
    auto name = r.text(key);
    if (!name) continue;
    if (++places > 1) context.sink.error("two-places", r.key_span(key), "a key is read from one place: header, query or cookie");
    if (where != Where::Query && !http::is_token(*name)) context.sink.error("bad-header", r.span_of(key), "`" + *name + "` is not a " + std::string(key) + " name");
    policy->where = where;
    policy->name = std::move(*name);
  }
  for (auto& group : r.texts("groups")) {
    bool known = false;
    for (const auto& consumer : context.consumers.all) known = known || consumer->in_group(group.value);
    if (!known) context.sink.error("unknown-group", group.span, "no consumer is in a group `" + group.value + "`", "groups are given to consumers under `consumers`");
    policy->groups.push_back(std::move(group.value));
  }
  policy->forward_key = r.boolean("forward_key", false);
  r.finish();
  if (!r.valid()) return nullptr;
  if (context.consumers.all.empty()) context.sink.warning("no-consumers", r.span(), "no consumer is configured: every request will be refused", "add `consumers`");
  policy->keys = context.consumers.keys;
  // The scheme has no registered name; naming the place helps people and gives nothing away.
  policy->www_authenticate = "ApiKey realm=\"gatelab\", " + std::string(kPlaces[static_cast<std::size_t>(policy->where)].first) + "=\"" + policy->name + "\"";
  return policy;
}

}  // namespace gatelab::policy
