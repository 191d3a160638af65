// SPDX-License-Identifier: Apache-2.0
#include "harness/load/result.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cinttypes>
#include <nlohmann/json.hpp>
#include <cmath>
#include <cstdio>
#include <set>
#include <utility>

#include "base/random.h"
#include "base/units.h"

namespace gatelab::harness::load {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 2;  // of the file
constexpr double kShown[] = {0.5, 0.9, 0.99, 0.999};

std::string number(double value) {
  std::string out = std::to_string(value);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

// A percentile that a handful decides is not shown as if it were one.
bool has_enough(const Histogram& h, double quantile) { return h.count() > 0 && h.count() >= samples_for(quantile, 0.95); }

std::string line_of(const Histogram& h) {
  if (h.count() == 0) return "-";
  std::string out;
  for (const double q : kShown) out += percentile_name(q) + " " + (has_enough(h, q) ? brief(h.at(q)) : "-") + "  ";
  return out + "max " + brief(h.max());
}

std::string words_of(const Tally& tally) {
  std::string out;
  for (const auto& [status, n] : tally.statuses) out += (out.empty() ? "" : ", ") + std::to_string(status) + ": " + std::to_string(n);
  for (const auto& [word, n] : tally.errors)
    if (!word.starts_with("status ")) out += (out.empty() ? "" : ", ") + word + ": " + std::to_string(n);
  return out.empty() ? "no answer" : out;
}

bool failed_whole(const Tally& t) { return t.sent + t.unsent > 0 && t.failed() >= t.sent + t.unsent && t.latency.count() == 0; }

// Nothing was expected, and so nothing has passed.
bool is_verdict(const Judgement& judgement, const Compared* compared, Verdict verdict) { return !judgement.findings.empty() || compared != nullptr || verdict != Verdict::Pass; }

std::string sure_of(double confidence) { return percent(confidence) + " sure"; }

Json json_of(const Histogram& h) {
  Json counts = Json::array();
  h.each([&counts](Duration, std::size_t index, std::uint64_t n) { counts.push_back({index, n}); });
  return {{"min", h.min().count()}, {"max", h.max().count()}, {"counts", std::move(counts)}};
}

Json json_of(const Tally& t) {
  Json statuses = Json::object();
  for (const auto& [status, n] : t.statuses) statuses[std::to_string(status)] = n;
  return {{"planned", t.planned}, {"sent", t.sent}, {"in_time", t.in_time}, {"unsent", t.unsent}, {"answered", t.answered}, {"octets", t.octets}, {"retried", t.retried}, {"statuses", std::move(statuses)}, {"errors", t.errors},
          {"latency", json_of(t.latency)}, {"service", json_of(t.service)}, {"late", json_of(t.late)}};
}

Json json_of(const Round& r) {
  Json slices = Json::array();
  for (const Slice& s : r.slices) slices.push_back({{"answered", s.answered}, {"failed", s.failed}, {"latency", json_of(s.latency)}});
  return {{"length", r.length.count()}, {"slice", r.slice.count()}, {"cut", r.cut}, {"resources", {{"waits", r.resources.waits}, {"descriptors", r.resources.descriptors}, {"thread", r.resources.thread}}},
          {"judged", json_of(r.judged)}, {"warmup", json_of(r.warmup)}, {"slices", std::move(slices)}};
}

// What a file says that is none of ours; thrown and caught in this file only, as the library does.
struct BadResult {};

void restore(const Json& json, Histogram& out) {
  for (const Json& pair : json.at("counts"))
    if (!out.restore(pair.at(0).get<std::size_t>(), pair.at(1).get<std::uint64_t>())) throw BadResult{};
  if (!out.restore_limits(Duration{json.at("min").get<std::int64_t>()}, Duration{json.at("max").get<std::int64_t>()})) throw BadResult{};
}

void restore(const Json& json, Tally& out) {
  out.planned = json.at("planned").get<std::uint64_t>();
  out.sent = json.at("sent").get<std::uint64_t>();
  out.in_time = json.at("in_time").get<std::uint64_t>();
  out.unsent = json.at("unsent").get<std::uint64_t>();
  out.answered = json.at("answered").get<std::uint64_t>();
  out.octets = json.at("octets").get<std::uint64_t>();
  out.retried = json.at("retried").get<std::uint64_t>();
  for (const auto& [status, n] : json.at("statuses").items()) out.statuses[static_cast<std::uint16_t>(std::stoul(status))] = n.get<std::uint64_t>();
  for (const auto& [word, n] : json.at("errors").items()) out.errors[word] = n.get<std::uint64_t>();
  restore(json.at("latency"), out.latency);
  restore(json.at("service"), out.service);
  restore(json.at("late"), out.late);
}

void restore(const Json& json, Round& out) {
  out.length = Duration{json.at("length").get<std::int64_t>()};
  out.slice = Duration{json.at("slice").get<std::int64_t>()};
  out.cut = json.at("cut").get<bool>();
  const Json& resources = json.at("resources");
  out.resources = {resources.at("waits").get<std::uint64_t>(), resources.at("descriptors").get<std::uint64_t>(), resources.at("thread").get<double>()};
  restore(json.at("judged"), out.judged);
  restore(json.at("warmup"), out.warmup);
  for (const Json& s : json.at("slices")) {
    Slice& slice = out.slices.emplace_back();
    slice.answered = s.at("answered").get<std::uint64_t>();
    slice.failed = s.at("failed").get<std::uint64_t>();
    restore(s.at("latency"), slice.latency);
  }
}

std::string hex(std::uint64_t value) {
  std::array<char, 17> out{};
  std::snprintf(out.data(), out.size(), "%016" PRIx64, value);
  return out.data();
}

std::uint64_t digest_of(const Load& load) noexcept {
  std::uint64_t out = hash64(load.keep_alive ? "kept" : "closed");
  for (const Flow& flow : load.flows) {
    out = mix64(out ^ std::bit_cast<std::uint64_t>(flow.weight));
    for (const Request& request : flow.requests) {
      out = mix64(out ^ request.octets.shape());
      for (const std::uint16_t status : request.expected) out = mix64(out ^ status);
    }
  }
  for (const auto& row : load.data.rows)
    for (const Cell& cell : row) out = hash64(cell.json, out);
  return out;
}

// In what two parts are not of one run; empty: they are.
std::string difference(const Outcome& a, const Outcome& b) {
  std::string out;
  const auto differ = [&out](bool same, const char* what, const std::string& one, const std::string& other) {
    if (!same) out += (out.empty() ? "" : "; ") + std::string(what) + ": " + one + " and " + other;
  };
  const auto joined = [](const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
    return all.empty() ? std::string("none") : all;
  };
  const auto count = [](std::uint64_t n) { return std::to_string(n); };
  differ(a.target == b.target, "the target", "`" + a.target + "`", "`" + b.target + "`");
  differ(a.plan == b.plan && a.model == b.model, "the plan", a.plan, b.plan);
  differ(a.seed == b.seed, "the seed", count(a.seed), count(b.seed));
  differ(a.rounds.size() == b.rounds.size(), "the rounds", count(a.rounds.size()), count(b.rounds.size()));
  differ(a.shard.of == b.shard.of, "the number of shards", count(a.shard.of), count(b.shard.of));
  // A shard's share is dealt out to its threads: with other numbers of them shards have requests in common.
  differ(a.threads == b.threads, "the threads", count(a.threads), count(b.threads));
  differ(a.connections == b.connections, "the connections", count(a.connections), count(b.connections));
  differ(a.warmup == b.warmup, "the warm-up", format(a.warmup), format(b.warmup));
  differ(a.timeout == b.timeout, "the timeout", format(a.timeout), format(b.timeout));
  differ(a.requests == b.requests, "the requests that are sent, or their data", hex(a.requests), hex(b.requests));
  differ(a.thresholds == b.thresholds, "what is expected", joined(a.thresholds), joined(b.thresholds));
  differ(a.confidence == b.confidence, "the confidence", percent(a.confidence), percent(b.confidence));
  return out;
}

}  // namespace

Outcome begin_outcome(std::string target, const Load& load, std::uint32_t threads, double confidence, const std::vector<Threshold>& thresholds) {
  Outcome out;
  out.target = std::move(target);
  out.plan = plan_text(load);
  out.model = load.model;
  out.seed = load.seed;
  out.connections = load.connections;
  out.threads = threads;
  out.shard = load.shard;
  out.warmup = load.warmup;
  out.confidence = confidence;
  out.timeout = load.timeout;
  out.requests = digest_of(load);
  for (const Threshold& t : thresholds) out.thresholds.push_back(t.text);
  return out;
}

std::string plan_text(const Load& load) {
  const bool open = load.model == Model::Open;
  std::string out = open ? load.spacing == Spacing::Poisson ? "open, Poisson, " : "open, even, " : "closed, ";
  std::string stages;
  for (const Stage& s : load.curve.stages()) {
    stages += stages.empty() ? "" : ", then ";
    stages += s.from == s.to ? number(s.to) : number(s.from) + " to " + number(s.to);
    stages += (open ? "/s for " : " users for ") + format(s.length);
  }
  out += stages;
  if (!open && load.think > Duration{}) out += ", who think for " + format(load.think);
  if (!load.keep_alive) out += ", a connection a request";
  return out;
}

std::string to_text(const Outcome& o, const Judgement& judgement, const Compared* compared) {
  Round all;
  Duration judged{};
  for (const Round& r : o.rounds) {
    all.merge(r);
    judged += r.length - o.warmup;
  }
  const Tally& t = all.judged;
  const double seconds = std::max(1e-9, static_cast<double>(judged.count()) / 1e9);
  std::string out = "load " + o.target + ": " + o.plan + (o.rounds.size() > 1 ? ", " + std::to_string(o.rounds.size()) + " rounds" : "") + ", seed " + std::to_string(o.seed);
  if (o.shard.of > 1) out += ", shard " + std::to_string(o.shard.index + 1) + "/" + std::to_string(o.shard.of);
  out += "\n";
  out += "  requests  " + std::to_string(t.planned) + " planned, " + std::to_string(t.in_time) + " sent in time, " + (t.unsent > 0 ? std::to_string(t.unsent) + " never sent, " : "") + number(std::round(static_cast<double>(t.answered) / seconds * 10) / 10) + " answered a second, " + percent(t.sent + t.unsent == 0 ? 0 : static_cast<double>(t.failed()) / static_cast<double>(t.sent + t.unsent)) + " errors\n";
  out += "  answers   " + words_of(t) + (t.retried > 0 ? " (" + std::to_string(t.retried) + " sent again: the server had closed)" : "") + "\n";
  if (failed_whole(t)) out += "  every request failed: there is no latency to tell\n";
  out += "  latency   " + line_of(t.latency) + "\n";
  out += "  service   " + line_of(t.service) + "\n";
  out += "  late by   " + line_of(t.late) + "\n";
  if (all.warmup.sent > 0) out += "  warm-up   " + std::to_string(all.warmup.sent) + " requests in the first " + format(o.warmup) + ", not judged: " + line_of(all.warmup.latency) + "\n";
  out += to_text(o.served);
  for (std::size_t i = 0; o.rounds.size() > 1 && i < o.rounds.size(); ++i) out += "  round " + std::to_string(i + 1) + "   " + line_of(o.rounds[i].judged.latency) + "\n";
  for (const Finding& f : judgement.findings) out += "  " + f.threshold.text + ": " + std::string(name(f.verdict)) + " (" + f.text + ")\n";
  if (compared != nullptr) {
    out += "  against " + compared->base + ", tolerance " + percent(compared->tolerance) + ":\n";
    for (const Comparison& c : compared->findings) out += "    " + std::string(name(c.verdict)) + ": " + c.text + "\n";
    out += "    " + std::string(name(compared->errors.verdict)) + ": " + compared->errors.text + "\n";
    for (const std::string& why : compared->invalid) out += "    invalid: of the base: " + why + "\n";
    out += "    a request of this run is the slower of two with a chance of " + percent(compared->superiority) + "\n";
  }
  for (const std::string& why : judgement.invalid) out += "  invalid: " + why + "\n";
  if (!judgement.hint.empty()) out += "  hint: " + judgement.hint + "\n";
  const Verdict verdict = compared == nullptr ? judgement.verdict : worse(judgement.verdict, compared->verdict);
  if (!is_verdict(judgement, compared, verdict)) return out;
  return out + "verdict: " + std::string(name(verdict)) + " (" + sure_of(o.confidence) + ")\n";
}

std::string to_json(const Outcome& o, const Judgement& judgement, const Compared* compared) {
  const Verdict verdict = compared == nullptr ? judgement.verdict : worse(judgement.verdict, compared->verdict);
  Json out{{"gatelab_load", kVersion}, {"verdict", is_verdict(judgement, compared, verdict) ? Json(name(verdict)) : Json()}};
  out["target"] = o.target;
  out["plan"] = o.plan;
  out["model"] = o.model == Model::Open ? "open" : "closed";
  out["seed"] = o.seed;
  out["connections"] = o.connections;
  out["threads"] = o.threads;
  out["shard"] = {o.shard.index, o.shard.of};
  out["warmup"] = o.warmup.count();
  out["confidence"] = o.confidence;
  out["thresholds"] = o.thresholds;
  out["timeout"] = o.timeout.count();
  out["requests"] = hex(o.requests);
  out["marks"] = Json::array();
  for (const Mark& m : o.marks) out["marks"].push_back({{"at", m.at.count()}, {"text", m.text}});
  Round all;
  for (const Round& r : o.rounds) all.merge(r);
  Json& latency = out["latency_ms"];
  for (const double q : {0.5, 0.9, 0.95, 0.99, 0.999}) latency[percentile_name(q)] = has_enough(all.judged.latency, q) ? Json(static_cast<double>(all.judged.latency.at(q).count()) / 1e6) : Json();
  latency["max"] = all.judged.latency.count() > 0 ? Json(static_cast<double>(all.judged.latency.max().count()) / 1e6) : Json();
  out["findings"] = Json::array();
  for (const Finding& f : judgement.findings)
    out["findings"].push_back({{"threshold", f.threshold.text}, {"verdict", name(f.verdict)}, {"value", f.value}, {"low", f.low}, {"high", f.high}, {"text", f.text}});
  out["invalid"] = judgement.invalid;
  if (!judgement.hint.empty()) out["hint"] = judgement.hint;
  if (compared != nullptr) {
    Json& c = out["compared"] = {{"base", compared->base}, {"tolerance", compared->tolerance}, {"superiority", compared->superiority}, {"verdict", name(compared->verdict)}};
    const ComparedErrors& e = compared->errors;
    c["errors"] = {{"base", e.base}, {"now", e.now}, {"verdict", name(e.verdict)}, {"text", e.text}};
    c["invalid"] = compared->invalid;
    for (const Comparison& f : compared->findings) c["findings"].push_back({{"percentile", percentile_name(f.quantile)}, {"ratio", f.ratio}, {"low", f.low}, {"high", f.high}, {"verdict", name(f.verdict)}});
  }
  if (!o.served.targets.empty()) {
    Json& served = out["served"] = {{"retries", o.served.retries}, {"hedges", o.served.hedges}, {"targets", Json::array()}};
    const auto ms = [](Duration d) { return d == Duration::max() ? Json() : Json(static_cast<double>(d.count()) / 1e6); };
    for (const Served& one : o.served.targets)
      served["targets"].push_back({{"target", one.target}, {"answers", one.answers}, {"p50_ms_at_most", ms(one.p50)}, {"p99_ms_at_most", ms(one.p99)}, {"failures", one.failures}});
  }
  out["rounds"] = Json::array();
  for (const Round& r : o.rounds) out["rounds"].push_back(json_of(r));
  return out.dump() + "\n";
}

std::string none_succeeded(const std::vector<Round>& rounds) {
  Round all;
  for (const Round& r : rounds) all.merge(r);
  return failed_whole(all.judged) ? "no request succeeded (" + words_of(all.judged) + ")" : "";
}

std::string to_hdr(const Outcome& o) {
  Histogram all;
  for (const Round& r : o.rounds) all.merge(r.judged.latency);
  return all.percentile_text();
}

Result<Outcome> read_outcome(std::string_view name, std::string_view text) {
  const auto bad = [name](const std::string& why) { return fail("bad-result", "`" + std::string(name) + "` is no result of `gatelab load` (" + why + "); one is written with --save or --out"); };
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("gatelab_load")) return bad("no `gatelab_load` in it");
  if (json["gatelab_load"] != kVersion) return bad("of another version");
  Outcome out;
  try {
    out.target = json.at("target").get<std::string>();
    out.plan = json.at("plan").get<std::string>();
    out.model = json.at("model").get<std::string>() == "open" ? Model::Open : Model::Closed;
    out.seed = json.at("seed").get<std::uint64_t>();
    out.connections = json.at("connections").get<std::uint32_t>();
    out.threads = json.at("threads").get<std::uint32_t>();
    out.shard = {json.at("shard").at(0).get<std::uint32_t>(), json.at("shard").at(1).get<std::uint32_t>()};
    out.warmup = Duration{json.at("warmup").get<std::int64_t>()};
    out.confidence = json.at("confidence").get<double>();
    out.thresholds = json.at("thresholds").get<std::vector<std::string>>();
    out.timeout = Duration{json.at("timeout").get<std::int64_t>()};
    out.requests = std::stoull(json.at("requests").get<std::string>(), nullptr, 16);
    for (const Json& m : json.at("marks")) out.marks.push_back({Duration{m.at("at").get<std::int64_t>()}, m.at("text").get<std::string>()});
    for (const Json& r : json.at("rounds")) restore(r, out.rounds.emplace_back());
  } catch (const std::exception& e) {
    return bad(e.what());
  } catch (const BadResult&) {
    return bad("a histogram of it can't be one");
  }
  if (out.shard.of == 0 || out.shard.index >= out.shard.of || out.confidence <= 0.5 || out.confidence >= 1) return bad("its values do not fit each other");
  return out;
}

Result<Outcome> merge(std::vector<Outcome> parts) {
  if (parts.empty()) return fail("not-one-run", "there is nothing to merge");
  std::set<std::uint32_t> shards;
  Outcome& out = parts.front();
  for (const Outcome& part : parts) {
    if (const std::string why = difference(out, part); !why.empty()) return fail("not-one-run", "these are parts of different runs: they differ in " + why);
    if (!shards.insert(part.shard.index).second) return fail("not-one-run", "shard " + std::to_string(part.shard.index + 1) + "/" + std::to_string(part.shard.of) + " is there twice");
  }
  if (shards.size() != out.shard.of) {
    std::string missing;
    for (std::uint32_t i = 0; i < out.shard.of; ++i)
      if (shards.count(i) == 0) missing += (missing.empty() ? "" : ", ") + std::to_string(i + 1) + "/" + std::to_string(out.shard.of);
    return fail("not-one-run", "shard " + missing + " is missing: percentiles of a part say nothing of the whole");
  }
  for (std::size_t p = 1; p < parts.size(); ++p)
    for (std::size_t i = 0; i < out.rounds.size(); ++i) out.rounds[i].merge(parts[p].rounds[i]);
  out.connections *= out.shard.of;
  out.shard = {};
  return std::move(out);
}

}  // namespace gatelab::harness::load
