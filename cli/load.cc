// SPDX-License-Identifier: Apache-2.0
// gatelab load TARGET: requests at a planned rate, or of users, and an honest verdict. `gatelab load merge` joins shards.
// Results go to stdout and to files, progress to stderr.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/units.h"
#include "base/userinfo.h"
#include "cli/cli.h"
#include "cli/load_view.h"
#include "cli/load_world.h"
#include "cli/same_file.h"
#include "harness/load/result.h"
#include "harness/load/search.h"
#include "harness/replay/request.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

using namespace harness::load;

struct Options {
  std::string target, gateway;
  std::string method, body, body_file;
  std::vector<std::string> headers;
  std::string rate, duration = "10s", warmup = "0s", think = "0s", timeout = "10s", arrivals = "poisson";
  std::vector<std::string> stages;
  std::uint32_t users = 0, rounds = 1, threads = 1, workers = 1, connections = 4096;
  bool no_keep_alive = false;
  std::uint64_t seed = 1;
  std::string thresholds, data, shard;
  double confidence = 95;
  std::string save, against, tolerance = "5%", find_max, json, hdr, html;
  LoadTls tls;
  std::vector<std::string_view> said;  // long names of flags that were given; of those that are asked about
};

// One complaint, and the exit code of wrong usage.
int wrong(const std::string& why) { return complain(why), kUsage; }

bool parse_level(const std::string& text, bool open, double& out) {
  if (!open) {
    const auto number = parse_rate(text + "/s");
    return number ? (out = static_cast<double>(number->count), true) : text == "0" ? (out = 0, true) : false;
  }
  if (text == "0/s" || text == "0") return out = 0, true;
  const auto rate = parse_rate(text);
  if (!rate) return false;
  out = static_cast<double>(rate->count) / (static_cast<double>(rate->per.count()) / 1e9);
  return true;
}

// --stage LEVEL:DURATION goes there in a straight line; the first one begins at --rate or --users, or at nothing.
bool parse_curve(const Options& o, bool open, Curve& out) {
  const auto duration = parse_duration(o.duration);
  if (!duration || *duration <= Duration{}) return complain("--duration " + o.duration + ": write 10s or 5m"), false;
  double level = 0;
  const std::string& said = open ? o.rate : std::to_string(o.users);
  if (!said.empty() && !parse_level(said, open, level)) return complain("--rate " + said + ": write 500/s or 30/m"), false;
  if (o.stages.empty()) return out = Curve({{level, level, *duration}}), true;
  std::vector<Stage> stages;
  for (const std::string& text : o.stages) {
    const std::size_t colon = text.rfind(':');
    double to = 0;
    const auto length = parse_duration(colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1));
    if (!length || *length <= Duration{} || !parse_level(text.substr(0, colon), open, to)) return complain("--stage " + text + ": write " + (open ? "500/s:10s" : "20:10s") + ", where it gets to and how long that takes"), false;
    stages.push_back({level, to, *length});
    level = to;
  }
  return out = Curve(std::move(stages)), true;
}

bool parse_part(const std::string& text, Part& out) {
  if (text.empty()) return true;
  const std::size_t slash = text.find('/');
  double index = 0, of = 0;
  if (slash == std::string::npos || !parse_level(text.substr(0, slash), false, index) || !parse_level(text.substr(slash + 1), false, of) || index < 1 || index > of) {
    complain("--shard " + text + ": write 1/4 for the first of four");
    return false;
  }
  out = {static_cast<std::uint32_t>(index) - 1, static_cast<std::uint32_t>(of)};
  return true;
}

// The request as octets. `target` may name another path than the URL's: "POST /orders".
std::string octets_of(const Options& o, const std::string& authority, const std::string& path) {
  const bool has_body = !o.body.empty();
  std::string out = (o.method.empty() ? has_body ? "POST" : "GET" : o.method) + " " + path + " HTTP/1.1\r\n";
  bool host = false, type = false;
  for (const std::string& header : o.headers) {
    const std::string_view name = std::string_view(header).substr(0, header.find(':'));
    host = host || iequals(name, "host");
    type = type || iequals(name, "content-type");
  }
  if (!host) out += "Host: " + authority + "\r\n";
  for (const std::string& header : o.headers) out += header + "\r\n";
  if (has_body && !type && (o.body.front() == '{' || o.body.front() == '[')) out += "Content-Type: application/json\r\n";
  if (o.no_keep_alive) out += "Connection: close\r\n";
  if (has_body) out += "Content-Length: " + std::to_string(o.body.size()) + "\r\n";
  return out + "\r\n" + o.body;
}

// An empty value is most likely a variable that was not set: what it was to say must not be left out in silence.
int refuse_empty(const Options& o) {
  constexpr std::string_view kBounds = "it names no bound; write 'p99<50ms,errors<0.1%,rate>=99%'", kFile = "it names no file", kNothing = ", \t";
  struct Value {
    std::string_view flag;
    const std::string& text;
    std::string_view why;
  };
  const Value all[] = {{"--expect", o.thresholds, kBounds}, {"--find-max", o.find_max, kBounds}, {"--against", o.against, "it names nothing to compare with; write a saved result, a URL or a configuration"},
                       {"--shard", o.shard, "write 1/4 for the first of four"}, {"--data", o.data, kFile}, {"--save", o.save, kFile}, {"--json", o.json, kFile}, {"--hdr", o.hdr, kFile}, {"--html", o.html, kFile}};
  for (const Value& one : all)
    if (one.text.find_first_not_of(kNothing) == std::string::npos && std::find(o.said.begin(), o.said.end(), one.flag) != o.said.end()) return wrong(fmt::format("{} '{}': {}", one.flag, one.text, one.why));
  return kOk;
}

// -d @FILE, as curl has it.
int read_body(Options& o) {
  if (!o.body.starts_with('@')) return kOk;
  const diag::SourcePtr source = read_source(o.body_file = o.body.substr(1));
  if (!source) return kEnvironment;
  o.body = source->text;
  if (o.body.empty() && o.method.empty()) o.method = "POST";
  return kOk;
}

// Flags that would be read by nobody.
int refuse_strangers(const Options& o) {
  const bool is_open = o.users == 0;
  struct Stranger {
    std::string_view flag;
    bool wrong;
    std::string_view why;
  };
  const Stranger all[] = {
      {"--think", is_open, "arrivals do not think: it goes with --users"},
      {"--arrivals", !is_open, "users do not arrive: it goes with --rate"},
      {"--duration", !o.stages.empty(), "each --stage says how long it takes"},
      {"--tolerance", o.against.empty(), "it goes with --against"},
      {"--shard", o.save.empty() && (o.json.empty() || o.json == "-"), "a part says nothing alone: --out part.json writes it for `gatelab load merge`"},
      {"--workers", o.gateway.empty() && (o.against.empty() || o.against.ends_with(".json") || o.against.starts_with("http")), "they are of a gateway in here: it goes with --gateway"},
      {"--against", !o.find_max.empty(), "--find-max compares with nothing"},
      {"--rounds", !o.find_max.empty(), "--find-max goes once at each rate"},
      {"--expect", !o.find_max.empty(), "what --find-max names is what has to hold"},
  };
  for (const Stranger& one : all)
    if (one.wrong && std::find(o.said.begin(), o.said.end(), one.flag) != o.said.end()) return wrong(fmt::format("{} has no meaning here: {}", one.flag, one.why));
  return kOk;
}

// Everything but what depends on the target. 0, or the exit code after a complaint.
int parse(const Options& o, Load& load) {
  if (const int exit = refuse_empty(o); exit != kOk) return exit;
  if (o.users > 0 && !o.rate.empty()) return wrong("--rate and --users: the load is an arrival rate or a number of users, not both");
  if (o.users == 0 && o.rate.empty() && o.stages.empty()) return wrong("how much? --rate 500/s, or --users 20");
  if (const int exit = refuse_strangers(o); exit != kOk) return exit;
  if (!o.method.empty() && !http::is_token(o.method)) return wrong("-X `" + o.method + "` is no method");
  load.model = o.users > 0 ? Model::Closed : Model::Open;
  if (!parse_curve(o, load.model == Model::Open, load.curve)) return kUsage;
  if (load.curve.most() <= 0) return wrong("the load never leaves 0: --rate, --users or a --stage above it");
  if (load.curve.most() > 10e6) return wrong("more than ten million a second: no machine sends that; spread it over --shard");
  if (load.curve.length() > std::chrono::hours(24)) return wrong("a load of more than a day: shorter, and again");
  if (o.arrivals != "poisson" && o.arrivals != "even") return wrong("--arrivals " + o.arrivals + ": poisson, or even");
  load.spacing = o.arrivals == "even" ? Spacing::Even : Spacing::Poisson;
  const std::pair<const std::string*, Duration*> durations[] = {{&o.warmup, &load.warmup}, {&o.think, &load.think}, {&o.timeout, &load.timeout}};
  for (const auto& [text, into] : durations) {
    const auto duration = *text == "0s" ? Result<Duration>(Duration{}) : parse_duration(*text);
    if (!duration) return wrong(duration.error().message);
    *into = *duration;
  }
  if (load.timeout <= Duration{}) return wrong("--timeout 0s would give every request up at once");
  if (load.warmup >= load.curve.length()) return wrong("--warmup " + o.warmup + " is the whole load: it is its first part, which is not judged; make --duration longer");
  load.connections = o.connections;
  load.keep_alive = !o.no_keep_alive;
  load.seed = o.seed;
  if (!parse_part(o.shard, load.shard)) return kUsage;
  for (const std::string& header : o.headers)
    if (header.find(':') == std::string::npos || header.find_first_of("\r\n") != std::string::npos) return wrong("-H has no colon, or a line break: write 'Name: value'");
  if (o.data.empty()) return kOk;
  const diag::SourcePtr source = read_source(o.data);
  if (!source) return kEnvironment;
  auto data = read_data(o.data, source->text);
  if (!data) return complain(data.error().message), kInvalid;
  load.data = std::move(*data);
  return kOk;
}

// The load of one target: the request is made for it. 0, or the exit code after a complaint.
int aim(const Options& o, const LoadTarget& target, std::string path, Load& load) {
  if (path.empty()) path = target.path();
  auto made = Template::make(octets_of(o, target.authority(), path), load.data, {});
  if (!made) return complain(made.error().message), made.error().id == "bad-data" ? kInvalid : kUsage;
  Flow flow;
  Request request;
  request.octets = std::move(*made);
  request.method = http::method_of(o.method.empty() ? o.body.empty() ? "GET" : "POST" : o.method);
  flow.requests.push_back(std::move(request));
  load.flows.clear();
  load.flows.push_back(std::move(flow));
  return kOk;
}

// `more`: what else is read, the parts of a merge.
bool overwrites_nothing(const Options& o, const std::vector<std::string>& more = {}) {
  const bool is_url = o.against.starts_with("http://") || o.against.starts_with("https://");
  std::vector<NamedFile> inputs{{"--gateway", o.gateway}, {"--data", o.data}, {"--body", o.body_file}, {"--against", is_url ? "" : o.against}, {"--cacert", o.tls.ca}};
  for (const std::string& file : more) inputs.emplace_back("a part", file);
  return each_of_its_own({{"--save", o.save}, {"--json", o.json}, {"--hdr", o.hdr}, {"--html", o.html}}, inputs);
}

// Before minutes are spent on what goes into them.
bool can_write(const Options& o) {
  const io::DiskFiles files;
  for (const std::string* path : {&o.save, &o.json, &o.hdr, &o.html})
    if (!path->empty() && *path != "-")
      if (const Status can = files.can_write(*path); !can) return complain("can't write `" + *path + "`: " + can.error().message), false;
  return true;
}

bool write_file(const std::string& path, const std::string& text) {
  io::DiskFiles files;
  const Status written = files.write(path, text);
  if (!written) complain(written.error().message);
  return written.ok();
}

int exit_of(Verdict verdict) {
  return verdict == Verdict::Pass ? kOk : verdict == Verdict::Fail ? kFailed : kUnsure;
}

// Text, JSON and whatever files were asked for.
int tell(const Options& o, const Outcome& outcome, const std::vector<Threshold>& thresholds, const Compared* compared) {
  const Judgement judgement = judge(outcome.rounds, thresholds, outcome.confidence, outcome.model, outcome.connections);
  bool written = true;
  if (!o.save.empty()) written = write_file(o.save, to_json(outcome, judgement, compared));
  if (o.json == "-") print(to_json(outcome, judgement, compared));
  else if (!o.json.empty()) written = write_file(o.json, to_json(outcome, judgement, compared)) && written;
  if (!o.hdr.empty()) written = write_file(o.hdr, to_hdr(outcome)) && written;
  if (!o.html.empty()) written = write_file(o.html, to_html(outcome, judgement, compared)) && written;
  if (o.json != "-") print(to_text(outcome, judgement, compared));
  if (!written) return kEnvironment;
  if (load_interrupted()) return kInterrupted;
  // A part of a run says nothing alone.
  if (outcome.shard.of > 1) return kOk;
  return exit_of(compared == nullptr ? judgement.verdict : worse(judgement.verdict, compared->verdict));
}

class LoadCommand {
 public:
  explicit LoadCommand(const Options& options) : o_(options) {}

  int run() {
    if (int exit = parse(o_, load_); exit != kOk) return exit;
    const auto thresholds = parse_thresholds(o_.find_max.empty() ? o_.thresholds : o_.find_max);
    if (!thresholds) return wrong(thresholds.error().message);
    thresholds_ = *thresholds;
    const auto tolerance = parse_share(o_.tolerance);
    if (!tolerance) return wrong("--tolerance: " + tolerance.error().message);
    if (o_.confidence <= 50 || o_.confidence >= 100) return wrong("--confidence: more than 50 and less than 100, in percent");
    if (!overwrites_nothing(o_)) return kUsage;
    if (!can_write(o_)) return kEnvironment;
    watch_load_signals();
    int exit = kOk;
    target_ = open(o_.gateway.empty() ? o_.target : o_.gateway, exit);
    if (!target_) return exit;
    if (exit = aim(o_, *target_, o_.gateway.empty() ? "" : o_.target, load_); exit != kOk) return exit;
    threads_ = std::make_unique<LoadThreads>(o_.threads, o_.seed);
    if (!o_.find_max.empty()) return find_max();
    if (!o_.against.empty()) return compare_with(tolerance->fraction());
    Outcome outcome = described();
    for (std::uint32_t i = 0; i < o_.rounds && !load_interrupted(); ++i) outcome.rounds.push_back(round(load_, *target_, i, o_.rounds > 1 ? fmt::format("round {} of {}", i + 1, o_.rounds) : ""));
    outcome.served = target_->served();
    return tell(o_, outcome, thresholds_, nullptr);
  }

 private:
  std::unique_ptr<LoadTarget> open(const std::string& named, int& exit) { return open_load_target(named, o_.tls, o_.workers, exit); }

  Round round(const Load& load, const LoadTarget& target, std::uint32_t number, std::string what) {
    LoadView view(isatty(STDERR_FILENO) == 1 && std::getenv("CI") == nullptr, load.curve.length());
    view.begin(std::move(what));
    Round out = threads_->run(load, target.target(), number, [&view](Duration since, Progress& progress) { view.look(since, progress); });
    view.end();
    return out;
  }

  Outcome described() const {
    std::string target = (o_.gateway.empty() ? "" : o_.gateway + " ") + (o_.target.empty() ? "/" : harness::shown_target(without_userinfo(o_.target)));
    return begin_outcome(std::move(target), load_, o_.threads, o_.confidence / 100, thresholds_);
  }

  // What the verdict is about: the percentiles of the thresholds, or the two that tell most.
  std::vector<double> compared_quantiles() const {
    std::vector<double> out;
    for (const Threshold& t : thresholds_)
      if (t.what == Threshold::What::Latency) out.push_back(t.quantile);
    return out.empty() ? std::vector<double>{0.5, 0.99} : out;
  }

  static Measured measured(const Outcome& outcome) { return {outcome.rounds, outcome.model, outcome.connections}; }

  int compare_with(double tolerance) {
    Outcome outcome = described();
    Compared compared;
    if (o_.against.ends_with(".json")) {
      const diag::SourcePtr source = read_source(o_.against);
      if (!source) return kEnvironment;
      const auto base = read_outcome(o_.against, source->text);
      if (!base) return complain(base.error().message), kInvalid;
      if (std::any_of(base->rounds.begin(), base->rounds.end(), [](const Round& r) { return r.cut; })) return complain("`" + o_.against + "` was stopped before its end, and is nothing to compare with"), kInvalid;
      if (base->shard.of > 1) return complain("`" + o_.against + "` is a part of a run; join its shards with `gatelab load merge` first"), kInvalid;
      if (base->plan != outcome.plan) complain("the plans differ, and so the runs can't be compared well: `" + base->plan + "` and `" + outcome.plan + "`");
      for (std::uint32_t i = 0; i < o_.rounds && !load_interrupted(); ++i) outcome.rounds.push_back(round(load_, *target_, i, fmt::format("round {} of {}", i + 1, o_.rounds)));
      compared = compare({base->rounds, base->model, base->connections}, measured(outcome), {compared_quantiles(), tolerance, outcome.confidence, false});
    } else {
      int exit = kOk;
      const auto other = open(o_.against, exit);
      if (!other) return exit;
      Load load = load_;
      const bool gateways = !o_.gateway.empty() && !o_.against.starts_with("http");
      if (exit = aim(o_, *other, gateways ? o_.target : "", load); exit != kOk) return exit;
      std::vector<Round> base;
      for (std::uint32_t i = 0; i < o_.rounds && !load_interrupted(); ++i) {
        const std::string what = fmt::format("round {} of {}", i + 1, o_.rounds);
        // Whoever comes second meets another machine than the first: they take turns in that too.
        if (i % 2 == 0) base.push_back(round(load, *other, i, what + ", base"));
        outcome.rounds.push_back(round(load_, *target_, i, what));
        if (i % 2 != 0) base.push_back(round(load, *other, i, what + ", base"));
      }
      compared = compare({base, outcome.model, outcome.connections}, measured(outcome), {compared_quantiles(), tolerance, outcome.confidence, true});
    }
    compared.base = o_.against;
    outcome.served = target_->served();
    return tell(o_, outcome, thresholds_, &compared);
  }

  // Inconclusive is not good enough.
  int find_max() {
    if (load_.model != Model::Open || load_.curve.stages().size() != 1) return wrong("--find-max looks for a rate: it needs --rate to begin with, and no --stage");
    RateSearch search(load_.curve.most());
    Outcome best;
    std::string why;
    bool unsure = false;  // of the last rate
    for (std::uint32_t step = 0; search.next() && !load_interrupted(); ++step) {
      const double rate = *search.next();
      load_.curve = Curve({{rate, rate, load_.curve.length()}});
      Outcome outcome = described();
      outcome.rounds.push_back(round(load_, *target_, step, fmt::format("{:.4g}/s", rate)));
      const Judgement judgement = judge(outcome.rounds, thresholds_, outcome.confidence, outcome.model, outcome.connections);
      if (load_interrupted()) break;
      const std::string none = judgement.verdict == Verdict::Invalid ? "" : none_succeeded(outcome.rounds);
      const std::string said = none.empty() ? said_of(judgement) : none;
      // Above a rate that holds that is an answer: this one does not.
      if (!none.empty() && search.good() == 0) return complain(fmt::format("{}/s for {}: {}: nothing can be judged; see whether the target answers, or begin with a lower --rate", rate, format(load_.curve.length()), none)), kUnsure;
      if (const std::string longer = too_short(judgement, rate); none.empty() && !longer.empty()) return complain(longer), kUnsure;
      if (o_.json != "-") print(fmt::format("{}/s: {} ({})\n", rate, name(judgement.verdict), said));
      const bool holds = judgement.verdict == Verdict::Pass;
      unsure = judgement.verdict == Verdict::Invalid;
      search.tell(holds);
      if (holds) best = std::move(outcome);
      else why = std::string(name(judgement.verdict)) + ": " + said;
    }
    if (load_interrupted()) return kInterrupted;
    if (search.good() == 0) return complain((unsure ? "nothing can be said of the lowest rate: " : "no rate holds: ") + why), unsure ? kUnsure : kFailed;
    const int exit = tell(o_, best, thresholds_, nullptr);
    if (o_.json == "-") return exit;
    if (search.bad() == 0) print(fmt::format("most: {}/s, and no rate was found that does not hold\n", search.good()));
    else print(fmt::format("most: {}/s, to {}; at {}/s {}\n", search.good(), percent(search.bad() / search.good() - 1), search.bad(), why));
    return exit;
  }

  // Of a rate that nothing is known of, not even that it does not hold: a lower one would tell less. Empty: it is not that.
  std::string too_short(const Judgement& judgement, double rate) const {
    if (judgement.verdict != Verdict::Inconclusive) return {};
    for (const Finding& f : judgement.findings) {
      if (f.needed == 0) continue;
      const double seconds = std::ceil(1.1 * static_cast<double>(f.needed) / rate + static_cast<double>(load_.warmup.count()) / 1e9);
      return fmt::format("{}/s for {} is too short to tell whether `{}` holds ({}): use a longer --duration, {:.0f}s for this rate", rate, format(load_.curve.length()), f.threshold.text, f.text, seconds);
    }
    return {};
  }

  static std::string said_of(const Judgement& judgement) {
    if (!judgement.invalid.empty()) return judgement.invalid.front();
    std::string out;
    for (const Finding& f : judgement.findings) out += (out.empty() ? "" : ", ") + f.threshold.text + ": " + std::string(name(f.verdict)) + " (" + f.text + ")";
    return out;
  }

  const Options& o_;
  Load load_;
  std::vector<Threshold> thresholds_;
  std::unique_ptr<LoadTarget> target_;
  std::unique_ptr<LoadThreads> threads_;
};

int merge_files(const std::vector<std::string>& files, const Options& o) {
  if (const int exit = refuse_empty(o); exit != kOk) return exit;
  if (!overwrites_nothing(o, files)) return kUsage;
  if (!can_write(o)) return kEnvironment;
  std::vector<Outcome> parts;
  for (const std::string& file : files) {
    const diag::SourcePtr source = read_source(file);
    if (!source) return kEnvironment;
    auto part = read_outcome(file, source->text);
    if (!part) return complain(part.error().message), kInvalid;
    parts.push_back(std::move(*part));
  }
  std::string said = o.thresholds;
  for (const std::string& t : parts.front().thresholds)
    if (o.thresholds.empty()) said += t + ",";
  const auto thresholds = parse_thresholds(said);
  if (!thresholds) return wrong(thresholds.error().message);
  auto whole = merge(std::move(parts));
  if (!whole) return complain(whole.error().message), kInvalid;
  return tell(o, *whole, *thresholds, nullptr);
}

// The flags of these that were given.
void note_said(const CLI::App& command, Options& o, std::initializer_list<std::string_view> flags) {
  for (const std::string_view flag : flags)
    if (command.get_option(std::string(flag))->count() > 0) o.said.push_back(flag);
}

void add_outputs(CLI::App& command, Options& o) {
  command.add_option("--expect,--threshold", o.thresholds, "'p99<50ms,errors<0.1%,rate>=99%': what makes the run pass or fail");
  command.add_option("--json", o.json, "the result as JSON into this file; -: to stdout, instead of text");
  command.add_option("--hdr", o.hdr, "the latencies in HdrHistogram's text form into this file");
  command.add_option("--html", o.html, "one page with charts into this file");
}

}  // namespace

void add_load(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("load", "load a URL or a configuration, and judge what came of it");
  command->add_option("TARGET", o->target, "a URL; with --gateway a path");
  command->add_option("--gateway", o->gateway, "run this configuration in here, and load it");
  command->add_option("--rate", o->rate, "arrivals that wait for nobody: 500/s");
  command->add_option("--users", o->users, "or users, each with one request at a time")->check(CLI::Range(1, 1'000'000));
  command->add_option("--think", o->think, "how long a user waits between requests")->capture_default_str();
  command->add_option("--duration", o->duration, "how long a round takes")->capture_default_str();
  command->add_option("--warmup", o->warmup, "its first part, which is not judged")->capture_default_str();
  command->add_option("--stage", o->stages, "500/s:10s: get there in that time; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--arrivals", o->arrivals, "poisson or even")->capture_default_str();
  command->add_option("--rounds", o->rounds, "how often; what differs between rounds counts")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("-X,--request", o->method, "the method");
  command->add_option("-H,--header", o->headers, "'Name: value'; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("-d,--body", o->body, "the body, or @FILE; POST unless -X says otherwise");
  command->add_option("--data", o->data, "rows.csv or rows.jsonl: $(data.NAME) in path, headers and body is a column of a row");
  command->add_option("--timeout", o->timeout, "when a request is given up")->capture_default_str();
  command->add_flag("--no-keep-alive", o->no_keep_alive, "a new connection for each request");
  command->add_option("--connections", o->connections, "open at a time, at most")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  command->add_option("--threads", o->threads, "that generate")->check(CLI::Range(1, 256))->capture_default_str();
  command->add_option("--workers", o->workers, "of the gateway in here")->check(CLI::Range(1, 256))->capture_default_str();
  command->add_flag("-k,--insecure", o->tls.insecure, "do not verify certificates");
  command->add_option("--cacert", o->tls.ca, "trust these CA certificates instead of the system's");
  command->add_option("--seed", o->seed, "of the plan")->capture_default_str();
  command->add_option("--confidence", o->confidence, "of every bound, in percent")->capture_default_str();
  command->add_option("--save,--out", o->save, "the whole result into this file, for --against and `load merge`");
  command->add_option("--against", o->against, "a saved result; or a URL or a configuration, whose rounds take turns with these");
  command->add_option("--tolerance", o->tolerance, "how much slower is no matter")->capture_default_str();
  command->add_option("--find-max", o->find_max, "the highest rate, from --rate on, that holds 'p99<50ms,errors<0.1%'");
  command->add_option("--shard", o->shard, "1/4: the first of four parts of the same plan");
  add_outputs(*command, *o);
  auto merged = std::make_shared<Options>();
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* join = command->add_subcommand("merge", "join the shards of one run, exactly");
  join->add_option("FILE", *files, "written with --shard and --out")->required();
  join->add_option("--save,--out", merged->save, "the whole result into this file");
  add_outputs(*join, *merged);
  command->callback([o, command, join, merged, files, &chosen] {
    if (join->parsed()) {
      note_said(*join, *merged, {"--expect", "--save", "--json", "--hdr", "--html"});
      chosen = [merged, files] { return merge_files(*files, *merged); };
      return;
    }
    note_said(*command, *o, {"--think", "--arrivals", "--duration", "--tolerance", "--shard", "--workers", "--against", "--rounds", "--expect", "--find-max", "--data", "--save", "--json", "--hdr", "--html"});
    chosen = [o] {
      if (o->target.empty() && o->gateway.empty()) return wrong("what is to be loaded? gatelab load http://127.0.0.1:8080/ --rate 100/s, or --gateway gateway.yaml /orders");
      const bool url = o->target.starts_with("http://") || o->target.starts_with("https://");
      if (o->gateway.empty() && (o->target.ends_with(".yaml") || o->target.ends_with(".yml"))) return wrong("`" + o->target + "` is a file: --gateway " + o->target + " loads a configuration, gatelab test --real " + o->target + " runs the loads of a scenario");
      if (o->gateway.empty() && !url && o->target.find("://") != std::string::npos) return wrong("`" + o->target + "`: only http:// and https:// can be loaded");
      if (o->gateway.empty() && !url) return wrong("`" + o->target + "` is no URL; write http://" + o->target + ", or --gateway for a configuration");
      if (!o->gateway.empty() && !o->target.empty() && !o->target.starts_with('/')) return wrong("with --gateway the target is a path: /orders");
      if (const int exit = read_body(*o); exit != kOk) return exit;
      return LoadCommand(*o).run();
    };
  });
}

}  // namespace gatelab::cli
