// SPDX-License-Identifier: Apache-2.0
// gatelab test [PATH…]: runs scenario files, simulated unless --real. Results and reports are data (stdout or their files),
// diagnostics of refused files go to stderr.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/same_file.h"
#include "cli/test_world.h"
#include "cli/watch_tests.h"
#include "harness/runner.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string filter;
  std::vector<std::string> tags, skip_tags;
  std::uint32_t jobs = 0;
  std::uint64_t seed = 0;
  bool seeded = false;
  std::uint32_t repeat = 1;
  bool real = false;
  bool verbose = false;
  std::vector<std::string> reports;
  std::string shard;
  std::uint32_t retries = 0;
  bool fail_fast = false;
  std::uint32_t slowest = 0;
  bool watch = false;
};

bool split_report(const std::string& text, std::vector<std::pair<std::string, std::string>>& reports) {
  const std::size_t equals = text.find('=');
  const std::string kind = text.substr(0, equals);
  const std::string file = equals == std::string::npos ? "-" : text.substr(equals + 1);
  if ((kind != "json" && kind != "junit" && kind != "tap" && kind != "html" && kind != "github") || file.empty()) {
    complain(fmt::format("--report {}: write json=FILE, junit=FILE, tap=FILE, html=FILE or github", text));
    return false;
  }
  reports.emplace_back(kind, file);
  return true;
}

// "2/5"
bool split_shard(const std::string& text, harness::TestOptions& run) {
  if (text.empty()) return true;
  const std::size_t slash = text.find('/');
  std::uint64_t which = 0, of = 0;
  const bool numbers = slash != std::string::npos && parse_decimal(std::string_view(text).substr(0, slash), which) && parse_decimal(std::string_view(text).substr(slash + 1), of);
  if (!numbers || which < 1 || which > of || of > 10'000) {
    complain(fmt::format("--shard {}: write 1/5, 2/5 up to 5/5 for five parts of which each case is in one", text));
    return false;
  }
  run.shard = static_cast<std::uint32_t>(which);
  run.shards = static_cast<std::uint32_t>(of);
  return true;
}

int test(const Options& options) {
  harness::TestOptions run = test_options();
  for (const std::string& report : options.reports) {
    if (!split_report(report, run.reports)) return kUsage;
  }
  std::vector<NamedFile> outputs;
  for (const auto& [kind, file] : run.reports) outputs.emplace_back("--report " + kind, file);
  if (!each_of_its_own(outputs, {})) return kUsage;
  if (!split_shard(options.shard, run)) return kUsage;
  if (options.retries > 0) {
    complain("--retries: a case that passes the second time has shown that something here depends on chance, and a rerun hides it. The same seed gives the same run: write down the seed of the failure and look; --repeat 100 finds "
             "cases that are not sure");
    return kUsage;
  }
  run.paths = options.paths;
  run.filter = options.filter;
  run.tags = options.tags;
  run.skip_tags = options.skip_tags;
  run.jobs = options.jobs != 0 ? options.jobs : std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  if (options.seeded) run.seed = options.seed;
  run.repeat = options.repeat;
  run.real = options.real;
  run.verbose = options.verbose;
  run.colour = colour_of(harness::has_report_on_out(run) ? Stream::Err : Stream::Out);
  run.fail_fast = options.fail_fast;
  run.slowest = options.slowest;
  const char* ci = std::getenv("CI");
  run.progress = ::isatty(STDERR_FILENO) == 1 && (ci == nullptr || *ci == '\0');
  run.elapsed = [began = std::chrono::steady_clock::now()] { return Duration(std::chrono::steady_clock::now() - began); };
  if (options.watch) return watch_tests(run, stop_descriptor(), &exit_of);

  io::DiskFiles files;
  const harness::TestSummary summary = harness::run_tests(run, files, std::cout, std::cerr);
  std::cout.flush();
  return exit_of(summary);
}

}  // namespace

void add_test(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("test", "run scenario files, in virtual time or on sockets");
  command->add_option("PATH", options->paths, "files, or directories to search")->default_val(std::vector<std::string>{"."});
  command->add_option("-k", options->filter, "only cases whose name matches this glob");
  command->add_option("--tag", options->tags, "only cases with this tag; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--skip-tag", options->skip_tags, "no cases with this tag; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--jobs", options->jobs, "cases at a time; 0: one a core")->check(CLI::Range(0, 256))->capture_default_str();
  CLI::Option* seed = command->add_option("--seed", options->seed, "instead of the files' seeds");
  command->add_option("--repeat", options->repeat, "runs of each case, with the next seed each time")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  command->add_flag("--real", options->real, "on loopback sockets: the files whose modes list real");
  command->add_option("--report", options->reports, "json=FILE, junit=FILE, tap=FILE, html=FILE or github; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--shard", options->shard, "2/5: the second of five parts; each case is in one of them");
  command->add_flag("--fail-fast", options->fail_fast, "end at the first case that fails");
  command->add_option("--retries", options->retries, "0: a case is not run until it passes")->capture_default_str();
  command->add_option("--slowest", options->slowest, "lists so many cases that took longest")->check(CLI::Range(0, 1'000'000))->capture_default_str();
  command->add_flag("--watch", options->watch, "run again what a changed file touches, until ctrl-C");
  command->add_flag("-v,--verbose", options->verbose, "a line for each case that passes");
  command->callback([options, seed, &chosen] {
    options->seeded = seed->count() > 0;
    chosen = [options] { return test(*options); };
  });
}

}  // namespace gatelab::cli
