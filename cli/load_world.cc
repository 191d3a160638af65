// SPDX-License-Identifier: Apache-2.0
#include "cli/load_world.h"

#include <fmt/core.h>
#include <netdb.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "cli/cli.h"

namespace gatelab::cli {
namespace {

std::atomic<bool> interrupted{false};

constexpr Duration kTick = std::chrono::microseconds(50);
constexpr auto kLook = std::chrono::milliseconds(100);

// The address of host and port; false after a complaint.
bool resolve(const std::string& host, const std::string& port, Address& out) {
  const std::string literal = host.find(':') != std::string::npos && !host.starts_with('[') ? "[" + host + "]" : host;
  if (const auto address = parse_address(literal + ":" + port)) return out = *address, true;
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (const int why = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); why != 0) {
    complain(fmt::format("`{}` can't be resolved: {}", host, gai_strerror(why)));
    return false;
  }
  char name[NI_MAXHOST] = {};
  const int failed = getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof name, nullptr, 0, NI_NUMERICHOST);
  const bool six = found->ai_family == AF_INET6;
  freeaddrinfo(found);
  const auto address = parse_address((six ? "[" + std::string(name) + "]" : std::string(name)) + ":" + port);
  if (failed != 0 || !address) {
    complain(fmt::format("`{}` has no address that can be connected to", host));
    return false;
  }
  out = *address;
  return true;
}

std::shared_ptr<const crypto::TlsContext> client_tls(const LoadTls& tls, int& exit) {
  crypto::TlsClientOptions options;
  options.verify = !tls.insecure;
  if (options.verify && !tls.ca.empty()) {
    const diag::SourcePtr pem = read_source(tls.ca);
    exit = kEnvironment;
    if (!pem) return nullptr;
    auto loaded = crypto::Authorities::load(pem->text, {});
    if (!loaded) return complain(fmt::format("`{}` {}", tls.ca, loaded.error().message)), nullptr;
    options.authorities = std::move(*loaded);
  } else if (options.verify) {
    options.authorities = crypto::Authorities::system({});
  }
  auto context = crypto::TlsContext::client(std::move(options));
  if (context) return std::move(*context);
  complain(context.error().message);
  exit = kEnvironment;
  return nullptr;
}

class Elsewhere final : public LoadTarget {
 public:
  // False after a complaint.
  bool open(const std::string& url, const LoadTls& tls, int& exit) {
    exit = kUsage;
    const bool secure = url.starts_with("https://");
    const std::string_view rest = std::string_view(url).substr(secure ? 8 : 7);
    const std::size_t slash = rest.find_first_of("/?");
    authority_ = rest.substr(0, slash);
    path_ = slash == std::string_view::npos ? "/" : (rest[slash] == '?' ? "/" : "") + std::string(rest.substr(slash));
    path_ = path_.substr(0, path_.find('#'));
    if (authority_.empty() || authority_.find('@') != std::string::npos || path_.find(' ') != std::string::npos) {
      complain("`" + url + "` is no URL that can be loaded; write http://127.0.0.1:8080/orders, and credentials with -H");
      return false;
    }
    const std::size_t colon = authority_.rfind(':');
    const bool has_port = colon != std::string::npos && authority_.find(']', colon) == std::string::npos;
    std::string host = authority_.substr(0, has_port ? colon : std::string::npos);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    target_.name = host;
    target_.said = url;
    if (!resolve(host, has_port ? authority_.substr(colon + 1) : secure ? "443" : "80", target_.address)) return exit = kEnvironment, false;
    if (secure && !(target_.tls = client_tls(tls, exit))) return false;
    return true;
  }
};

// A gateway in here: its listeners on free ports, its `mock:` upstreams served, its access log formatted and thrown away.
class Embedded final : public LoadTarget {
 public:
  explicit Embedded(std::uint32_t workers) : world_({workers + 1, 1}), environment_(world_.environment()), mocks_(environment_.network, *environment_.loops.back()), gateway_(environment_of(), options()) {}
  ~Embedded() override {
    if (!serving_) return;
    std::mutex mutex;
    std::condition_variable told;
    bool done = false;
    world_.environment().loops.front()->post_remote([&] {
      gateway_.drain(Duration{}, [&] {
        environment_.loops.back()->post_remote([&] {
          mocks_.stop([&] {
            const std::lock_guard lock(mutex);
            done = true;
            told.notify_one();
          });
        });
      });
    });
    std::unique_lock lock(mutex);
    told.wait(lock, [&] { return done; });
    world_.stop();
    world_.join();
  }

  bool open(const std::string& file, int& exit) {
    const Loaded loaded = load(file, gateway_.states(), environment_.random, {&environment_.clock, true});
    exit = loaded.exit;
    if (!loaded.model) return false;
    exit = kEnvironment;
    Status done = mocks_.serve(*loaded.model, false);
    if (done) done = gateway_.start(loaded.model);
    if (!done) return complain(done.error().message), false;
    serving_ = true;
    world_.start();
    const std::vector<gateway::Bound> bound = gateway_.listeners();
    if (bound.empty()) return complain("`" + file + "` has no listener"), false;
    target_.address = bound.front().address;
    target_.path = bound.front().path;
    target_.name = "localhost";
    target_.said = file;
    authority_ = bound.front().path.empty() ? format(bound.front().address) : "localhost";
    if (bound.front().tls && !(target_.tls = client_tls({true, {}}, exit))) return false;
    return true;
  }

  harness::load::ServedAll served() const override { return harness::load::served_by(gateway_); }

 private:
  io::Environment& environment_of() {
    gateway_environment_ = std::make_unique<io::Environment>(environment_);
    gateway_environment_->loops.pop_back();
    return *gateway_environment_;
  }
  gateway::Options options() {
    gateway::Options out;
    out.ephemeral_listeners = true;
    out.keep_state = false;
    out.locate = [this](const std::string& target) { return mocks_.locate(target); };
    out.log_sink = [](std::string_view) {};
    out.tell = [](std::string_view line) { complain(line); };
    return out;
  }

  io::RealWorld world_;
  io::Environment& environment_;
  Mocks mocks_;
  std::unique_ptr<io::Environment> gateway_environment_;
  gateway::Gateway gateway_;
  bool serving_ = false;
};

}  // namespace

void watch_load_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // Each connection is a descriptor.
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool load_interrupted() noexcept { return interrupted; }

std::unique_ptr<LoadTarget> open_load_target(const std::string& named, const LoadTls& tls, std::uint32_t workers, int& exit) {
  if (named.starts_with("http://") || named.starts_with("https://")) {
    auto out = std::make_unique<Elsewhere>();
    return out->open(named, tls, exit) ? std::move(out) : nullptr;
  }
  auto out = std::make_unique<Embedded>(workers);
  return out->open(named, exit) ? std::move(out) : nullptr;
}

LoadThreads::LoadThreads(std::uint32_t threads, std::uint64_t seed)
    : world_({threads, seed, kTick}), generators_{world_.environment().network, world_.environment().clock, world_.environment().loops, &io::thread_time} {
  world_.start();
}

LoadThreads::~LoadThreads() {
  world_.stop();
  world_.join();
}

harness::load::Round LoadThreads::run(const harness::load::Load& load, const harness::load::Target& target, std::uint32_t round, const std::function<void(Duration, harness::load::Progress&)>& look) {
  harness::load::Progress progress;
  harness::load::RoundRun run(generators_, load, target, round, &progress);
  run.start();
  bool stopped = false;
  while (!run.done()) {
    std::this_thread::sleep_for(kLook);
    if (interrupted && !std::exchange(stopped, true)) run.stop();
    look(generators_.clock.io_now() - run.began(), progress);
  }
  return run.result();
}

}  // namespace gatelab::cli
