// SPDX-License-Identifier: Apache-2.0
// `gateway: { url }` and `gateway: { run }`: a gateway of somebody else's. Of such a one only its outside is known, so that a
// scenario that asks about more is refused where it asks.
#include <set>

#include "harness/scenario/foreign_places.h"
#include "harness/scenario/beside.h"
#include "harness/scenario/parse_parts.h"

namespace gatelab::harness {
namespace {

constexpr const char* kOutside = "of a gateway that is not ours only the outside is known: status, headers, body, latency, and what the mocks saw";

struct Place {
  const char* text;
  const char* hint;
};

// What a key would ask of the gateway's inside.
const Place* inside(std::string_view key) {
  static constexpr std::pair<std::string_view, Place> kKeys[] = {
      {"advance", {"the time of a gateway that is not ours can't be moved", "a window or a time to live has to be made short in its own configuration, and can't be tested to its edge"}},
      {"reload", {"a gateway that is not ours is not reloaded", "another case may start it with other templates"}},
      {"restart", {"a gateway that is not ours is not restarted", "every case starts it afresh"}},
      {"issuer", {"a gateway that is not ours has no issuers that the scenario stands in for", kOutside}},
      {"fault", {"faults are made inside of gatelab, on its side of a connection", "let the mock fail: reply: { raw: … }, { delay: 5s }, { status: 503 }"}},
      {"admin", {"the admin API is gatelab's", kOutside}},
      {"during", {"faults are made inside of gatelab, on its side of a connection", "let the mock fail: reply: { raw: … }, { delay: 5s }, { status: 503 }"}},
      {"websocket", {"WebSockets through a gateway that is not ours are not supported", kOutside}},
      {"stream", {"answers that stay open through a gateway that is not ours are not supported", kOutside}},
      {"receive", {"streams through a gateway that is not ours are not supported", kOutside}},
      {"drop", {"streams through a gateway that is not ours are not supported", kOutside}},
      {"ended", {"who ended a request a gateway that is not ours does not say", kOutside}},
      {"decisions", {"decisions of a gateway that is not ours are not known", kOutside}},
      {"cache", {"what a cache that is not ours did is not known", "check: [ { calls: NAME, value: 1 } ] says whether the upstream was asked"}},
      {"log", {"the access log of a gateway that is not ours is not read", kOutside}},
      {"attempts", {"how often a gateway that is not ours tried is not known", "check: [ { calls: NAME, value: 2 } ]"}},
      {"attempts_max", {"how often a gateway that is not ours tried is not known", "check: [ { calls: NAME, value: 2 } ]"}},
      {"retries", {"how often a gateway that is not ours tried is not known", "check: [ { calls: NAME, value: 2 } ]"}},
      {"listener", {"the listeners of a gateway that is not ours have no names", "gateway: { url: … } says where it listens"}},
  };
  for (const auto& [name, place] : kKeys)
    if (name == key) return &place;
  return nullptr;
}

void refuse(const config::Node* map, diag::Sink& sink) {
  if (map == nullptr) return;
  for (const config::Entry& e : map->entries)
    if (const Place* place = inside(e.key)) sink.error("not-ours", e.key_span, place->text, place->hint);
}

// Counted is what came to the mocks, by their names and as NAME/TARGET.
void check_served_by(const World& world, const config::Node* totals, diag::Sink& sink) {
  const config::Node* served_by = totals != nullptr ? totals->find("served_by") : nullptr;
  if (served_by == nullptr) return;
  std::set<std::string> known, told;
  for (const auto& [name, stubs] : world.mocks) {
    told.insert(name);
    for (const Stub& stub : stubs) {
      if (stub.target.empty()) known.insert(name + "/" + name);
      else told.insert(name + "/" + stub.target);
    }
  }
  for (const config::Entry& entry : served_by->entries)
    if (known.count(entry.key) + told.count(entry.key) == 0) sink.no_such("mock", entry.key, entry.key_span, {told.begin(), told.end()});
}

void check_step(const Case& c, const config::Node& step, diag::Sink& sink) {
  refuse(&step, sink);
  const config::Node* expect = step.find("expect");
  refuse(expect, sink);
  if (expect != nullptr) refuse(expect->find("upstream"), sink);
  refuse(step.find("totals"), sink);
  check_served_by(c.world, step.find("totals"), sink);
  refuse(step.find("via"), sink);
  if (const config::Node* checks = step.find("check")) {
    for (const config::Node& item : checks->items) {
      const config::Node* calls = item.find("calls");
      if (calls == nullptr && !item.entries.empty()) sink.error("not-ours", item.entries.front().key_span, "`" + item.entries.front().key + "` of a gateway that is not ours is not known", "`calls` counts what the mocks saw");
      else if (calls != nullptr && c.world.mocks.count(calls->text) == 0) sink.error("unknown-upstream", calls->span, "there is no mock `" + calls->text + "`");
    }
  }
}

void check_places(const std::string& text, const diag::Span& span, const Places& places, diag::Sink& sink) {
  const auto filled = fill(text, places);
  if (!filled) sink.error(filled.error().id, span, filled.error().message);
}

}  // namespace

ForeignSpec parse_foreign(const config::Node& node, diag::Sink& sink) {
  ForeignSpec out;
  out.span = node.span;
  config::Reader r(node, sink, "`gateway`");
  out.url = r.text("url", "");
  out.url_span = r.span_of("url");
  out.ca = r.text("ca", "");
  out.run_span = r.span_of("run");
  for (auto& word : r.texts("run")) out.run.push_back(std::move(word.value));
  out.templates_span = r.span_of("templates");
  for (auto& file : r.texts("templates")) out.templates.push_back(std::move(file.value));
  if (const config::Node* env = r.get("env")) {
    out.env_span = env->span;
    for (const config::Entry& e : env->entries) out.env.emplace_back(e.key, e.value->text);
  }
  out.ready = r.text("ready", "");
  out.ready_span = r.span_of("ready");
  out.within = r.duration("within", out.run.empty() && out.ready.empty() ? std::chrono::seconds(1) : out.within);
  r.finish();
  if (!r.valid()) return out;
  if (out.run.empty()) {
    if (out.url.empty()) sink.error("missing-key", node.span, "a gateway that is not ours has a `url` where it runs, or a program to `run`", "gateway: { run: [nginx, -c, $(gateway.directory)/nginx.conf], templates: [nginx.conf] }");
    for (const std::string_view key : {"templates", "env"})
      if (r.get(key) != nullptr) sink.error("not-run", r.key_span(key), "`" + std::string(key) + "` is for a program that is started", "run: [nginx, -c, …]");
  }
  if (out.url.empty()) out.url = "http://127.0.0.1:$(gateway.port)";
  if (out.within <= Duration{} || out.within > std::chrono::minutes(5)) sink.error("out-of-range", r.span_of("within"), "`within` is from 1ns to 5m");
  return out;
}

void check_foreign(const File& file, const Case& c, const io::Files& files, diag::Sink& sink) {
  const ForeignSpec& spec = *c.world.foreign;
  for (const auto& [name, span] : c.world.issuer_spans) sink.error("not-ours", span, "a gateway that is not ours has no issuers that the scenario stands in for", kOutside);
  Places places = place_names(c.world);
  const auto filled_url = fill(spec.url, places);
  if (!filled_url) sink.error(filled_url.error().id, spec.url_span, filled_url.error().message);
  places["gateway.port"] = "1";
  if (const auto whole = fill(spec.url, places)) {
    const auto url = parse_gateway_url(*whole);
    if (!url) sink.error(url.error().id, spec.url_span, url.error().message);
    else if (!url->path.empty() && url->path != "/") sink.error("bad-url", spec.url_span, "`url` is where the gateway listens: `" + url->path + "` belongs to each `send`");
  }
  for (const std::string& word : spec.run) check_places(word, spec.run_span, places, sink);
  for (const auto& [name, value] : spec.env) check_places(value, spec.env_span, places, sink);
  check_places(spec.ready, spec.ready_span, places, sink);
  const std::string directory = directory_of(file.path);
  for (const std::string& path : spec.templates) {
    const auto text = read_beside(files, directory, path);
    if (!text) {
      sink.error("no-template", spec.templates_span, text.error().message, "the path is relative to the scenario's directory");
      continue;
    }
    const auto filled = fill(*text, places);
    if (!filled) sink.error(filled.error().id, spec.templates_span, "`" + path + "`: " + filled.error().message);
  }
  for (const config::Node* step : c.step_nodes) check_step(c, *step, sink);
}

}  // namespace gatelab::harness
