// SPDX-License-Identifier: Apache-2.0
// gatelab top [URL]: who asks how much of a gateway that runs, as a table that is drawn again and again. It reads /consumers of the
// admin API. Main thread.
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <httplib.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/admin_consumers.h"
#include "cli/cli.h"
#include "cli/top_view.h"

namespace gatelab::cli {
namespace {

constexpr int kPatience = 5;  // seconds
constexpr Duration kShortest = std::chrono::milliseconds(100);

struct TopOptions {
  std::string url = "http://127.0.0.1:9900";
  std::string interval = "2s", sort = "requests";
  std::size_t most = 20;
  bool once = false, json = false;
};

// What is told of a gateway that can't be looked at.
std::string no_gateway(const std::string& url, const std::string& why) {
  return "no gateway answers at " + url + ": " + why + "; `gatelab run` has the door with `admin: { address: 127.0.0.1:9900 }` in its file, and says where in its first line";
}

class Top {
 public:
  Top(const TopOptions& options, Duration interval) : options_(options), interval_(interval), client_(options.url) {
    client_.set_connection_timeout(kPatience, 0);
    client_.set_read_timeout(kPatience, 0);
  }

  int run() {
    if (!client_.is_valid()) {
      complain("`" + options_.url + "` is no URL of a gateway's admin API: http://127.0.0.1:9900");
      return kUsage;
    }
    block_signals();
    if (!look()) return kEnvironment;
    if (options_.once) return show(latest_.rows, {}) ? kOk : kEnvironment;
    // Until the first interval is over there is nothing but what was before.
    if (terminal_ && !show(latest_.rows, {})) return kEnvironment;
    for (;;) {
      if (interrupted()) return kInterrupted;
      const TopLook before = std::move(latest_);
      const auto then = looked_;
      if (!look()) return kEnvironment;
      const Duration over = std::chrono::duration_cast<Duration>(looked_ - then);
      if (!show(between(before, latest_), over)) return kEnvironment;
    }
  }

 private:
  // A wait ends with them, instead of the program in the middle of a line.
  void block_signals() {
    sigemptyset(&ends_);
    sigaddset(&ends_, SIGINT);
    sigaddset(&ends_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends_, nullptr);
  }
  bool interrupted() {
    timespec wait{interval_.count() / 1'000'000'000, interval_.count() % 1'000'000'000};
    return sigtimedwait(&ends_, nullptr, &wait) > 0;
  }

  bool look() {
    const auto answer = client_.Get("/consumers?buckets=true&sort=name&limit=" + std::to_string(kMaxConsumers));
    looked_ = std::chrono::steady_clock::now();
    if (!answer) {
      complain(no_gateway(options_.url, httplib::to_string(answer.error())));
      return false;
    }
    if (answer->status != 200) {
      complain(no_gateway(options_.url, answer->status == 403 ? "its admin API is for this machine only" : "its answer has the status " + std::to_string(answer->status)));
      return false;
    }
    auto read = read_look(answer->body);
    if (!read) {
      complain(no_gateway(options_.url, read.error().message));
      return false;
    }
    latest_ = std::move(*read);
    return true;
  }

  bool show(std::vector<TopRow> rows, Duration over) {
    sort_rows(rows, options_.sort);
    const TopTable form{over, options_.most, terminal_ && colour_of(Stream::Out) == diag::Colour::On};
    if (options_.json) return print(json_of(rows, form, format(wall_clock())));
    const std::string head = terminal_ && !options_.once ? fmt::format("\x1b[H\x1b[J{}, {}; control-C ends it\n", options_.url, over > Duration{} ? "the last " + format(std::chrono::ceil<std::chrono::milliseconds>(over)) : "since its start") : "";
    return print(head + table_of(rows, form));
  }

  static Instant wall_clock() {
    return Instant::from_seconds(0) + std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  }

  const TopOptions& options_;
  const Duration interval_;
  httplib::Client client_;
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1 && !options_.json;
  sigset_t ends_{};
  TopLook latest_;
  std::chrono::steady_clock::time_point looked_;
};

int top(const TopOptions& options) {
  const auto interval = parse_duration(options.interval);
  if (!interval || *interval < kShortest) {
    complain("--interval: " + (interval ? "`" + options.interval + "` is shorter than 100ms" : interval.error().message));
    return kUsage;
  }
  return Top(options, *interval).run();
}

}  // namespace

void add_top(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand("top", "who asks how much of a running gateway: traffic, errors and latency by consumer");
  command->add_option("URL", options->url, "of its admin API")->capture_default_str();
  command->add_option("--interval", options->interval, "how often to look")->capture_default_str();
  command->add_option("--sort", options->sort, "largest first, but for names")->check(CLI::IsMember({"requests", "errors", "bytes", "p50", "p90", "p99", "last", "name"}))->capture_default_str();
  command->add_option("--limit", options->most, "rows at most")->check(CLI::Range(1, 10'000))->capture_default_str();
  command->add_flag("--once", options->once, "what it has counted since its start, and no more");
  command->add_flag("--json", options->json, "one object a look instead of a table");
  command->callback([options, &chosen] {
    chosen = [options] { return top(*options); };
  });
}

}  // namespace gatelab::cli
