// SPDX-License-Identifier: Apache-2.0
// gatelab test [PATH…]: runs scenario files, simulated unless --real. Results and reports are data (stdout or their files),
// diagnostics of refused files go to stderr.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "cli/cli.h"
#include "harness/runner.h"
#include "io/disk.h"
#include "io/real.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string filter;
  std::vector<std::string> tags;
  std::uint32_t jobs = 0;
  std::uint64_t seed = 0;
  bool seeded = false;
  std::uint32_t repeat = 1;
  bool real = false;
  bool verbose = false;
  std::vector<std::string> reports;
};

std::atomic<bool> interrupted{false};

// One case's sockets: the gateway's loops, and one more for clients and mocks.
class SocketWorld final : public harness::RealDriver {
 public:
  SocketWorld(std::uint32_t workers, std::uint64_t seed) : world_({workers + 1, seed}), environment_(world_.environment()) {
    outside_ = environment_.loops.back();
    environment_.loops.pop_back();
  }
  ~SocketWorld() override {
    world_.stop();
    world_.join();
  }

  io::Environment& environment() noexcept override { return environment_; }
  io::Loop& outside() noexcept override { return *outside_; }
  void start() override { world_.start(); }
  bool shift_policy(Duration by) noexcept override { return world_.shift_policy(by); }

  bool wait(const std::function<bool()>& done, Duration budget) override {
    const auto until = std::chrono::steady_clock::now() + budget;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
  }

 private:
  io::RealWorld world_;
  io::Environment environment_;
  io::Loop* outside_;
};

bool split_report(const std::string& text, std::vector<std::pair<std::string, std::string>>& reports) {
  const std::size_t equals = text.find('=');
  const std::string kind = text.substr(0, equals);
  const std::string file = equals == std::string::npos ? "-" : text.substr(equals + 1);
  if ((kind != "json" && kind != "junit" && kind != "tap" && kind != "github") || file.empty()) {
    complain(fmt::format("--report {}: write json=FILE, junit=FILE, tap=FILE or github", text));
    return false;
  }
  reports.emplace_back(kind, file);
  return true;
}

int exit_of(const harness::TestSummary& summary) {
  if (!summary.environment_error.empty()) {
    complain(summary.environment_error);
    return kEnvironment;
  }
  if (summary.invalid) return kInvalid;
  if (summary.interrupted) return kInterrupted;
  return summary.failed > 0 || summary.cases == 0 ? kFailed : kOk;
}

int test(const Options& options) {
  harness::TestOptions run;
  for (const std::string& report : options.reports) {
    if (!split_report(report, run.reports)) return kUsage;
  }
  run.paths = options.paths;
  run.filter = options.filter;
  run.tags = options.tags;
  run.jobs = options.jobs != 0 ? options.jobs : std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  if (options.seeded) run.seed = options.seed;
  run.repeat = options.repeat;
  run.real = options.real;
  run.verbose = options.verbose;
  run.colour = colour_of(Stream::Out);
  run.env = {&io::environment_variable, nullptr};
  run.real_world = [](std::uint32_t workers, std::uint64_t seed) { return std::make_unique<SocketWorld>(workers, seed); };
  run.interrupted = [] { return interrupted.load(); };
  run.version = GATELAB_VERSION;

  // The first signal lets the reports be written, the second one ends the program as usual.
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);

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
  command->add_option("--jobs", options->jobs, "cases at a time; 0: one a core")->check(CLI::Range(0, 256))->capture_default_str();
  CLI::Option* seed = command->add_option("--seed", options->seed, "instead of the files' seeds");
  command->add_option("--repeat", options->repeat, "runs of each case, with the next seed each time")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  command->add_flag("--real", options->real, "on loopback sockets: the files whose modes list real");
  command->add_option("--report", options->reports, "json=FILE, junit=FILE, tap=FILE or github; may be repeated")->take_all()->allow_extra_args(false);
  command->add_flag("-v,--verbose", options->verbose, "a line for each case that passes");
  command->callback([options, seed, &chosen] {
    options->seeded = seed->count() > 0;
    chosen = [options] { return test(*options); };
  });
}

}  // namespace gatelab::cli
