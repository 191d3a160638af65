// SPDX-License-Identifier: Apache-2.0
// A scenario file, its world and its cases. Steps are in parse_step.cc.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/units.h"
#include "config/copy.h"
#include "harness/scenario/file.h"

namespace gatelab::harness {
namespace {

constexpr std::string_view kWorldKeys[] = {"gateway", "modes", "clock", "seed", "vars", "credentials", "mocks", "issuers"};

void parse_gateway(World& world, config::Reader& r, diag::Sink& sink) {
  const config::Node* gateway = r.get("gateway");
  world.gateway_span = r.span_of("gateway");
  if (gateway == nullptr) return;
  if (gateway->kind == config::Kind::Map) {
    world.foreign = parse_foreign(*gateway, sink);
    world.sim = false;
    world.real = true;
    return;
  }
  world.gateway = config::as_text(*gateway, sink, "`gateway`").value_or("");
}

World parse_world(config::Reader& r, diag::Sink& sink) {
  World world;
  parse_gateway(world, r, sink);
  bool sim = false;
  for (const auto& mode : r.texts("modes")) {
    sim = sim || mode.value == "sim";
    if (world.foreign && mode.value == "sim") sink.error("real-only", mode.span, "a gateway that is not ours has no virtual time", "modes: [real]");
    if (mode.value == "real") world.real = true;
    else if (mode.value != "sim") sink.error("bad-choice", mode.span, "`" + mode.value + "` is not a mode", "sim, real");
  }
  if (!world.foreign) world.sim = sim || !world.real;
  if (const config::Node* clock = r.get("clock")) {
    config::Reader c(*clock, sink, "`clock`");
    if (const auto start = c.text("start"); start == "recorded") {
      world.recorded_start = c.span_of("start");
    } else if (start) {
      const auto instant = parse_instant(*start);
      if (instant) world.start = *instant;
      else sink.error(instant.error().id, c.span_of("start"), instant.error().message);
    }
    c.finish();
  }
  world.seed = static_cast<std::uint64_t>(r.integer("seed", 1, 0, INT64_MAX));
  r.get("vars");
  parse_issuers(world, r.get("issuers"), sink);
  parse_credentials(world, r.get("credentials"), sink);
  if (const config::Node* mocks = r.get("mocks")) {
    if (mocks->kind != config::Kind::Map) sink.error("wrong-type", mocks->span, "`mocks` must be a map of upstreams to stubs");
    for (const config::Entry& e : mocks->entries) {
      const config::Node* stubs = e.value->find("stubs");
      if (stubs != nullptr || e.value->find("targets") != nullptr) {
        config::Reader m(*e.value, sink, "the mock of `" + e.key + "`");
        m.get(stubs != nullptr ? "stubs" : "targets");
        if (const auto address = m.text("address")) {
          const auto parsed = parse_address(*address);
          if (!world.foreign || !world.foreign->run.empty()) sink.error("no-address", m.span_of("address"), "a mock takes any port: its gateway is told which", "`address` is for gateway: { url: … }, which runs already");
          else if (!parsed) sink.error(parsed.error().id, m.span_of("address"), parsed.error().message);
          else world.mock_addresses[e.key] = *parsed;
        }
        if (const config::Node* tls = m.get("tls")) world.mock_tls[e.key] = parse_mock_tls(*tls, sink);
        m.finish();
      }
      world.mocks[e.key] = parse_stubs(stubs != nullptr ? *stubs : *e.value, sink, e.key);
      world.mock_spans[e.key] = e.key_span;
    }
  }
  return world;
}

// What an earlier step saves is not known yet: what is wrong without it may be right with it.
bool is_of_saved(const diag::Span& span) {
  return span && std::string_view(span.file->text).substr(span.begin, span.end - span.begin).find("$(saved.") != std::string_view::npos;
}

class FileParser {
 public:
  FileParser(File& file, const config::EnvSource& env, diag::Sink& sink) : file_(file), env_(env), sink_(sink) {}

  void run() {
    const config::Node& root = *file_.tree;
    config::Reader r(root, sink_, "the scenario");
    const config::Node* version = r.require("gatelab");
    if (version != nullptr && version->text != "1") sink_.error("bad-version", version->span, "this gatelab reads scenarios of version 1, not `" + version->text + "`", "write gatelab: 1");
    file_.name = r.text("name", "");
    file_tags_ = r.texts("tags");
    for (const std::string_view key : kWorldKeys) r.get(key);
    const config::Node* cases = r.require("cases");
    r.elsewhere("steps", "steps stand in a case: cases: [ { name: …, steps: [ … ] } ]");
    r.finish();
    if (cases == nullptr) return;
    if (cases->kind != config::Kind::List || cases->items.empty()) return sink_.error("no-cases", cases->span, "a scenario has at least one case: nothing would be proved");
    for (const config::Node& node : cases->items) one_case(node);
    std::set<std::string> names;
    for (const Case& c : file_.cases)
      if (!names.insert(c.name + "\n" + std::to_string(c.row)).second && c.row <= 1) sink_.error("duplicate-name", c.span, "there is a case `" + c.name + "` already");
  }

 private:
  void one_case(const config::Node& node) {
    if (node.kind != config::Kind::Map) return sink_.error("wrong-type", node.span, "a case must be a map, not " + std::string(config::kind_name(node.kind)));
    const config::Node* each = node.find("each");
    if (each == nullptr) return one_row(node, nullptr, 0);
    if (each->kind != config::Kind::List || each->items.empty()) return sink_.error("wrong-type", each->span, "`each` must be a list of rows, with at least one");
    int row = 0;
    for (const config::Node& item : each->items) {
      if (item.kind != config::Kind::Map) sink_.error("wrong-type", item.span, "a row of `each` must be a map");
      else one_row(node, &item, ++row);
    }
  }

  // The file's world and the rows of `each` are read again and again: what is wrong there is said once.
  void report_once(const diag::Diagnostic& d) {
    const std::string key = std::to_string(d.span.begin) + " " + d.id + " " + d.message;
    if (reported_.insert(key).second) sink_.report(d);
  }

  void one_row(const config::Node& written, const config::Node* row, int number) {
    diag::Sink sink;
    read_row(written, row, number, sink);
    for (const diag::Diagnostic& d : sink.all()) report_once(d);
  }

  void read_row(const config::Node& written, const config::Node* row, int number, diag::Sink& sink) {
    auto vars = std::make_shared<config::Node>(clone_vars(written));
    Values values{row, vars.get(), env_, nullptr};
    Case out;
    out.row = number;
    out.span = written.entry("name") != nullptr ? written.entry("name")->value->span : written.span;
    out.vars_node = vars;
    if (row != nullptr) out.row_node = std::make_shared<config::Node>(config::copy_of(*row));
    config::Node world_node = world_of(written);
    for (config::Entry& e : world_node.entries) {
      Values of_entry = values;
      of_entry.keep_places = e.key == "gateway";
      e.value = std::make_unique<config::Node>(substitute(*e.value, of_entry, sink));
    }
    config::Reader w(world_node, sink, "the case's world");
    out.world = parse_world(w, sink);
    if (out.world.gateway.empty() && !out.world.foreign && sink.errors() == 0) sink.error("missing-key", out.span, "the scenario names no `gateway`", "write gateway: gateway.yaml");
    const config::Node whole = substitute_but_steps(written, values, sink);
    config::Reader r(whole, sink, "case");
    r.require("name");
    out.name = r.text("name", "");
    for (const auto& tag : file_tags_) out.tags.push_back(tag.value);
    for (const auto& tag : r.texts("tags")) out.tags.push_back(tag.value);
    for (const std::string_view key : kWorldKeys) r.get(key);
    r.get("each");
    r.require("steps");
    r.finish();
    steps(out, written.find("steps"), values, sink);
    file_.real = file_.real || out.world.real;
    file_.cases.push_back(std::move(out));
  }

  // Values may be made of the environment, not of each other.
  config::Node clone_vars(const config::Node& written) {
    config::Node none;
    none.kind = config::Kind::Map;
    const config::Node *outer = file_.tree->find("vars"), *inner = written.find("vars");
    const config::Node merged = outer != nullptr && inner != nullptr ? merge(*outer, *inner) : outer != nullptr ? config::copy_of(*outer) : inner != nullptr ? config::copy_of(*inner) : config::copy_of(none);
    diag::Sink ignored;
    return substitute(merged, {nullptr, nullptr, env_, nullptr}, ignored);
  }

  config::Node world_of(const config::Node& written) {
    config::Node outer, inner;
    outer.kind = inner.kind = config::Kind::Map;
    outer.span = written.span;
    for (const std::string_view key : kWorldKeys) {
      if (const config::Entry* e = file_.tree->entry(key)) outer.entries.push_back({e->key, e->key_span, std::make_unique<config::Node>(config::copy_of(*e->value))});
      if (const config::Entry* e = written.entry(key)) inner.entries.push_back({e->key, e->key_span, std::make_unique<config::Node>(config::copy_of(*e->value))});
    }
    inner.span = written.span;
    return merge(outer, inner);
  }

  config::Node substitute_but_steps(const config::Node& written, const Values& values, diag::Sink& sink) {
    config::Node out;
    out.kind = config::Kind::Map;
    out.span = written.span;
    for (const config::Entry& e : written.entries) {
      const bool deep = e.key == "steps" || e.key == "each" || std::find(std::begin(kWorldKeys), std::end(kWorldKeys), e.key) != std::end(kWorldKeys);
      out.entries.push_back({e.key, e.key_span, std::make_unique<config::Node>(deep ? config::copy_of(*e.value) : substitute(*e.value, values, sink))});
    }
    return out;
  }

  void steps(Case& out, const config::Node* list, const Values& values, diag::Sink& sink) {
    if (list == nullptr) return;
    if (list->kind != config::Kind::List || list->items.empty()) return sink.error("no-steps", list->span, "a case has at least one step");
    bool expects = false;
    for (const config::Node& item : list->items) {
      const config::Node node = substitute(item, values, sink);
      diag::Sink own;
      Step step = parse_step(node, out.world, own);
      step.late = speaks_of_saved(item);
      for (const diag::Diagnostic& d : own.all())
        if (!is_of_saved(d.span)) sink.report(d);
      expects = expects || step.expect || step.totals || !step.checks.empty() || step.reload.expects() || step.restart.told || step.load || (step.replay && step.replay->compare);
      out.steps.push_back(std::move(step));
      out.step_nodes.push_back(&item);
    }
    if (!expects && sink.errors() == 0) sink.error("no-expectation", out.span, "the case expects nothing: it could not fail", "give a step an `expect`, or add a `check`");
  }

  File& file_;
  const config::EnvSource& env_;
  diag::Sink& sink_;
  std::vector<config::Located<std::string>> file_tags_;
  std::set<std::string> reported_;
};

}  // namespace

std::unique_ptr<File> parse_file(std::string path, diag::SourcePtr source, std::unique_ptr<config::Node> tree, const config::EnvSource& env, diag::Sink& sink) {
  const std::size_t before = sink.errors();
  auto file = std::make_unique<File>();
  file->path = std::move(path);
  file->source = std::move(source);
  file->tree = std::move(tree);
  FileParser(*file, env, sink).run();
  if (sink.errors() != before) return nullptr;
  return file;
}

}  // namespace gatelab::harness
