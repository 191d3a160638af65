// SPDX-License-Identifier: Apache-2.0
// gatelab run [gateway.yaml]: serves until SIGTERM or SIGINT (a second one: at once), reloads on SIGHUP and when the file
// changes, opens its log again on SIGUSR1. The first line on stdout says that it listens, and where.
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/units.h"
#include "cli/admin.h"
#include "cli/cli.h"
#include "cli/local_keys.h"
#include "cli/log_writer.h"
#include "cli/mocks.h"
#include "cli/reloader.h"
#include "cli/serve.h"
#include "gateway/gateway.h"
#include "harness/idp/endpoints.h"
#include "io/real.h"

namespace gatelab::cli {
namespace {

constexpr unsigned kCutWithin = 2;  // seconds

using Options = ServeOptions;

// Every connection is a descriptor, and shells often allow a process only 1,024 of the thousands it may have.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string ready_line(const gateway::Gateway& gateway, const Admin* admin, const std::string& idp) {
  nlohmann::ordered_json line{{"ready", true}, {"listeners", nlohmann::ordered_json::array()}};
  for (const gateway::Bound& bound : gateway.listeners()) line["listeners"].push_back(bound.url());
  if (admin != nullptr) line["admin"] = admin->url();
  if (!idp.empty()) line["idp"] = idp;
  return line.dump() + "\n";
}

void tell(const ReloadOutcome& outcome) {
  if (!outcome.text.empty()) fmt::print(stderr, "{}\n", outcome.text);
  if (!outcome.ok) return complain("reload refused; the configuration in force stays");
  const auto& states = outcome.report.states;
  complain(fmt::format("reloaded, generation {} (state kept: {}, reset: {}, removed: {})", outcome.report.generation,
                       states.kept.size(), states.reset.size(), states.removed.size()));
}

// The last loop is the mocks': they are not the gateway, and must not take a worker's turn.
io::Environment without_last_loop(const io::Environment& whole) {
  io::Environment environment = whole;
  environment.loops.pop_back();
  return environment;
}

// One run of the program: owns the world, the gateway and what serves them. Main thread, unless a member says otherwise.
class Run {
 public:
  Run(const Options& options, Duration grace)
      : options_(options),
        grace_(grace),
        world_({options.workers + 1, options.seed}),
        environment_(without_last_loop(world_.environment())),
        mocks_(environment_.network, *world_.environment().loops.back()),
        gateway_(environment_, gateway_options()) {}

  int serve();

 private:
  gateway::Options gateway_options();
  Status start_admin(const gateway::Model& model);
  Status start_identity(const gateway::Model& model);
  void watch(std::vector<std::string> files);     // before the loops run, or on loop 0
  void watch_signals();
  void on_stop(int signal);  // loop 0
  void cut();                // loop 0
  void on_hangup();          // loop 0
  void applied(const gateway::Model& model);      // the reloader's thread
  void reloaded(const ReloadOutcome& outcome);    // the reloader's thread
  void more_metrics(observe::MetricsText& metrics) const;
  [[noreturn]] void quit(const std::string& why);
  int finish();

  const Options& options_;
  const Duration grace_;
  LogWriter log_;
  io::RealWorld world_;
  io::Environment environment_;  // the gateway's part of it
  Mocks mocks_;
  gateway::Gateway gateway_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<Admin> admin_;
  std::optional<Address> admin_address_;
  std::string state_path_;  // of the state file; empty: none
  std::shared_ptr<harness::IdentityService> identity_;  // of --idp
  std::string idp_url_;
  std::vector<std::string> watched_;  // besides the configuration; the loop's once it runs
  // SIGHUP: the reloader's thread opens the log again, as the disk may be slow.
  std::atomic<bool> reopen_log_{false};
  int stop_signal_ = 0;
  bool cut_ = false;
};

gateway::Options Run::gateway_options() {
  gateway::Options options;
  options.locate = [this](const std::string& target) { return mocks_.locate(target); };
  options.keep_traces = 256;
  options.export_traces = true;
  options.log_sink = [this](std::string_view lines) { log_.write(lines); };
  options.log_colour = colour_of(Stream::Out) == diag::Colour::On;
  options.tell = [](std::string_view line) { complain(line); };
  options.tap = options_.tap;
  options.on_record = options_.on_record;
  return options;
}

// What could not start: listeners may be open, and no loop runs that could drain them.
void Run::quit(const std::string& why) {
  complain(why);
  if (options_.on_failed_start) options_.on_failed_start();
  std::fflush(nullptr);
  std::_Exit(kEnvironment);
}

int Run::serve() {
  const Loaded loaded = load(options_.config, gateway_.states(), world_.environment().random, {&world_.environment().clock, true});
  if (!loaded.model) {
    if (options_.on_failed_start) options_.on_failed_start();
    return loaded.exit;
  }
  Status done = log_.aim(loaded.model->log);
  if (done) done = mocks_.serve(*loaded.model, false);
  if (done && !options_.idp.empty()) done = start_identity(*loaded.model);
  if (done) done = gateway_.start(loaded.model);
  if (!done) quit(done.error().message);
  if (loaded.model->state) state_path_ = loaded.model->state->path;
  reloader_ = std::make_unique<Reloader>(Reloader::Doors{
      gateway_, world_, options_.config, [this](const auto& model) { return mocks_.serve(model, true); },
      [this](const auto& model) { applied(*model); }, [this](const auto& outcome) { reloaded(outcome); }});
  if (const Status admin = start_admin(*loaded.model); !admin) quit(admin.error().message);
  watch_signals();
  if (!options_.no_watch) {
    watch(loaded.model->files);
  }
  if (!print(ready_line(gateway_, admin_.get(), idp_url_))) complain("can't write the ready line to stdout");
  world_.run();
  return finish();
}

// The configuration, and what it names: certificates and the like.
void Run::watch(std::vector<std::string> files) {
  watched_ = files;
  files.push_back(options_.config);
  world_.environment().watch.files(*world_.environment().loops[0], std::move(files), [this] { reloader_->ask(); });
}

Status Run::start_admin(const gateway::Model& model) {
  if (!model.admin) return success();
  admin_address_ = model.admin->address;
  admin_ = std::make_unique<Admin>(AdminDoors{gateway_, world_,
                                              [this] {
                                                const ReloadOutcome outcome = reloader_->ask_and_wait();
                                                return AdminReload{outcome.ok, to_json(outcome)};
                                              },
                                              [this](observe::MetricsText& metrics) { more_metrics(metrics); }});
  Status started = admin_->start(*model.admin);
  if (started && admin_->made_token() != nullptr) complain("admin token for changes: " + *admin_->made_token());
  return started;
}

Status Run::start_identity(const gateway::Model& model) {
  Address address = *parse_address(options_.idp);
  auto issuers = served_issuers(model);
  if (!issuers) return Failure<Error>{issuers.error()};
  identity_ = std::make_shared<harness::IdentityService>([this] { return world_.environment().clock.policy_now(); });
  identity_->set_issuers(std::move(*issuers));
  const Status started = mocks_.serve_identity(harness::identity_endpoints(identity_), address);
  if (!started) return started;
  idp_url_ = "http://" + format(address);
  identity_->set_base(idp_url_);
  return success();
}

void Run::more_metrics(observe::MetricsText& metrics) const {
  metrics.gauge("gatelab_config_generation", "Number of the configuration in force.", static_cast<double>(gateway_.generation()));
  metrics.gauge("gatelab_policy_time_shift_seconds", "How far policy time was moved forward.",
                std::chrono::duration<double>(world_.policy_shift()).count());
  metrics.labelled("counter", "gatelab_log_lines_dropped_total", observe::kDroppedHelp, {{"reason", "target"}}, static_cast<double>(log_.dropped_lines()));
}

void Run::applied(const gateway::Model& model) {
  if (const Status aimed = log_.aim(model.log); !aimed) complain(aimed.error().message);
  if (identity_)
    if (auto issuers = served_issuers(model)) identity_->set_issuers(std::move(*issuers));
  const std::optional<Address> wanted = model.admin ? std::optional(model.admin->address) : std::nullopt;
  if (!options_.no_watch) {
    world_.environment().loops[0]->post_remote([this, files = model.files] {
      if (stop_signal_ != 0 || files == watched_) return;
      world_.environment().watch.stop();
      watch(files);
    });
  }
  if (wanted != admin_address_) complain("`admin` has changed; that takes effect at the next start");
  if (state_path_ != (model.state ? model.state->path : "")) complain("`state` has changed; that takes effect at the next start");
  gateway_.write_state();
}

void Run::reloaded(const ReloadOutcome& outcome) {
  if (reopen_log_.exchange(false)) log_.reopen();
  tell(outcome);
}

void Run::watch_signals() {
  world_.on_signal(SIGTERM, [this](int signal) { on_stop(signal); });
  world_.on_signal(SIGINT, [this](int signal) { on_stop(signal); });
  world_.on_signal(SIGHUP, [this](int) { on_hangup(); });
  world_.on_signal(SIGUSR1, [this](int) { log_.ask_reopen(); });
}

void Run::on_hangup() {
  reopen_log_ = true;
  reloader_->ask();
}

void Run::on_stop(int signal) {
  if (stop_signal_ != 0) return cut();
  stop_signal_ = signal;
  if (admin_) admin_->set_draining();
  world_.environment().watch.stop();
  reloader_->refuse_more();
  if (gateway_.in_flight() > 0) complain(fmt::format("draining {} exchanges; again to stop at once", gateway_.in_flight()));
  gateway_.drain(grace_, [this] {
    if (const std::size_t left = gateway_.in_flight(); left > 0) complain(fmt::format("the grace of {} is over: {} cut", format(grace_), counted(left, "request")));
    world_.environment().loops.back()->post_remote([this] { mocks_.stop([this] { world_.stop(); }); });
  });
}

// A second signal. Every request that is cut has its line in the access log (reason `shutdown`).
void Run::cut() {
  if (std::exchange(cut_, true)) std::_Exit(kInterrupted);
  complain(fmt::format("stopped at once: {} on {} cut", counted(gateway_.in_flight(), "request"), counted(gateway_.connections(), "connection")));
  // Whatever hangs (a disk, a policy that computes) must not hold up somebody who has asked twice.
  std::signal(SIGALRM, [](int) { std::_Exit(kInterrupted); });
  alarm(kCutWithin);
  gateway_.cut();
}

int Run::finish() {
  world_.join();
  reloader_->stop();
  if (admin_) admin_->stop();
  gateway_.flush_logs();
  log_.finish(cut_ ? LogWriter::kGrace / 4 : LogWriter::kGrace);
  if (const std::uint64_t dropped = log_.dropped_lines(); dropped > 0) complain(fmt::format("the access log lacks {}: its target did not take them", counted(dropped, "line")));
  return cut_ || stop_signal_ == SIGINT ? kInterrupted : kOk;
}

}  // namespace

int serve(ServeOptions& options) {
  const auto grace = parse_duration(options.grace);
  if (!grace) {
    complain("--grace: " + grace.error().message);
    return kUsage;
  }
  if (!options.idp.empty()) {
    const auto address = parse_address(options.idp);
    if (!address || !is_loopback(address->ip)) {
      complain("--idp: `" + options.idp + "` is no address of this machine alone: it gives tokens to everyone who asks; write 127.0.0.1:9100");
      return kUsage;
    }
  }
  if (options.workers == 0) options.workers = std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  raise_file_limit();
  Run program(options, *grace);
  return program.serve();
}

void add_run(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("run", "serve; reload when the file changes or on SIGHUP");
  command->add_option("FILE", options->config, "the configuration")->capture_default_str();
  command->add_option("--workers", options->workers, "worker threads; 0: one a core")->check(CLI::Range(0, 256))->capture_default_str();
  command->add_option("--seed", options->seed, "the dice's seed; 0: from the system")->capture_default_str();
  command->add_option("--grace", options->grace, "how long SIGTERM waits for exchanges in flight")->capture_default_str();
  command->add_option("--idp", options->idp, "also serve an identity provider there, for development: discovery, key set, tokens");
  command->add_flag("--no-watch", options->no_watch, "do not reload when the file changes");
  command->callback([options, &chosen] {
    chosen = [options] { return serve(*options); };
  });
}

}  // namespace gatelab::cli
