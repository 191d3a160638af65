// SPDX-License-Identifier: Apache-2.0
// The step `replay`, and what beside it says how answers are compared.
#include <algorithm>

#include "config/copy.h"
#include "harness/scenario/parse_parts.h"

namespace gatelab::harness {
namespace {

void parse_pace(Replay& out, const config::Node& node, diag::Sink& sink) {
  if (node.text == "recorded") return;
  out.speed = 0;
  if (node.text == "fast") return;
  std::string_view text = node.text;
  if (text.ends_with('x')) text.remove_suffix(1);
  config::Node number = config::copy_of(node);
  number.kind = config::Kind::Float;
  number.text = text;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos && text != ".";
  const auto speed = digits && node.text.ends_with('x') ? config::as_number(number, sink, "`pace`") : std::nullopt;
  if (speed && *speed > 0) out.speed = *speed;
  else sink.error("bad-choice", node.span, "`" + node.text + "` is no pace", "pace: recorded, pace: fast (one after another, without pauses), or pace: 4x (four times as fast as it was recorded)");
}

void parse_only(Replay& out, const config::Node& node, diag::Sink& sink) {
  config::Reader r(node, sink, "`only`");
  out.path = matcher(r, "path", Dimension::Text, sink);
  out.method = matcher(r, "method", Dimension::Text, sink);
  for (const auto& id : r.texts("exchanges")) out.exchanges.push_back(id.value);
  r.finish();
  if (r.valid() && !out.path && !out.method && out.exchanges.empty()) sink.error("missing-key", node.span, "`only` leaves everything", "only: { path: { matches: ^/api/ }, method: GET }");
}

void parse_secrets(Replay& out, const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map || node.entries.empty()) return sink.error("wrong-type", node.span, "`secrets` must be a map of marks to secrets", "secrets: { 0123456789ab: $(env.SHOP_KEY) }, where the recording has <redacted:0123456789ab>");
  for (const config::Entry& e : node.entries) {
    e.value->secret = true;
    const bool mark = e.key.size() == 12 && e.key.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!mark) sink.error("bad-name", e.key_span, "`" + e.key + "` is no mark of a secret", "the twelve digits of <redacted:0123456789ab>");
    const bool fits = e.value->kind != config::Kind::Map && e.value->kind != config::Kind::List && e.value->text.find_first_of("\r\n") == std::string::npos && !e.value->text.empty();
    if (!fits) sink.error("bad-header", e.value->span, "the secret can't be sent", "a text of one line");
    out.secrets.push_back({e.key, e.value->text, e.key_span});
  }
}

void parse_paths(std::vector<Masks::Path>& out, config::Reader& r, std::string_view key, diag::Sink& sink) {
  for (const auto& text : r.texts(key)) {
    auto path = JsonPath::compile(text.value);
    if (path) out.push_back({text.value, std::move(*path), text.span});
    else sink.error(path.error().id, text.span, path.error().message);
  }
}

ReplayCompare parse_compare(const config::Node& node, diag::Sink& sink) {
  ReplayCompare out;
  out.span = node.span;
  config::Reader r(node, sink, "`compare`");
  if (const config::Node* with = r.get("with"); with != nullptr && with->kind == config::Kind::Map) {
    config::Reader w(*with, sink, "`with`");
    w.require("gateway");
    out.gateway = w.text("gateway", "");
    out.gateway_span = w.span_of("gateway");
    w.finish();
  } else if (with != nullptr && with->text != "recorded") {
    sink.error("bad-choice", with->span, "`with` is recorded or another configuration, not `" + with->text + "`", "with: recorded, or with: { gateway: " + (with->text.empty() ? "old.yaml" : with->text) + " }");
  } else {
    r.require("with");
  }
  out.learn = static_cast<std::uint32_t>(r.integer("learn_noise", 0, 1, 20));
  if (const config::Node* headers = r.get("headers")) {
    config::Reader h(*headers, sink, "`headers` of `compare`");
    h.require("ignore");
    for (const auto& name : h.texts("ignore")) out.masks.headers.push_back({name.value, name.span});
    h.finish();
  }
  if (const config::Node* json = r.get("json")) {
    const std::size_t before = sink.errors();
    config::Reader j(*json, sink, "`json` of `compare`");
    parse_paths(out.masks.ignore, j, "ignore", sink);
    parse_paths(out.masks.unordered, j, "unordered", sink);
    j.finish();
    if (j.valid() && out.masks.ignore.empty() && out.masks.unordered.empty() && sink.errors() == before) sink.error("missing-key", json->span, "`json` of `compare` masks nothing", "json: { ignore: [ $..updated_at ], unordered: [ $.items ] }");
  }
  out.masks.unused = static_cast<Masks::Unused>(r.choice("unused_masks", 0, {"fail", "strict", "allow"}));
  r.finish();
  return out;
}

}  // namespace

void parse_replay_step(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink) {
  step.verb = Step::Verb::Replay;
  Replay out;
  out.span = step.span;
  config::Reader p(node, sink, "`replay`");
  p.require("from");
  out.from = p.text("from", "");
  out.from_span = p.span_of("from");
  if (const config::Node* only = p.get("only")) parse_only(out, *only, sink);
  if (const config::Node* pace = p.get("pace")) parse_pace(out, *pace, sink);
  out.upstreams = static_cast<Replay::Upstreams>(p.choice("upstreams", 0, {"mocks", "recorded", "live"}));
  out.upstreams_span = p.span_of("upstreams");
  if (out.upstreams == Replay::Upstreams::Live && world.sim) sink.error("real-only", out.upstreams_span, "live upstreams are on sockets, where there is no virtual time", "modes: [real]");
  out.remint = p.text("remint", "");
  out.remint_span = p.span_of("remint");
  if (!out.remint.empty() && world.issuers.count(out.remint) == 0) sink.error("unknown-issuer", out.remint_span, "the scenario has no issuer `" + out.remint + "`", "issuers: { " + out.remint + ": { alg: RS256, kid: k1 } }");
  if (const config::Node* secrets = p.get("secrets")) parse_secrets(out, *secrets, sink);
  out.skip_left_out = p.choice("left_out", 0, {"fail", "skip"}) == 1;
  out.listener = p.text("listener", "");
  p.elsewhere("compare", "it stands beside `replay`, as `totals` does");
  p.finish();
  if (const config::Node* compare = r.get("compare")) out.compare = parse_compare(*compare, sink);
  if (const config::Node* totals = r.get("totals")) {
    config::Reader t(*totals, sink, "`totals` of `replay`");
    out.compared = matcher(t, "compared", Dimension::Json, sink);
    out.different = matcher(t, "different", Dimension::Json, sink);
    t.finish();
    if (!out.compare) sink.error("missing-key", totals->span, "nothing is compared: there is nothing to count", "compare: { with: recorded }");
  }
  r.elsewhere("expect", "of many answers there are `compare` and `totals`");
  if (speaks_of_saved(node)) sink.error("not-supported", step.span, "what is replayed is read before anything runs: it can't speak of saved values", "write them down, or take $(vars.x)");
  step.replay = std::make_shared<Replay>(std::move(out));
}

}  // namespace gatelab::harness
