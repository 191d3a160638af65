// SPDX-License-Identifier: Apache-2.0
// From the located tree to a checked model: each room parses its own part, what spans rooms is checked here.
#include "gateway/model.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "gateway/lint.h"
#include "gateway/model_issuers.h"
#include "gateway/model_parts.h"
#include "gateway/model_tls.h"
#include "policy/cache/cache.h"
#include "policy/openapi/openapi.h"

namespace gatelab::gateway {
namespace {

class Assembler {
 public:
  Assembler(const ModelInput& input, std::unique_ptr<config::Node> tree, diag::Sink& sink)
      : input_(input), sink_(sink), model_(std::make_shared<Model>()), files_(input, *model_, sink) {
    model_->source = input.source;
    model_->tree = std::move(tree);
  }

  std::shared_ptr<const Model> build() {
    const std::size_t before = sink_.errors();
    input_.states->begin();
    config::Reader r(*model_->tree, sink_, "the configuration");
    check_version(r);
    model_->listeners = parse_listeners(r.require("listeners"), sink_);
    if (const config::Node* admin = r.get("admin")) model_->admin = parse_admin(*admin, sink_);
    if (const config::Node* log = r.get("log")) model_->log = parse_log(*log, input_.random, sink_);
    if (const config::Node* state = r.get("state")) model_->state = parse_state(*state, files_, sink_);
    check_addresses();
    model_->consumers = policy::parse_consumers(r.get("consumers"), sink_);
    upstreams(r.get("upstreams"));
    caches_ = policy::parse_caches(r.get("caches"), sink_);
    model_->issuers = parse_issuers(r.get("issuers"), input_, *model_, files_, sink_);
    if (const config::Node* trace = r.get("trace")) model_->trace = parse_trace(*trace, *model_, sink_);
    top_policies(r.get("policies"));
    routes(r.require("routes"));
    tls();
    unused_caches();
    for (const std::string_view key : {"stores", "tls", "defaults", "include"}) r.not_supported(key, "it comes later");
    for (const std::string_view key : {"tracing", "telemetry", "otlp"}) r.elsewhere(key, "trace: { otlp: { url: http://127.0.0.1:4318/v1/traces } }");
    r.elsewhere("listener", "write listeners: [ … ]");
    r.elsewhere("services", "upstreams are what others call services");
    r.finish();
    if (!r.valid() || sink_.errors() != before) return nullptr;
    lint(*model_, sink_);
    return model_;
  }

 private:
  void check_version(config::Reader& r) {
    const config::Node* version = r.require("gatelab");
    if (version != nullptr && version->text != "1") sink_.error("bad-version", version->span, "this gatelab reads configurations of version 1, not `" + version->text + "`", "write gatelab: 1");
  }

  void check_addresses() {
    if (!model_->admin) return;
    for (const ListenerConfig& listener : model_->listeners)
      if (listener.endpoint.address == model_->admin->address && listener.endpoint.address.port != 0)
        sink_.error("duplicate-address", listener.span, "the admin API has the address " + format(listener.endpoint) + " already");
  }

  void upstreams(const config::Node* node) {
    if (node == nullptr) return;
    if (node->kind != config::Kind::Map) return sink_.error("wrong-type", node->span, "`upstreams` must be a map of names to upstreams, not " + std::string(config::kind_name(node->kind)));
    for (const config::Entry& entry : node->entries) {
      check_name("upstream", entry.key, entry.key_span);
      upstream_index_[entry.key] = static_cast<std::int32_t>(model_->upstreams.size());
      model_->upstreams.push_back(upstream::parse(entry.key, entry.key_span, *entry.value, sink_));
    }
  }

  void check_name(std::string_view what, std::string_view name, const diag::Span& span) {
    constexpr std::string_view kFine = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    if (name.empty() || name.find_first_not_of(kFine) != std::string_view::npos)
      sink_.error("bad-name", span, "`" + std::string(name) + "` can't be the name of a " + std::string(what), "names are made of letters, digits, dash, dot and underscore");
  }

  // After the routes: their hosts are what `tls: local` makes certificates for.
  void tls() {
    TlsParser parser(input_, files_, sink_);
    for (ListenerConfig& listener : model_->listeners) parser.listener(listener, hosts_);
    for (upstream::Config& upstream : model_->upstreams) {
      parser.upstream(upstream);
      keep_targets(upstream, *input_.states);
    }
  }

  std::vector<const policy::Policy*> take(std::vector<std::unique_ptr<policy::Policy>> parsed) {
    std::vector<const policy::Policy*> out;
    for (auto& policy : parsed) {
      const auto [at, fresh] = ids_.emplace(policy->id, policy->span);
      if (!fresh && policy->span.begin != at->second.begin) {
        diag::Diagnostic d;
        d.id = "duplicate-id";
        d.message = "there is a policy with the id `" + policy->id + "` already";
        d.span = policy->span;
        d.related.push_back({at->second, "it is here"});
        d.hint = "give one of them an `id` of its own, beside its kind";
        sink_.report(std::move(d));
      }
      out.push_back(policy.get());
      model_->policies.push_back(std::move(policy));
    }
    return out;
  }

  policy::Context context(std::string route) {
    return {{}, std::move(route), model_->consumers, model_->issuers, *input_.states, input_.random,
            [this](const std::string& name, const diag::Span& span) { return find_upstream(name, span); },
            [this](const config::Node& path, const std::string& what) { return files_.read(path, what); }, sink_, &caches_, &loaded_};
  }

  void top_policies(const config::Node* node) {
    policy::Context c = context("");
    top_ = take(policy::parse_policies(node, "", c));
    model_->no_route.name = "(none)";
    model_->no_route.policies = top_;
  }

  void routes(const config::Node* node) {
    std::vector<route::Spec> specs;
    if (node != nullptr && node->kind != config::Kind::List)
      sink_.error("wrong-type", node->span, "`routes` must be a list, not " + std::string(config::kind_name(node->kind)), "begin each route with - ");
    else if (node != nullptr && node->items.empty())
      sink_.error("no-routes", node->span, "there is no route: every request would be answered 404");
    else if (node != nullptr)
      for (const config::Node& item : node->items) {
        if (item.entry("openapi") == nullptr) specs.push_back(one_route(item));
        else generated_routes(specs, item);
      }
    model_->table = std::make_unique<route::Table>(std::move(specs), sink_);
    unused_upstreams();
  }

  // A route for each operation of an OpenAPI document. What is wrong with what they have in common is told once.
  void generated_routes(std::vector<route::Spec>& specs, const config::Node& node) {
    policy::Context c = context("");
    std::vector<config::Node> routes = policy::openapi_routes(node, c);
    const std::size_t before = sink_.errors();
    for (config::Node& route : routes) {
      if (sink_.errors() != before) return;
      generated_.push_back(std::move(route));
      specs.push_back(one_route(generated_.back()));
    }
  }

  route::Spec one_route(const config::Node& node) {
    config::Reader r(node, sink_, "route");
    RouteConfig route;
    route::Spec spec;
    r.require("name");
    route.name = r.text("name", "");
    spec.name = route.name;
    spec.span = r.span_of("name");
    route.place = diag::place(spec.span);
    route.span = spec.span;
    if (r.valid() && !route.name.empty()) {
      check_name("route", route.name, spec.span);
      if (!route_names_.insert(route.name).second) sink_.error("duplicate-name", spec.span, "there is a route `" + route.name + "` already");
    }
    const std::string what = route.name.empty() ? "route" : "route `" + route.name + "`";
    spec.match = route::parse_match(r.get("match"), sink_, what);
    for (const auto& host : spec.match.hosts) hosts_.push_back(host.value);
    policy::Context c = context(route.name);
    const std::size_t before = sink_.errors();
    const std::vector<const policy::Policy*> own = take(policy::parse_policies(r.get("policies"), route.name, c));
    const bool all_read = sink_.errors() == before;
    skips(route, r, what);
    merge(route, own, node);
    target(route, own, all_read, r, what);
    route.websocket = r.boolean("websocket", true);
    if (r.get("websocket") != nullptr && r.valid() && r.get("upstream") == nullptr && route.upstream < 0)
      sink_.warning("no-effect", r.key_span("websocket"), what + " has no upstream: no WebSocket goes through it");
    timeouts(route, r, what);
    parse_forwarding(route, spec.match, model_->listeners, r, sink_);
    r.elsewhere("forward_path", "a listener decides it, for all of its requests");
    for (const std::string_view key : {"retry", "rewrite", "abort_on_half_close"}) r.not_supported(key, "it comes later");
    r.elsewhere("if", "which requests a route takes stands under `match`; beside a policy `if` says which requests it has to do with");
    for (const std::string_view key : {"cache", "fault", "mirror", "split"}) r.elsewhere(key, "it is a policy and stands in `policies`");
    for (const std::string_view key : {"path", "hosts", "methods"}) r.elsewhere(key, "it stands under `match`");
    r.get("openapi");  // of those that it is made into, none has it
    r.finish();
    model_->routes.push_back(std::move(route));
    return spec;
  }

  void skips(RouteConfig& route, config::Reader& r, const std::string& what) {
    for (const auto& skip : r.texts("skip")) {
      const policy::Policy* skipped = nullptr;
      for (const policy::Policy* policy : top_)
        if (policy->id == skip.value || policy->kind() == skip.value) skipped = policy;
      if (skipped == nullptr) sink_.error("unknown-policy", skip.span, "there is no top-level policy `" + skip.value + "` to skip");
      else if (skipped->authenticates()) sink_.warning("skips-authentication", skip.span, what + " skips the authenticator `" + skip.value + "`: anyone can call it");
      route.skipped.push_back(skip.value);
    }
  }

  // Top-level policies and the route's own, by phase; within one phase the top-level ones first.
  void merge(RouteConfig& route, const std::vector<const policy::Policy*>& own, const config::Node& node) {
    const auto skipped = [&route](const policy::Policy* p) {
      return std::find(route.skipped.begin(), route.skipped.end(), p->id) != route.skipped.end() || std::find(route.skipped.begin(), route.skipped.end(), p->kind()) != route.skipped.end();
    };
    for (const policy::Policy* p : top_)
      if (!skipped(p)) route.policies.push_back(p);
    route.policies.insert(route.policies.end(), own.begin(), own.end());
    std::stable_sort(route.policies.begin(), route.policies.end(), [](const auto* a, const auto* b) { return a->phase() < b->phase(); });
    const policy::Policy* authenticator = nullptr;
    for (const policy::Policy* p : route.policies) {
      if (!p->authenticates()) continue;
      const bool mixed = authenticator != nullptr && std::find(own.begin(), own.end(), authenticator) == own.end();
      if (mixed) sink_.error("two-authenticators", p->span, "`" + std::string(p->kind()) + "` is a second authenticator beside the top-level `" + std::string(authenticator->kind()) + "`", "keep one of them, or `skip: [" + authenticator->id + "]`");
      authenticator = p;
    }
    const policy::Policy* cors = nullptr;
    for (const policy::Policy* p : route.policies) {
      if (!p->answers_preflight()) continue;
      if (cors != nullptr && std::find(own.begin(), own.end(), cors) == own.end() && std::find(own.begin(), own.end(), p) != own.end())
        sink_.error("two-cors", p->span, "`cors` stands at the top level too, and one request has one answer", "keep one of them, or `skip: [" + cors->id + "]`");
      cors = p;
    }
    bool limited_by_consumer = false;
    for (const policy::Policy* p : route.policies) limited_by_consumer = limited_by_consumer || p->phase() == policy::Phase::Limit;
    if (limited_by_consumer && authenticator == nullptr)
      sink_.warning("no-authenticator", node.span.file ? route_span(node) : node.span, "route `" + route.name + "` limits by consumer, but nothing on it says who the consumer is: clients are told apart by address", "add `api-key`, or write key: ip");
  }

  diag::Span route_span(const config::Node& node) const {
    const config::Node* name = node.find("name");
    return name == nullptr ? node.span : name->span;
  }

  // The policy that decides where the route's requests go; null: its `upstream` does.
  const policy::Policy* only_split(const RouteConfig& route) {
    const policy::Policy* found = nullptr;
    for (const policy::Policy* p : route.policies) {
      if (p->kind() != "split") continue;
      if (found != nullptr) sink_.error("two-splits", p->span, "`split` stands there twice, and one request goes to one upstream", "name all variants in one of them");
      found = p;
    }
    return found != nullptr && found->is_certain() ? found : nullptr;
  }

  void target(RouteConfig& route, const std::vector<const policy::Policy*>& own, bool all_read, config::Reader& r, const std::string& what) {
    const auto name = r.text("upstream");
    if (const policy::Policy* split = only_split(route)) {
      if (!name) {
        std::vector<std::int32_t> upstreams;
        split->sends_to(upstreams);
        route.upstream = upstreams.front();
        return;
      }
      sink_.warning("unreachable-upstream", r.span_of("upstream"), what + " goes where its `split` says: its upstream is never asked");
    }
    const auto is_answer = [](const policy::Policy* p) { return p->kind() == "respond" || p->kind() == "redirect" || p->kind() == "aggregate" || p->kind() == "split"; };
    const bool answers = std::any_of(own.begin(), own.end(), [is_answer](const policy::Policy* p) { return is_answer(p) && p->kind() != "split" && p->is_certain(); });
    if (!name) {
      const auto sometimes = std::find_if(own.begin(), own.end(), is_answer);
      const std::string hint = sometimes == own.end() ? "give it an `upstream`, or a policy that answers or says where: respond, redirect, aggregate, split"
                                                      : "give it an `upstream`: not every request is for its `" + std::string((*sometimes)->kind()) + "`";
      if (r.valid() && !answers && all_read) sink_.error("no-upstream", r.span_of("name"), what + " goes nowhere", hint);
      return;
    }
    if (answers) sink_.warning("unreachable-upstream", r.span_of("upstream"), what + " is answered by a policy: its upstream is never asked");
    if (const auto index = find_upstream(*name, r.span_of("upstream"))) route.upstream = *index;
  }

  // Of each upstream that its requests may go to. What is wrong with it is told once.
  void timeouts(RouteConfig& route, config::Reader& r, const std::string& what) {
    const config::Node* node = r.get("timeouts");
    if (node == nullptr) return;
    std::vector<std::int32_t> upstreams;
    if (route.upstream >= 0) upstreams.push_back(route.upstream);
    for (const policy::Policy* p : route.policies) p->sends_to(upstreams);
    if (upstreams.empty() && r.get("upstream") == nullptr) sink_.warning("no-effect", r.key_span("timeouts"), what + " has no upstream: it waits for nobody");
    if (upstreams.empty()) upstream::parse_own_timeouts({}, *node, sink_, what);
    diag::Sink quiet;
    for (const std::int32_t upstream : upstreams)
      route.timeouts.emplace_back(upstream, upstream::parse_own_timeouts(model_->upstreams[static_cast<std::size_t>(upstream)].timeouts, *node, route.timeouts.empty() ? sink_ : quiet, what));
  }

  // Reports.
  std::optional<std::int32_t> find_upstream(const std::string& name, const diag::Span& span) {
    used_.insert(name);
    const auto known = upstream_index_.find(name);
    if (known != upstream_index_.end()) return known->second;
    std::vector<std::string_view> names;
    for (const auto& [upstream, index] : upstream_index_) names.push_back(upstream);
    sink_.no_such("upstream", name, span, names);
    return std::nullopt;
  }

  void unused_caches() {
    for (const auto& [name, cache] : caches_.by_name) {
      check_name("cache", name, cache.span);
      if (!cache.used) sink_.warning("unused-cache", cache.span, "nothing uses the cache `" + name + "`", "name it in a policy: cache: { in: " + name + " }");
    }
  }

  void unused_upstreams() {
    for (const upstream::Config& upstream : model_->upstreams)
      if (used_.count(upstream.name) == 0 && !is_own_upstream(upstream.name)) sink_.warning("unused-upstream", upstream.span, "nothing uses the upstream `" + upstream.name + "`");
  }

  const ModelInput& input_;
  diag::Sink& sink_;
  std::shared_ptr<Model> model_;
  ModelFiles files_;
  policy::Caches caches_;
  std::map<std::string, std::shared_ptr<const void>> loaded_;
  std::deque<config::Node> generated_;  // what readers of routes look at stays where it is
  std::map<std::string, std::int32_t, std::less<>> upstream_index_;
  std::map<std::string, diag::Span> ids_;
  std::set<std::string> route_names_, used_;
  std::vector<const policy::Policy*> top_;
  std::vector<std::string> hosts_;
};

}  // namespace

std::shared_ptr<const Model> build_model(const ModelInput& input, std::unique_ptr<config::Node> tree, diag::Sink& sink) {
  return Assembler(input, std::move(tree), sink).build();
}

std::shared_ptr<const Model> build_model(const ModelInput& input, diag::Sink& sink) {
  config::ParseOptions options;
  options.env = input.env;
  const std::size_t before = sink.errors();
  auto tree = config::parse(input.source, options, sink);
  if (!tree) return nullptr;
  auto model = build_model(input, std::move(tree), sink);
  return sink.errors() == before ? model : nullptr;
}

}  // namespace gatelab::gateway
