// SPDX-License-Identifier: Apache-2.0
// `load`: how much, of what, and what it is held against.
#include <algorithm>

#include "harness/scenario/load_spec.h"
#include "harness/scenario/parse_parts.h"

namespace gatelab::harness {
namespace {

using load::Model;
using load::Stage;
using load::Threshold;

class LoadParser {
 public:
  LoadParser(Step& step, const World& world, diag::Sink& sink) : world_(world), sink_(sink), spec_(std::make_shared<LoadSpec>()) { step.load = spec_; }

  void parse(const config::Node& node, config::Reader& r, Step& step) {
    config::Reader l(node, sink_, "`load`");
    spec_->plan.model = l.choice("model", l.get("users") != nullptr ? 1 : 0, {"open", "closed"}) == 0 ? Model::Open : Model::Closed;
    spec_->plan.spacing = l.choice("arrivals", 0, {"poisson", "even"}) == 0 ? load::Spacing::Poisson : load::Spacing::Even;
    if (!open() && l.get("arrivals") != nullptr) sink_.error("two-places", l.key_span("arrivals"), "users do not arrive: `arrivals` has no meaning for `model: closed`", "leave it out, or write think: 1s");
    curve(l);
    spec_->plan.warmup = l.duration("warmup", Duration{});
    spec_->plan.think = l.duration("think", Duration{});
    if (open() && spec_->plan.think > Duration{}) sink_.error("two-places", l.key_span("think"), "arrivals do not think: `think` has no meaning for `model: open`", "leave it out, or write users: 20");
    if (l.get("warmup") != nullptr && spec_->plan.warmup >= spec_->plan.curve.length()) sink_.error("out-of-range", l.span_of("warmup"), "`warmup` is the load's first part, which is not judged: this is all of it", "a shorter one, or a longer load");
    spec_->plan.timeout = l.duration("timeout", spec_->plan.timeout);
    spec_->plan.connections = static_cast<std::uint32_t>(l.integer("connections", spec_->plan.connections, 1, 1'000'000));
    spec_->plan.keep_alive = l.boolean("keep_alive", true);
    spec_->rounds = static_cast<std::uint32_t>(l.integer("rounds", 1, 1, 1000));
    spec_->threads = static_cast<std::uint32_t>(l.integer("threads", 1, 1, 256));
    spec_->data = l.text("data", "");
    spec_->data_span = l.span_of("data");
    flows(l, node);
    l.finish();
    if (const config::Node* during = r.get("during")) {
      spec_->during = parse_during(*during, world_, sink_);
      for (const During& d : spec_->during)
        if (d.at >= spec_->plan.curve.length()) sink_.error("out-of-range", d.span, "the load is over before this: a round takes " + format(spec_->plan.curve.length()), "an earlier `at`");
    }
    const config::Node* totals = r.get("totals");
    if (totals != nullptr) parse_totals(*totals);
    else sink_.error("no-expectation", step.span, "`load` needs `totals`: it could not fail", "totals: { errors: { le: 0.1% }, latency: { p99: { lt: 250ms } } }");
  }

 private:
  bool open() const noexcept { return spec_->plan.model == Model::Open; }

  double level(const config::Node& node, std::string_view what) {
    if (!open()) return static_cast<double>(config::as_integer(node, sink_, what, 0, 1'000'000).value_or(1));
    if (node.kind == config::Kind::Integer && node.text == "0") return 0;
    const auto rate = config::as_rate(node, sink_, what);
    return rate ? static_cast<double>(rate->count) * 1e9 / static_cast<double>(rate->per.count()) : 1;
  }

  void curve(config::Reader& l) {
    const std::string_view how_much = open() ? "rate" : "users";
    const config::Node* begin = l.get(how_much);
    const config::Node* list = l.get("stages");
    const config::Node* duration = l.get("duration");
    if (!open()) l.elsewhere("rate", "it is for model: open; users are as fast as their answers");
    double at = begin != nullptr ? level(*begin, "`" + std::string(how_much) + "`") : 0;
    std::vector<Stage> stages;
    if (list == nullptr) {
      const Duration length = duration != nullptr ? config::as_duration(*duration, sink_, "`duration`").value_or(std::chrono::seconds(1)) : Duration{};
      if (l.valid() && (begin == nullptr || duration == nullptr)) sink_.error("missing-key", l.span(), "`load` needs `" + std::string(how_much) + "` and `duration`, or `stages`", open() ? "rate: 500/s, duration: 30s" : "users: 20, duration: 30s");
      stages.push_back({at, at, length});
    } else {
      if (duration != nullptr) sink_.error("two-places", l.key_span("duration"), "`stages` say how long the load takes: `duration` has no place beside them");
      if (list->kind != config::Kind::List || list->items.empty()) sink_.error("wrong-type", list->span, "`stages` must be a list", "stages: [ { to: 500/s, over: 10s }, { hold: 30s } ]");
      for (const config::Node& item : list->items) {
        config::Reader s(item, sink_, "a stage");
        const config::Node *to = s.get("to"), *hold = s.get("hold");
        if (s.valid() && (to == nullptr) == (hold == nullptr)) sink_.error("missing-key", item.span, "a stage goes `to` a level `over` a time, or `hold`s the one that it finds", "{ to: 500/s, over: 10s } or { hold: 30s }");
        const double end = to != nullptr ? level(*to, "`to` of a stage") : at;
        if (to != nullptr) s.require("over");
        const Duration length = to != nullptr ? s.duration("over", std::chrono::seconds(1)) : s.duration("hold", std::chrono::seconds(1));
        stages.push_back({at, end, length});
        at = end;
        s.finish();
      }
    }
    spec_->plan.curve = load::Curve(std::move(stages));
    if (spec_->plan.curve.length() > std::chrono::hours(24)) sink_.error("out-of-range", l.span(), "a load of more than a day");
    else if (list != nullptr && spec_->plan.curve.most() <= 0) sink_.error("out-of-range", list->span, "the load never leaves 0", "stages: [ { to: 500/s, over: 10s }, { hold: 30s } ]");
  }

  void flows(config::Reader& l, const config::Node& node) {
    const config::Node *mix = l.get("mix"), *send = l.get("send");
    if (l.valid() && (mix == nullptr) == (send == nullptr)) return sink_.error("missing-key", node.span, "`load` sends a `mix` of requests, or one: `send`", "send: GET /orders, or mix: [ { weight: 9, send: GET /orders } ]");
    if (send != nullptr) {
      spec_->flows.emplace_back().requests.push_back(request(l, *send));
      return;
    }
    if (mix == nullptr) return;
    if (mix->kind != config::Kind::List || mix->items.empty()) return sink_.error("wrong-type", mix->span, "`mix` must be a list, with at least one request");
    for (const config::Node& item : mix->items) flow(item);
  }

  void flow(const config::Node& item) {
    config::Reader m(item, sink_, "an entry of `mix`");
    LoadFlow out;
    out.weight = static_cast<double>(m.integer("weight", 1, 1, 1'000'000));
    const config::Node *send = m.get("send"), *steps = m.get("flow");
    if (m.valid() && (send == nullptr) == (steps == nullptr)) sink_.error("missing-key", item.span, "an entry of `mix` is one request, `send`, or several behind each other, `flow`", "{ weight: 1, flow: [ { send: POST /orders, save: { id: $.id } }, { send: GET /orders/$(user.id) } ] }");
    if (send != nullptr) out.requests.push_back(request(m, *send));
    if (steps != nullptr && (steps->kind != config::Kind::List || steps->items.empty())) {
      sink_.error("wrong-type", steps->span, "`flow` must be a list of requests");
    } else if (steps != nullptr) {
      for (const config::Node& step : steps->items) {
        config::Reader s(step, sink_, "a request of `flow`");
        if (const config::Node* one = s.require("send")) out.requests.push_back(request(s, *one));
        s.finish();
      }
    }
    m.finish();
    spec_->flows.push_back(std::move(out));
  }

  LoadRequest request(config::Reader& r, const config::Node& send) {
    LoadRequest out;
    out.span = send.span;
    Step one;
    one.span = send.span;
    parse_request(one, send, r, world_, sink_);
    if (!one.send.upload.is_plain() || !one.send.body_file.empty()) sink_.error("not-supported", one.send.body_span, "a load sends bodies that stand in the scenario, whole and at once", "body: a text, or { size: 1KiB }");
    const auto credential = world_.credentials.find(one.send.as);
    if (credential != world_.credentials.end() && credential->second.signature) sink_.error("not-supported", r.span_of("as"), "`" + one.send.as + "` signs each request, which a load does not do", "an API key or a token");
    if (credential != world_.credentials.end() && !credential->second.certificate.empty()) sink_.error("not-supported", r.span_of("as"), "`" + one.send.as + "` is a client certificate, which a load does not show", "an API key or a token");
    if (const config::Node* expect = r.get("expect")) {
      config::Reader e(*expect, sink_, "`expect` of a request of `load`");
      const config::Node* status = e.require("status");
      if (status != nullptr) check_status(*status, sink_);
      const MatcherPtr matcher = harness::matcher(e, "status", Dimension::Json, sink_);
      for (int s = 100; matcher && s < 600; ++s)
        if (!matcher->match(nlohmann::json(s))) out.expected.push_back(static_cast<std::uint16_t>(s));
      e.finish();
    }
    out.send = std::move(one.send);
    return out;
  }

  // Bounds of one figure: { lt: 250ms }, each with one of lt, le, gt and ge.
  void bounds(const config::Node& node, const std::string& text, Threshold t) {
    const std::string what = "`" + text + "` of `totals`";
    if (node.kind != config::Kind::Map || node.entries.empty()) return sink_.error("wrong-type", node.span, what + " is a bound: a map with lt, le, gt or ge", text + (t.what == Threshold::What::Rate ? ": { ge: 99% }" : t.what == Threshold::What::Errors ? ": { le: 0.1% }" : ": { lt: 250ms }"));
    config::Reader b(node, sink_, what);
    constexpr std::pair<std::string_view, Threshold::Op> kOps[] = {{"lt", Threshold::Op::Lt}, {"le", Threshold::Op::Le}, {"gt", Threshold::Op::Gt}, {"ge", Threshold::Op::Ge}};
    constexpr std::string_view kSigns[] = {"<", "<=", ">", ">="};
    for (std::size_t i = 0; i < std::size(kOps); ++i) {
      const config::Node* bound = b.get(kOps[i].first);
      if (bound == nullptr) continue;
      t.op = kOps[i].second;
      t.span = bound->span;
      if (t.what == Threshold::What::Errors || t.what == Threshold::What::Rate) t.bound = config::as_share(*bound, sink_, what).value_or(Share{}).fraction();
      else t.bound = static_cast<double>(config::as_duration(*bound, sink_, what).value_or(Duration{}).count());
      t.text = text + " " + std::string(kSigns[i]) + " " + bound->text;
      spec_->thresholds.push_back(t);
    }
    b.finish();
  }

  void percentiles(config::Reader& r, std::string_view key, Threshold::What what) {
    const config::Node* node = r.get(key);
    if (node == nullptr) return;
    if (node->kind != config::Kind::Map || node->entries.empty()) return sink_.error("wrong-type", node->span, "`" + std::string(key) + "` of a load is a map of percentiles", std::string(key) + ": { p50: { lt: 8ms }, p99: { lt: 250ms } }");
    for (const config::Entry& e : node->entries) {
      const auto quantile = load::parse_percentile(e.key);
      if (!quantile) {
        sink_.error("bad-choice", e.key_span, "`" + e.key + "` is no percentile", "p50, p99, p99.9");
        continue;
      }
      Threshold t;
      t.what = what;
      t.quantile = *quantile;
      bounds(*e.value, (what == Threshold::What::Service ? "service." : "") + e.key, t);
    }
  }

  void parse_totals(const config::Node& node) {
    config::Reader r(node, sink_, "`totals` of `load`");
    Threshold t;
    t.what = Threshold::What::Rate;
    if (const config::Node* rate = r.get("rate_achieved")) bounds(*rate, "rate_achieved", t);
    t.what = Threshold::What::Errors;
    if (const config::Node* errors = r.get("errors")) bounds(*errors, "errors", t);
    percentiles(r, "latency", Threshold::What::Latency);
    percentiles(r, "service", Threshold::What::Service);
    if (const config::Node* confidence = r.get("confidence")) {
      const auto share = config::as_share(*confidence, sink_, "`confidence`");
      if (share && (share->fraction() <= 0.5 || share->fraction() >= 1)) sink_.error("out-of-range", confidence->span, "`confidence` is more than 50% and less than 100%", "confidence: 95%");
      else if (share) spec_->confidence = share->fraction();
    }
    spec_->pass_inconclusive = r.choice("on_inconclusive", 0, {"fail", "pass"}) == 1;
    r.finish();
    if (r.valid() && spec_->thresholds.empty() && sink_.errors() == 0) sink_.error("no-expectation", node.span, "`totals` of a load bounds nothing: it could not fail", "errors: { le: 0.1% }");
  }

  const World& world_;
  diag::Sink& sink_;
  std::shared_ptr<LoadSpec> spec_;
};

}  // namespace

void parse_load_step(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink) {
  step.verb = Step::Verb::Load;
  LoadParser(step, world, sink).parse(node, r, step);
}

}  // namespace gatelab::harness
