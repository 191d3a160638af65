// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/gateway_file.h"

#include <algorithm>

#include "harness/mock/stub.h"
#include "harness/scenario/load_spec.h"
#include "harness/scenario/patch.h"

namespace gatelab::harness {
namespace {

diag::SourcePtr source_of(const std::string& path, std::string text) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = path;
  source->text = std::move(text);
  return source;
}

void unknown(const char* id, const char* what, const std::string& name, const diag::Span& span, const std::vector<std::string>& names, diag::Sink& sink) {
  diag::Diagnostic d;
  d.id = id;
  d.message = std::string("the gateway has no ") + what + " `" + name + "`";
  d.span = span;
  const std::string_view near = diag::nearest(name, {names.begin(), names.end()});
  if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
  std::string all;
  for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
  d.hint = names.empty() ? std::string("it has no ") + what + " at all" : "it has: " + all;
  sink.report(std::move(d));
}

// Names that reloads before a step may have brought. What a configuration brings that can't be read shows when it is reloaded.
class Names {
 public:
  explicit Names(const gateway::Model& model) {
    for (const auto& upstream : model.upstreams) {
      upstreams_.push_back(upstream.name);
      serves(upstream.name);
      if (upstream.targets.empty()) serves(upstream.name, upstream.name);
      for (const upstream::TargetConfig& target : upstream.targets) serves(upstream.name, target.name);
    }
    for (const auto& listener : model.listeners) listeners_.push_back(listener.name);
  }
  void reloaded(const Reload& reload, const std::string& path, const io::Files& files) {
    any_listener_ = true;
    for (const auto& [where, value] : reload.patch) {
      const std::string_view rest = std::string_view(where).starts_with("upstreams.") ? std::string_view(where).substr(10) : std::string_view();
      if (!rest.empty()) add_patched(std::string(rest.substr(0, rest.find('.'))), rest.find('.') == std::string_view::npos ? std::string_view() : rest.substr(rest.find('.') + 1), value);
      else if (where == "upstreams") add_all(value);
    }
    if (reload.gateway.empty()) return;
    const auto text = files.read(path);
    if (!text) return;
    diag::Sink ignored;
    config::ParseOptions as_written;
    as_written.substitute_env = false;
    const auto tree = config::parse(source_of(path, *text), as_written, ignored);
    if (const config::Node* upstreams = tree ? tree->find("upstreams") : nullptr) add_all(*upstreams);
  }
  bool has_upstream(const std::string& name) const { return std::find(upstreams_.begin(), upstreams_.end(), name) != upstreams_.end(); }
  bool has_listener(const std::string& name) const { return any_listener_ || std::find(listeners_.begin(), listeners_.end(), name) != listeners_.end(); }
  // What `served_by` counts: upstreams, and targets as UPSTREAM/TARGET.
  bool has_server(const std::string& name) const { return std::find(servers_.begin(), servers_.end(), name) != servers_.end() || only_targets_.count(name) > 0; }
  // Whose fault it is. What a reload makes the gateway call for itself, under names with a slash, is known when it runs.
  void check(const FaultStep& fault, diag::Sink& sink) const {
    const std::size_t slash = fault.target.find('/');
    const bool may_be_own = any_listener_ && slash != std::string::npos && !has_upstream(fault.target.substr(0, slash));
    if (fault.target.empty() || has_server(fault.target) || may_be_own) return;
    unknown("unknown-upstream", "upstream or target", fault.target, fault.target_span, servers_, sink);
  }
  const std::vector<std::string>& upstreams() const { return upstreams_; }
  const std::vector<std::string>& servers() const { return servers_; }
  const std::vector<std::string>& listeners() const { return listeners_; }

 private:
  void add_all(const config::Node& upstreams) {
    for (const config::Entry& e : upstreams.entries) add_patched(e.key, {}, *e.value);
  }
  // `below`: the path in the upstream, as `targets.primary.weight`.
  void add_patched(const std::string& upstream, std::string_view below, const config::Node& value) {
    upstreams_.push_back(upstream);
    serves(upstream);
    if (below.starts_with("targets.")) return serves(upstream, std::string(below.substr(8, below.find('.', 8) - 8)));
    const config::Node* targets = below.empty() ? value.find("targets") : below == "targets" ? &value : nullptr;
    if (targets == nullptr && below.empty()) serves(upstream, upstream);
    if (targets != nullptr)
      for (const config::Entry& e : targets->entries) serves(upstream, e.key);
  }
  void serves(const std::string& name) {
    if (std::find(servers_.begin(), servers_.end(), name) == servers_.end()) servers_.push_back(name);
  }
  // The target of an upstream that has only that one is the upstream by another name, which no list needs.
  void serves(const std::string& upstream, const std::string& target) {
    if (target == upstream) only_targets_.insert(upstream + "/" + target);
    else serves(upstream + "/" + target);
  }
  std::vector<std::string> upstreams_, listeners_, servers_;
  std::set<std::string> only_targets_;
  bool any_listener_ = false;
};

}  // namespace

std::string gateway_path(const File& file, const World& world) {
  if (world.gateway.starts_with("/")) return world.gateway;
  const std::size_t slash = file.path.rfind('/');
  return slash == std::string::npos ? world.gateway : file.path.substr(0, slash + 1) + world.gateway;
}

std::shared_ptr<const gateway::Model> read_gateway(const GatewayFile& from, const io::Files& files, diag::Sink& sink, std::string& problem) {
  const auto text = files.read(from.path);
  if (!text) return problem = text.error().message, nullptr;
  gateway::ModelInput input;
  input.source = source_of(from.path, *text);
  input.env = from.env;
  input.states = &from.states;
  input.random = Random(from.seed);
  input.files = &files;
  input.now = from.now;
  input.local = [&from] { return Result<std::shared_ptr<crypto::LocalAuthority>>(from.authority); };
  input.also_trusted = from.authority->pem();
  input.issuer_keys = from.issuer_keys;
  config::ParseOptions parse;
  parse.env = from.env;
  auto tree = config::parse(input.source, parse, sink);
  if (tree && from.reload != nullptr)
    for (const auto& [where, value] : from.reload->patch)
      if (!patch(*tree, where, value)) problem = "there is no `" + where + "` to patch";
  if (!tree || !problem.empty()) return nullptr;
  auto model = gateway::build_model(input, std::move(tree), sink);
  return sink.has_errors() ? nullptr : model;
}

const GatewayCheck::Known& GatewayCheck::known(const std::string& path, const World& world, diag::Sink& sink) {
  // Files with keys of issuers that the scenario stands in for need not be there.
  std::map<std::string, crypto::JwkSet> stand_ins;
  std::string key = path;
  for (const auto& [name, spec] : world.issuers) {
    stand_ins[name] = {};
    key += "\n" + name;
  }
  const auto [at, fresh] = known_.try_emplace({key, world.start});
  if (!fresh) return at->second;
  diag::Sink own;
  at->second.model = read_gateway({path, env_, states_, 1, world.start, authority_, nullptr, &stand_ins}, files_, own, at->second.problem);
  if (at->second.model)
    for (const auto& upstream : at->second.model->upstreams)
      if (upstream.mock != nullptr) parse_stubs(*upstream.mock, own, upstream.name);
  if (own.has_errors()) at->second.model = nullptr;
  // Lints are for `check`.
  for (const diag::Diagnostic& d : own.all())
    if (d.severity == diag::Severity::Error) sink.report(d);
  return at->second;
}

void GatewayCheck::check(const File& file, diag::Sink& sink) {
  for (const Case& c : file.cases) {
    diag::Sink own;
    check_case(file, c, own);
    // Cases share their file's world, and files their gateway.
    for (const diag::Diagnostic& d : own.all())
      if (reported_.insert(diag::place_with_column(d.span) + " " + d.message).second) sink.report(d);
  }
}

void GatewayCheck::check_case(const File& file, const Case& c, diag::Sink& sink) {
  if (c.world.foreign) return check_foreign(file, c, files_, sink);
  const std::string path = gateway_path(file, c.world);
  const Known& gateway = known(path, c.world, sink);
  if (!gateway.model) {
    if (gateway.problem.empty()) sink.error("bad-gateway", c.world.gateway_span, "the gateway's configuration is refused", "gatelab check " + path);
    else sink.error("no-gateway", c.world.gateway_span, gateway.problem, "the path is relative to the scenario's directory");
    return;
  }
  check_issuers(c.world, *gateway.model, sink);
  check_mocks(c.world, *gateway.model, sink);
  check_steps(file, c, *gateway.model, sink);
}

void GatewayCheck::check_issuers(const World& world, const gateway::Model& model, diag::Sink& sink) {
  std::vector<std::string> names;
  for (const auto& issuer : model.issuers.all) names.push_back(issuer->name);
  for (const auto& [name, span] : world.issuer_spans)
    if (model.issuers.find(name) == nullptr) unknown("unknown-issuer", "issuer", name, span, names, sink);
}

void GatewayCheck::check_mocks(const World& world, const gateway::Model& model, diag::Sink& sink) {
  const Names names(model);
  for (const auto& [name, span] : world.mock_spans) {
    const auto found = std::find_if(model.upstreams.begin(), model.upstreams.end(), [&name = name](const upstream::Config& u) { return u.name == name; });
    if (found == model.upstreams.end()) unknown("unknown-upstream", "upstream", name, span, names.upstreams(), sink);
    else if (!found->tls && world.mock_tls.count(name) > 0) sink.error("no-tls", span, "the upstream `" + name + "` has no https target: its mock has no TLS", "url: https://… in the gateway's configuration, or no `tls` here");
  }
}

void GatewayCheck::check_steps(const File& file, const Case& c, const gateway::Model& model, diag::Sink& sink) {
  Names names(model);
  for (const Step& step : c.steps) {
    if (step.verb == Step::Verb::Reload) {
      World other = c.world;
      if (!step.reload.gateway.empty()) other.gateway = step.reload.gateway;
      names.reloaded(step.reload, gateway_path(file, other), files_);
    }
    if (step.replay && step.replay->compare && !step.replay->compare->gateway.empty()) {
      World other = c.world;
      other.gateway = step.replay->compare->gateway;
      const std::string path = gateway_path(file, other);
      const Known& gateway = known(path, other, sink);
      if (!gateway.model && gateway.problem.empty()) sink.error("bad-gateway", step.replay->compare->gateway_span, "the configuration is refused", "gatelab check " + path);
      else if (!gateway.model) sink.error("no-gateway", step.replay->compare->gateway_span, gateway.problem, "the path is relative to the scenario's directory");
    }
    const bool listens = step.late || step.send.listener.empty() || names.has_listener(step.send.listener);
    if (!listens) unknown("unknown-listener", "listener", step.send.listener, step.send.listener_span, names.listeners(), sink);
    if (step.verb == Step::Verb::Fault && !step.late) names.check(step.fault, sink);
    for (const During& during : step.load ? step.load->during : step.send.during) names.check(during.fault, sink);
    if (step.totals)
      for (const auto& [name, span] : step.totals->served_by_spans)
        if (!names.has_server(name)) unknown("unknown-upstream", "upstream or target", name, span, names.servers(), sink);
    for (const Check& check : step.checks)
      if (check.what == Check::What::Calls && !step.late && !names.has_upstream(check.name)) unknown("unknown-upstream", "upstream", check.name, check.name_span, names.upstreams(), sink);
  }
}

}  // namespace gatelab::harness
