// SPDX-License-Identifier: Apache-2.0
#include "harness/replay_command.h"

#include <algorithm>

#include "base/text.h"
#include "harness/replay/import.h"
#include "harness/replay/shrink.h"
#include "harness/report/report.h"
#include "harness/scenario/gateway_file.h"
#include "harness/scenario/recordings.h"

namespace gatelab::harness {
namespace {

// What is JSON is YAML.
std::string plainly_quoted(const std::string& text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out + "\"";
}

// Nothing in it is a value of the scenario.
std::string quoted(const std::string& text) {
  std::string out = text;
  for (std::size_t at = out.find("$("); at != std::string::npos; at = out.find("$(", at + 3)) out.insert(at, "$");
  return plainly_quoted(out);
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + quoted(text);
  return "[ " + out + " ]";
}

std::string only(const ReplayOptions& o) {
  std::vector<std::string> parts;
  if (!o.path.empty()) parts.push_back("path: { matches: " + quoted(o.path) + " }");
  if (!o.method.empty()) parts.push_back("method: " + quoted(o.method));
  if (!o.exchanges.empty()) parts.push_back("exchanges: " + list_of(o.exchanges));
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out.empty() ? "" : "          only: { " + out + " }\n";
}

std::string compare(const ReplayOptions& o) {
  std::string out = "        compare:\n          with: " + (o.against.empty() ? std::string("recorded") : "{ gateway: " + quoted(o.against) + " }") + "\n";
  if (o.learn > 0) out += "          learn_noise: " + std::to_string(o.learn) + "\n";
  if (!o.ignore_headers.empty()) out += "          headers: { ignore: " + list_of(o.ignore_headers) + " }\n";
  const std::string ignore = o.ignore_json.empty() ? "" : "ignore: " + list_of(o.ignore_json);
  const std::string unordered = o.unordered.empty() ? "" : "unordered: " + list_of(o.unordered);
  if (!ignore.empty() || !unordered.empty()) out += "          json: { " + ignore + (!ignore.empty() && !unordered.empty() ? ", " : "") + unordered + " }\n";
  if (o.allow_unused_masks) out += "          unused_masks: allow\n";
  return out;
}

// One run, and what it needs to be run again with less.
class Command {
 public:
  Command(const ReplayOptions& replay, const TestOptions& options, io::Files& files, std::ostream& out, std::ostream& err)
      : replay_(replay), options_(options), files_(files), out_(out), err_(err), recordings_(files) {}

  TestSummary run() {
    if (!read()) return summary_;
    CaseReport report;
    report.file = file_.get();
    report.of = &file_->cases.front();
    report.result = run_case(*file_, *report.of, options_.seed.value_or(1), options_, files_);
    summary_.cases = 1;
    ++(report.result.ok() ? summary_.passed : summary_.failed);
    summary_.interrupted = report.result.interrupted;
    const bool smaller = replay_.shrink && !report.result.differences.empty() && !summary_.interrupted;
    std::ostream& told = smaller ? err_ : out_;
    if (!report.result.ok()) told << failure_text(report, options_.colour);
    for (const std::string& what : report.result.left_out) told << what << "\n";
    for (const std::string& note : report.result.notes) told << note << "\n";
    if (smaller) shrink(report.result);
    return summary_;
  }

 private:
  bool read() {
    said_ = said_in_full(replay_, files_);
    auto source = std::make_shared<diag::SourceFile>();
    source->name = "(command line)";
    source->text = scenario_of(said_);
    diag::Sink sink;
    config::ParseOptions as_written;
    as_written.substitute_env = false;
    auto tree = config::parse(source, as_written, sink);
    if (tree) file_ = parse_file("replay.yaml", source, std::move(tree), options_.env, sink);
    if (file_) {
      recordings_.load(*file_, sink);
      GatewayCheck(options_.env, files_).check(*file_, sink);
      file_->rerun = replay_.rerun;
    }
    if (!sink.all().empty()) err_ << diag::render_all(sink, options_.colour) << std::endl;
    summary_.files = 1;
    summary_.invalid = !file_ || sink.has_errors();
    return !summary_.invalid;
  }

  void shrink(const CaseResult& whole) {
    Case& of = file_->cases.front();
    Replay& step = *of.steps.front().replay;
    const std::vector<const RecordedExchange*> all = selected(step);
    // Another status says most.
    const auto worst = std::find_if(whole.differences.begin(), whole.differences.end(), [](const auto& d) { return d.signature.starts_with("status"); });
    const CaseResult::Different& first = worst == whole.differences.end() ? whole.differences.front() : *worst;
    std::vector<std::size_t> suspects;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i]->id == first.exchange) suspects.push_back(i);
    const auto ids = [&all](const std::vector<std::size_t>& chosen) {
      std::vector<std::string> out;
      for (const std::size_t i : chosen) out.push_back(all[i]->id);
      return out;
    };
    std::size_t runs = 0;
    const auto fails = [&](const std::vector<std::size_t>& chosen) {
      if (options_.interrupted && options_.interrupted()) return false;
      ++runs;
      step.exchanges = ids(chosen);
      Recordings::set_start(of);
      const CaseResult result = run_case(*file_, of, whole.seed, options_, files_);
      return std::any_of(result.differences.begin(), result.differences.end(), [&first](const auto& d) { return d.signature == first.signature; });
    };
    const std::vector<std::size_t> least = smallest_failing(all.size(), suspects, fails);
    ReplayOptions smaller = said_;
    smaller.exchanges = ids(least);
    smaller.allow_unused_masks = true;
    err_ << "enough for `" << first.signature << "`: " << least.size() << " of " << all.size() << (all.size() == 1 ? " exchange" : " exchanges") << ", found in " << runs << (runs == 1 ? " run" : " runs") << "; the scenario looks for its files beside it:" << std::endl;
    out_ << scenario_of(smaller) << std::flush;
  }

  const ReplayOptions& replay_;
  const TestOptions& options_;
  io::Files& files_;
  std::ostream& out_;
  std::ostream& err_;
  Recordings recordings_;
  ReplayOptions said_;
  std::unique_ptr<File> file_;
  TestSummary summary_;
};

}  // namespace

ReplayOptions said_in_full(ReplayOptions replay, io::Files& files) {
  if (!replay.upstreams.empty()) return replay;
  if (!replay.url.empty()) {
    replay.upstreams = "live";
    return replay;
  }
  diag::Sink unheard;
  const auto text = files.read(replay.from);
  Recording recording;
  if (text) recording.exchanges = import_traffic(std::make_shared<diag::SourceFile>(diag::SourceFile{replay.from, *text}), unheard);
  replay.upstreams = recording.has_upstreams() ? "recorded" : "mocks";
  return replay;
}

std::string scenario_of(const ReplayOptions& o) {
  std::string out = "gatelab: 1\nname: " + quoted("replay of " + o.from) + "\ngateway: " + (o.url.empty() ? quoted(o.gateway) : "{ url: " + quoted(o.url) + " }") + "\n";
  out += o.upstreams == "live" ? "modes: [real]\n" : "modes: [sim, real]\n";
  if (o.url.empty()) out += "clock: { start: recorded }\n";
  if (!o.remint.empty()) out += "issuers: { " + quoted(o.remint) + ": { alg: RS256, kid: k1 } }\n";
  out += "cases:\n  - name: recorded traffic behaves the same\n    steps:\n      - replay:\n          from: " + quoted(o.from) + "\n" + only(o);
  if (o.pace != "recorded") out += "          pace: " + quoted(o.pace) + "\n";
  if (!o.upstreams.empty()) out += "          upstreams: " + quoted(o.upstreams) + "\n";
  if (!o.remint.empty()) out += "          remint: " + quoted(o.remint) + "\n";
  for (std::size_t i = 0; i < o.secrets.size(); ++i) out += (i == 0 ? "          secrets:\n" : "") + ("            " + quoted(o.secrets[i].first)) + ": " + plainly_quoted("$(env." + o.secrets[i].second + ")") + "\n";
  if (o.skip_left_out) out += "          left_out: skip\n";
  return out + compare(o) + "        totals: { different: 0 }\n";
}

TestSummary run_replay(const ReplayOptions& replay, const TestOptions& options, io::Files& files, std::ostream& out, std::ostream& err) { return Command(replay, options, files, out, err).run(); }

}  // namespace gatelab::harness
