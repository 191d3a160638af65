// SPDX-License-Identifier: Apache-2.0
// gatelab diff A B: two configurations, the same requests, and where their answers part. Simulated: nothing is listened on, and
// nothing is called.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/cli.h"
#include "cli/marked_secret.h"
#include "harness/diff/diff.h"
#include "io/disk.h"
#include "io/real.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::string a, b;
  std::string traffic;
  std::vector<std::string> secrets;
  std::vector<std::string> scenarios;
  std::size_t explore = harness::diff::Options{}.explore;
  std::uint64_t seed = 1;
  std::uint32_t jobs = 0;
  bool json = false;
};

std::atomic<bool> interrupted{false};

void tell(const diag::Sink& sink) {
  if (!sink.all().empty()) fmt::print(stderr, "{}\n", diag::render_all(sink, colour_of(Stream::Err)));
}

// Lints are for `check`.
diag::Sink errors_of(const diag::Sink& sink) {
  diag::Sink out;
  for (const diag::Diagnostic& d : sink.all())
    if (d.severity == diag::Severity::Error) out.report(d);
  return out;
}

// MARK=VARIABLE; false after a complaint.
bool take_secrets(const std::vector<std::string>& all, harness::diff::Options& run) {
  for (const std::string& one : all) {
    auto marked = parse_marked_secret(one);
    if (!marked) return false;
    const std::string* value = io::environment_variable(nullptr, marked->second);
    if (value == nullptr) return complain(fmt::format("--secret: there is no `{}` in the environment", marked->second)), false;
    run.secrets.push_back({std::move(marked->first), *value, {}});
  }
  return true;
}

int compare(const Options& options) {
  const diag::SourcePtr a = read_source(options.a), b = a ? read_source(options.b) : nullptr;
  if (!a || !b) return kEnvironment;
  harness::diff::Options run;
  if (!options.traffic.empty() && !(run.traffic = read_source(options.traffic))) return kEnvironment;
  if (!take_secrets(options.secrets, run)) return kUsage;
  const io::DiskFiles files;
  run.seed = options.seed;
  run.explore = options.explore;
  run.scenarios = options.scenarios;
  run.jobs = options.jobs != 0 ? options.jobs : std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  run.env = {&io::environment_variable, nullptr};
  run.files = &files;
  run.interrupted = [] { return interrupted.load(); };

  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);

  diag::Sink of_a, of_b, of_requests;
  std::string problem;
  const auto report = harness::diff::run(a, b, run, of_a, of_b, of_requests, problem);
  for (const diag::Sink* sink : {&of_a, &of_b}) tell(errors_of(*sink));
  tell(options.traffic.empty() ? errors_of(of_requests) : of_requests);
  if (!report) {
    const auto refused = [](const std::string& path, const diag::Sink& sink) {
      if (sink.has_errors()) complain(fmt::format("`{}` has {}", path, counted(sink.told_errors(), "error")));
    };
    refused(options.a, of_a);
    refused(options.b, of_b);
    refused(options.traffic.empty() ? "what is to be sent" : options.traffic, of_requests);
    if (!problem.empty()) complain(problem);
    return interrupted.load() ? kInterrupted : kInvalid;
  }
  const std::string text = options.json ? harness::diff::as_json(*report, options.a, options.b) : harness::diff::as_text(*report, options.a, options.b, colour_of(Stream::Out));
  if (!print(text)) return kEnvironment;
  if (report->interrupted) {
    complain("interrupted: not everything was sent");
    return kInterrupted;
  }
  if (harness::diff::is_vacuous(*report)) {
    complain("nothing is known of what lies behind credentials: both refuse every request that has lost its own to the recording; --secret puts them back");
    return kUnsure;
  }
  return report->different > 0 ? kFailed : kOk;
}

}  // namespace

void add_diff(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("diff", "find requests that two configurations answer differently");
  command->add_option("A", options->a, "a configuration")->required();
  command->add_option("B", options->b, "another one")->required();
  CLI::Option* traffic = command->add_option("--traffic", options->traffic, "send what this recording, HAR, access log, Postman collection or list of curl commands says");
  command->add_option("--secret", options->secrets, "MARK=VARIABLE: a secret from the environment in the place of its mark in --traffic; may be repeated")->take_all()->allow_extra_args(false)->needs(traffic);
  CLI::Option* scenarios = command->add_option("--scenarios", options->scenarios, "send what these scenario files send; directories are searched")->take_all()->allow_extra_args(false);
  CLI::Option* explore = command->add_option("--explore", options->explore, "make up requests at the borders of both configurations, at most so many probes")->check(CLI::Range(1, 10'000'000))->capture_default_str();
  traffic->excludes(scenarios)->excludes(explore);
  scenarios->excludes(explore);
  command->add_option("--seed", options->seed, "of the simulated world, and of what is made up")->capture_default_str();
  command->add_option("--jobs", options->jobs, "probes at a time; 0: one a core")->check(CLI::Range(0, 256))->capture_default_str();
  command->add_flag("--json", options->json, "one JSON object");
  command->footer("exit codes: 0 no difference was found, 1 there are some, 5 requests that have lost their credentials are all refused");
  command->callback([options, &chosen] {
    chosen = [options] { return compare(*options); };
  });
}

}  // namespace gatelab::cli
