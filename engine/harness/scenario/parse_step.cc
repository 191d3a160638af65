// SPDX-License-Identifier: Apache-2.0
// One step: exactly one verb, its modifiers beside it. `send` is in parse_send.cc, `check` in parse_check.cc, what is
// expected in parse_expect.cc.
#include <algorithm>

#include "config/copy.h"
#include "harness/scenario/load_spec.h"
#include "harness/scenario/parse_parts.h"

namespace gatelab::harness {
namespace {

constexpr std::string_view kVerbs[] = {"send", "receive", "drop", "advance", "check", "reload", "restart", "issuer", "fault", "admin", "load", "replay"};

void parse_reload(Step& step, const config::Node& node, config::Reader& r, diag::Sink& sink) {
  config::Reader l(node, sink, "`reload`");
  step.reload.gateway = l.text("gateway", "");
  if (const config::Node* patch = l.get("patch")) {
    if (patch->kind != config::Kind::Map) sink.error("wrong-type", patch->span, "`patch` must be a map of dotted paths to values");
    for (const config::Entry& e : patch->entries) step.reload.patch.emplace_back(e.key, config::copy_of(*e.value));
  }
  l.finish();
  if (l.valid() && step.reload.gateway.empty() && step.reload.patch.empty()) sink.error("missing-key", node.span, "`reload` needs a `gateway` or a `patch`");
  if (const config::Node* expect = r.get("expect")) {
    config::Reader e(*expect, sink, "`expect` of `reload`");
    if (e.get("ok") != nullptr) step.reload.ok = e.boolean("ok", true);
    step.reload.kept = matcher(e, "kept", Dimension::Json, sink);
    step.reload.reset = matcher(e, "reset", Dimension::Json, sink);
    step.reload.removed = matcher(e, "removed", Dimension::Json, sink);
    step.reload.error = matcher(e, "error", Dimension::Text, sink);
    e.finish();
  }
}

void parse_restart(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink) {
  config::Reader l(node, sink, "`restart`");
  step.restart.crash = l.boolean("crash", false);
  step.restart.state = l.text("state");
  l.finish();
  if (world.real) sink.error("real-restart", step.span, "on real sockets nothing is started again: a case there leaves no files behind", "modes: [sim]");
  const config::Node* expect = r.get("expect");
  if (expect == nullptr) return;
  config::Reader e(*expect, sink, "`expect` of `restart`");
  step.restart.told = matcher(e, "told", Dimension::Text, sink);
  e.finish();
}

void parse_admin_step(Step& step, const config::Node& node, config::Reader& r, diag::Sink& sink) {
  config::Reader l(node, sink, "`admin`");
  const config::Node* purge = l.require("purge");
  l.elsewhere("faults", "a scenario has a step for that: fault: { upstream: NAME, kind: refuse }");
  l.elsewhere("reload", "a scenario has a step for that");
  l.finish();
  if (purge != nullptr) step.purge.request = parse_purge(*purge, sink);
  const config::Node* expect = r.get("expect");
  if (expect == nullptr) return;
  config::Reader e(*expect, sink, "`expect` of `admin`");
  step.purge.purged = matcher(e, "purged", Dimension::Json, sink);
  e.finish();
}

void no_verb(const config::Node& node, diag::Sink& sink) {
  diag::Diagnostic d;
  d.id = "no-verb";
  d.message = "the step does nothing";
  d.span = node.span;
  d.hint = "it needs one of send, receive, drop, advance, check, reload, restart, issuer, fault, admin, load, replay";
  for (const config::Entry& e : node.entries) {
    for (const std::string_view word : {"wait", "sleep", "pause", "delay"}) {
      if (e.key != word) continue;
      d.span = e.key_span;
      d.message = "`" + e.key + "` is no verb: nothing waits in a scenario";
      d.hint = "time is moved: advance: " + (e.value->kind == config::Kind::Text ? e.value->text : "10s") + "; what must have come by then is expected, not waited for";
      return sink.report(std::move(d));
    }
    const std::string_view near = diag::nearest(e.key, {std::begin(kVerbs), std::end(kVerbs)});
    if (near.empty()) continue;
    d.span = e.key_span;
    d.note = "did you mean `" + std::string(near) + "`?";
  }
  sink.report(std::move(d));
}

}  // namespace

gateway::PurgeRequest parse_purge(const config::Node& node, diag::Sink& sink) {
  using By = gateway::PurgeRequest::By;
  config::Reader r(node, sink, "`purge`");
  gateway::PurgeRequest out;
  std::size_t ways = 0;
  constexpr std::pair<std::string_view, By> kWays[] = {{"url", By::Url}, {"prefix", By::Prefix}, {"tag", By::Tag}};
  for (const auto& [key, by] : kWays) {
    auto what = r.text(key);
    if (!what) continue;
    ++ways;
    out.by = by;
    out.what = std::move(*what);
  }
  out.cache = r.text("cache", "");
  out.soft = r.boolean("soft", false);
  r.finish();
  if (r.valid() && ways != 1) sink.error("missing-key", node.span, "a purge is by one of `url`, `prefix` and `tag`", "purge: { url: /items/1 }");
  return out;
}

Step parse_step(const config::Node& node, const World& world, diag::Sink& sink) {
  Step step;
  config::Reader r(node, sink, "step");
  step.span = node.span;
  step.name = r.text("name", "");
  const config::Entry* verb = nullptr;
  for (const config::Entry& e : node.entries) {
    const bool known = std::find(std::begin(kVerbs), std::end(kVerbs), e.key) != std::end(kVerbs);
    if (!known) continue;
    r.get(e.key);
    if (verb != nullptr) sink.error("two-verbs", e.key_span, "a step has one verb, this one has `" + verb->key + "` and `" + e.key + "`", "begin a new step with a dash");
    else verb = &e;
  }
  if (verb == nullptr) {
    if (r.valid()) no_verb(node, sink);
    return step;
  }
  step.span = verb->key_span;
  // Values that differ from request to request.
  if (verb->key != "load" && (speaks_of(node, "$(data.") || speaks_of(node, "$(user.")))
    sink.error("unknown-value", verb->key_span, "`$(data.…)` and `$(user.…)` are values of a `load`: this step has none", "$(row.…) is a value of `each`, $(saved.…) what an earlier step has saved");
  const config::Node& value = *r.get(verb->key);
  if (verb->key == "send") {
    parse_send_step(step, value, r, world, sink);
  } else if (verb->key == "receive" || verb->key == "drop") {
    parse_stream_verb(step, verb->key, value, r, world, sink);
  } else if (verb->key == "issuer") {
    parse_issuer_step(step, value, r, world, sink);
  } else if (verb->key == "advance") {
    step.verb = Step::Verb::Advance;
    step.advance = config::as_duration(value, sink, "`advance`").value_or(Duration{});
  } else if (verb->key == "check") {
    step.verb = Step::Verb::Check;
    step.checks = parse_checks(value, world.real, sink);
  } else if (verb->key == "fault") {
    step.verb = Step::Verb::Fault;
    step.fault = parse_fault(value, world, sink);
  } else if (verb->key == "load") {
    parse_load_step(step, value, r, world, sink);
  } else if (verb->key == "replay") {
    parse_replay_step(step, value, r, world, sink);
  } else if (verb->key == "admin") {
    step.verb = Step::Verb::Admin;
    parse_admin_step(step, value, r, sink);
  } else if (verb->key == "restart") {
    step.verb = Step::Verb::Restart;
    parse_restart(step, value, r, world, sink);
  } else {
    step.verb = Step::Verb::Reload;
    parse_reload(step, value, r, sink);
  }
  r.finish();
  return step;
}

}  // namespace gatelab::harness
