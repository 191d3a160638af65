// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/explore.h"

#include <algorithm>

#include "base/text.h"
#include "config/node.h"
#include "policy/when.h"

namespace gatelab::harness::diff {
namespace {

bool is_sibling(std::string_view key) { return key == "id" || key == "mode" || key == "if"; }

// What is wrong with it has been told: both configurations are built.
void ask(const config::Node* node, Asked asked, View& out) {
  if (node == nullptr) return;
  diag::Sink quiet;
  const std::optional<config::Node> map = node->kind == config::Kind::Text ? policy::When::spelt_out(*node, quiet) : std::nullopt;
  config::Reader r(map ? *map : *node, quiet, asked.about);
  asked.layers.push_back({route::parse_match(r, asked.about), texts_of(r.get("addresses"))});
  for (const std::string_view key : {"consumers", "groups", "scopes", "claims"}) asked.who = asked.who || r.get(key) != nullptr;
  // Who calls is told apart as by `allow`.
  if (asked.who) out.policies.push_back({"allow", node});
  out.asked.push_back(asked);
  asked.about = "what is excepted from " + asked.about;
  ask(r.get("not"), std::move(asked), out);
}

void flatten(const config::Node* list, View& out) {
  if (list == nullptr) return;
  for (const config::Node& item : list->items)
    for (const config::Entry& entry : item.entries) {
      if (is_sibling(entry.key)) continue;
      out.policies.push_back({entry.key, entry.value.get()});
      ask(item.find("if"), {"the `if` of " + entry.key, {}}, out);
      ask(entry.value->find("when"), {"the `when` of " + entry.key, {}}, out);
      if (entry.key != "any-of" && entry.key != "all-of") continue;
      flatten(entry.value.get(), out);
      for (const config::Entry& inner : entry.value->entries) flatten(inner.value.get(), out);
    }
}

const config::Node* route_node(const config::Node& tree, const std::string& name) {
  const config::Node* routes = tree.find("routes");
  if (routes != nullptr)
    for (const config::Node& item : routes->items)
      if (const config::Node* given = item.find("name"); given != nullptr && given->text == name) return &item;
  return nullptr;
}

// Of the first range that lets anybody through.
IpAddress allowed_address(const std::vector<PolicyNode>& policies) {
  for (const PolicyNode& policy : policies)
    if (policy.kind == "ip-filter")
      for (const std::string& text : texts_of(policy.node->find("allow")))
        if (const IpAddress ip = address_in(text); ip.family != IpAddress::Family::None) return ip;
  return {};
}

void header_names(const config::Node* edit, std::set<std::string>& out) {
  if (edit == nullptr) return;
  for (const std::string_view how : {"remove", "set", "add"})
    if (const config::Node* given = edit->find(how)) {
      for (const std::string& name : texts_of(given)) out.insert(name);
      for (const config::Entry& entry : given->entries) out.insert(entry.key);
    }
}

bool passes(const std::vector<Observed>& seen) { return !seen.empty() && (!seen.back().record.attempts.empty() || (seen.back().answer.status > 0 && seen.back().answer.status < 400)); }

}  // namespace

std::string path_for(const route::Match& match) {
  switch (match.path_kind) {
    case route::PathKind::Any: return "/any";
    case route::PathKind::Exact: return match.path;
    case route::PathKind::Prefix: return match.path == "/" ? "/1" : match.path + "/1";
    case route::PathKind::Regex: return sample_of(match.path);
    case route::PathKind::Template: break;
  }
  std::string out;
  for (std::size_t i = 0; i < match.path.size(); ++i) {
    if (match.path[i] != '{') {
      out += match.path[i];
      continue;
    }
    out += '1';
    i = std::min(match.path.find('}', i), match.path.size());
  }
  return out;
}

std::string value_for(const route::Condition& condition) {
  return condition.kind == route::Condition::Kind::Equals ? condition.value : condition.kind == route::Condition::Kind::Regex ? sample_of(condition.value) : "1";
}

IpAddress address_in(const std::string& text) {
  const auto range = parse_cidr(text);
  if (!range) return {};
  IpAddress ip = range->base;
  const std::size_t last = ip.family == IpAddress::Family::V4 ? 3 : 15;
  if (range->bits < (last + 1) * 8) ip.octets[last] = static_cast<std::uint8_t>(ip.octets[last] | 1);
  return ip;
}

Request with(Request request, const Identity& identity) {
  for (const auto& [name, value] : identity.headers) request.headers.emplace_back(name, value);
  for (const auto& [name, value] : identity.cookies) request.headers.emplace_back("Cookie", name + "=" + value);
  for (const auto& [name, value] : identity.query) add_query(request, name, value);
  if (!identity.token.empty()) request.token = identity.token;
  return request;
}

void set_header(Request& request, const std::string& name, const std::string& value) {
  for (auto& [known, old] : request.headers)
    if (iequals(known, name)) {
      old = value;
      return;
    }
  request.headers.emplace_back(name, value);
}

void add_query(Request& request, const std::string& name, const std::string& value) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~'; };
  request.target += request.target.find('?') == std::string::npos ? '?' : '&';
  append_percent_encoded(request.target, name, plain);
  request.target += '=';
  append_percent_encoded(request.target, value, plain);
}

std::string path_of(const Request& request) { return request.target.substr(0, request.target.find('?')); }

void set_path(Request& request, const std::string& path) {
  const std::size_t query = request.target.find('?');
  request.target = path + (query == std::string::npos ? "" : request.target.substr(query));
}

std::vector<std::string> texts_of(const config::Node* node) {
  std::vector<std::string> out;
  if (node == nullptr) return out;
  if (node->kind != config::Kind::List && node->kind != config::Kind::Map && !node->text.empty()) out.push_back(node->text);
  for (const config::Node& item : node->items)
    if (!item.text.empty()) out.push_back(item.text);
  return out;
}

Probe& add(Probes& probes, const View& view, const std::string& about) {
  Probe& probe = probes.emplace_back();
  probe.about = about + " (route " + view.route->name + " of " + view.configuration->name() + ")";
  return probe;
}

void Explorer::look(const Configuration& configuration, const gateway::Model& model) {
  for (const auto& listener : model.listeners) all_.listeners.insert(listener.name);
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    View view{&configuration, &model, &model.routes[i], &model.table->spec(static_cast<std::int32_t>(i)).match, {}, {}, {}, {}, {}, 0};
    flatten(model.tree->find("policies"), view);
    if (const config::Node* node = route_node(*model.tree, view.route->name)) flatten(node->find("policies"), view);
    const route::Match& match = *view.match;
    std::string host = match.hosts.empty() || match.hosts.front().value == "*" ? "localhost" : match.hosts.front().value;
    if (host.starts_with("*.")) host = "a" + host.substr(1);
    view.bare.headers.emplace_back("Host", host);
    for (const auto& named : match.hosts)
      if (named.value != "*") all_.hosts.insert(named.value.starts_with("*.") ? "a" + named.value.substr(1) : named.value);
    view.bare.target = path_for(match);
    if (view.bare.target.empty()) {
      notes_.insert("no path was found that matches `" + match.path + "` of route `" + view.route->name + "`");
      continue;
    }
    if (!match.methods.empty()) view.bare.method = match.methods.front();
    all_.methods.insert(match.methods.begin(), match.methods.end());
    for (const auto& condition : match.headers) set_header(view.bare, condition.name, value_for(condition));
    for (const auto& condition : match.query) add_query(view.bare, condition.name, value_for(condition));
    view.bare.from = allowed_address(view.policies);
    for (const PolicyNode& policy : view.policies)
      if (policy.kind == "headers") header_names(policy.node->find("request"), all_.request_headers);
    view.identities = identities_.of(view, notes_);
    settle(view);
    views_.push_back(std::move(view));
  }
}

// The first identity that the route lets pass; else the one that was made to.
void Explorer::settle(View& view) {
  view.good = view.identities.size() > 1 ? 1 : 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(view.identities.size(), 12); ++i) {
    Probe probe;
    probe.send(with(view.bare, view.identities[i]));
    const auto seen = play(*view.configuration, common_, probe);
    if (!seen || !passes(*seen)) continue;
    view.good = i;
    break;
  }
  view.base = with(view.bare, view.identities[view.good]);
}

// Two of them at once: the request of one, asked in the way of another.
void Explorer::combine(const std::vector<Probes>& families, std::size_t most, std::set<std::string>& known, Probes& out) {
  std::vector<const Probe*> single;
  for (const Probes& family : families)
    for (const Probe& probe : family)
      if (probe.steps.size() == 1 && probe.steps.front().count == 1 && probe.steps.front().request.body.size() < 4096) single.push_back(&probe);
  if (single.empty()) return;
  const Random chance(common_.seed);
  for (std::uint64_t n = 0; out.size() < most && n < most * 4; ++n) {
    Dice dice = chance.fork("diff/combine", n);
    const Probe &one = *single[dice.below(single.size())], &other = *single[dice.below(single.size())];
    Request request = one.steps.front().request;
    const Request& donor = other.steps.front().request;
    switch (dice.below(5)) {
      case 0: request.method = donor.method; break;
      case 1: request.target = donor.target; break;
      case 2:
        for (const auto& [name, value] : donor.headers)
          if (!iequals(name, "authorization")) set_header(request, name, value);
        break;
      case 3: request.from = donor.from; break;
      default:
        request.body = donor.body;
        request.has_body = donor.has_body;
        request.coding = donor.coding;
        // As a scenario says by itself of a body in a coding.
        if (!request.coding.empty()) set_header(request, "Content-Encoding", request.coding);
    }
    Probe probe;
    probe.about = one.about + ", and " + other.about;
    probe.send(std::move(request));
    if (known.insert(key_of(probe)).second) out.push_back(std::move(probe));
  }
}

std::vector<Probe> Explorer::probes(std::size_t most, bool combined) {
  look(a_, *pair_.a);
  look(b_, *pair_.b);
  std::vector<Probes> families;
  for (const View& view : views_) {
    probe_routing(view, all_, families.emplace_back());
    probe_conditions(view, families.emplace_back());
    probe_identities(view, families.emplace_back());
    probe_access(view, families.emplace_back(), notes_);
    probe_limits(view, families.emplace_back(), notes_);
    probe_codings(view, families.emplace_back(), notes_);
    probe_listeners(view, families.emplace_back());
    probe_upstream(view, families.emplace_back());
  }
  // Of each family one, then another: a small number still sees all of them.
  Probes out;
  std::set<std::string> known;
  std::size_t left_out = 0;
  bool more = true;
  for (std::size_t i = 0; more; ++i) {
    more = false;
    for (Probes& family : families) {
      if (i >= family.size()) continue;
      more = true;
      if (!known.insert(key_of(family[i])).second) continue;
      if (out.size() < most) out.push_back(family[i]);
      else ++left_out;
    }
  }
  if (left_out > 0) notes_.insert(std::to_string(left_out) + " more probes at boundaries were left out: --explore " + std::to_string(most + left_out) + " sends all");
  else if (combined) combine(families, most, known, out);
  return out;
}

}  // namespace gatelab::harness::diff
