// SPDX-License-Identifier: Apache-2.0
#include "io/sim.h"

#include <algorithm>
#include <map>
#include <set>

#include "io/disk.h"
#include "io/sim_core.h"
#include "io/sim_network.h"

namespace gatelab::io {
namespace {

constexpr Duration kDnsPatience = std::chrono::seconds(6);  // as real_resolver.cc has with one server

class SimResolver final : public Resolver {
 public:
  struct Manner {
    Simulation::Dns dns = Simulation::Dns::Normal;
    Duration delay{};
  };
  Task<IoResult<Resolved>> resolve(Loop& loop, Question question, Wait wait) override {
    Resolved literal = resolve_literal(question.host, false);
    if (!literal.addresses.empty()) co_return literal;
    ++asked[question.host];
    const Manner manner = manners[question.host];
    if (manner.delay > Duration{}) {
      const Instant answer = loop.now() + manner.delay;
      wait.deadline = std::min(wait.deadline, answer);
      const Code code = co_await sleep_until(loop, wait);
      if (code == Code::Cancelled || loop.now() < answer) co_return Failure<Code>{code};
    }
    if (manner.dns == Simulation::Dns::Silent) co_return Failure<Code>{Code::TimedOut};
    if (manner.dns == Simulation::Dns::Failing) co_return Failure<Code>{Code::Other};
    const auto known = names.find(question.host);
    if (known == names.end() || known->second.addresses.empty()) co_return Failure<Code>{Code::NotFound};
    co_return known->second;
  }
  std::map<std::string, Resolved> names;
  std::map<std::string, Manner> manners;
  std::map<std::string, std::size_t> asked;
};

class SimFiles final : public Files {
 public:
  Result<std::string> read(const std::string& path) const override {
    const auto known = files.find(path);
    return known == files.end() ? disk_.read(path) : Result<std::string>(known->second);
  }
  // A simulated world leaves the disk alone.
  Status write(const std::string& path, std::string_view text) override {
    files[path] = std::string(text);
    return success();
  }
  Status append(const std::string& path, std::string_view text) override {
    files[path].append(text);
    return success();
  }
  std::map<std::string, std::string> files;

 private:
  DiskFiles disk_;
};

// State of real runs is no business of a scenario's: here is only what was written here.
class SimStateFiles final : public StateFiles {
 public:
  Result<std::string> read(const std::string& path) const override {
    const auto known = files_.find(path);
    if (known == files_.end()) return fail("not-found", path + ": there is no such file");
    return known->second;
  }
  Status write(const std::string& path, std::string_view text) override {
    files_[path] = std::string(text);
    return success();
  }
  Status rename(const std::string& path, const std::string& to) override {
    if (files_.count(path) == 0) return fail("not-found", path + ": there is no such file");
    if (files_.count(to) > 0) return fail("exists", to + ": is there already");
    files_[to] = std::move(files_[path]);
    files_.erase(path);
    return success();
  }
  Result<std::unique_ptr<Hold>> hold(const std::string& path) override {
    if (!held_.insert(path).second) return fail("held", path + ": another gateway of this world has it");
    return std::unique_ptr<Hold>(std::make_unique<SimHold>(held_, path));
  }

 private:
  class SimHold final : public Hold {
   public:
    SimHold(std::set<std::string>& held, std::string path) : held_(held), path_(std::move(path)) {}
    ~SimHold() override { held_.erase(path_); }

   private:
    std::set<std::string>& held_;
    std::string path_;
  };
  std::map<std::string, std::string> files_;
  std::set<std::string> held_;
};

// Nothing changes behind a scenario's back.
class SimWatch final : public Watch {
 public:
  void files(Loop&, std::vector<std::string>, std::function<void()>) override {}
  void stop() noexcept override {}
};

class SimCompute final : public Compute {
 public:
  Task<Code> run(Loop&, std::function<void()> job, Wait) override {
    job();
    co_return Code::Ok;
  }
};

std::vector<Loop*> add_workers(SimCore& core, std::uint32_t workers) {
  std::vector<Loop*> loops;
  for (std::uint32_t i = 0; i < workers; ++i) loops.push_back(&core.add_loop());
  return loops;
}

}  // namespace

struct Simulation::Inner {
  explicit Inner(const SimOptions& options)
      : core(Random(options.seed), options.start, options.events_per_instant), network(core, options),
        environment{core.clock, Random(options.seed), network, resolver, files, state_files, watch, compute, add_workers(core, options.workers)},
        outside(core.add_loop()) {}

  SimCore core;
  SimNetwork network;
  SimResolver resolver;
  SimFiles files;
  SimStateFiles state_files;
  SimWatch watch;
  SimCompute compute;
  Environment environment;
  SimLoop& outside;
};

Simulation::Simulation(const SimOptions& options) : inner_(std::make_unique<Inner>(options)) {}
Simulation::~Simulation() = default;

Environment& Simulation::environment() noexcept { return inner_->environment; }
Instant Simulation::now() const noexcept { return inner_->core.clock.now; }
Loop& Simulation::outside() noexcept { return inner_->outside; }

SimEnd Simulation::drain() { return inner_->core.drain() ? SimEnd::Idle : SimEnd::Livelock; }

SimEnd Simulation::run_until(const std::function<bool()>& done, Duration budget) {
  SimCore& core = inner_->core;
  const Instant limit = core.clock.now + budget;
  for (;;) {
    if (!core.drain()) return SimEnd::Livelock;
    if (done()) return SimEnd::Idle;
    Instant when;
    bool foreground = false;
    if (!core.next(when, foreground) || !foreground) return SimEnd::Stuck;
    if (when > limit) {
      core.clock.now = limit;
      return SimEnd::Budget;
    }
    core.fire(when);
  }
}

SimEnd Simulation::advance(Duration d) {
  SimCore& core = inner_->core;
  const Instant target = core.clock.now + d;
  for (;;) {
    if (!core.drain()) return SimEnd::Livelock;
    Instant when;
    bool foreground = false;
    if (!core.next(when, foreground) || when > target) break;
    core.fire(when);
  }
  core.clock.now = target;
  return SimEnd::Idle;
}

std::vector<std::string> Simulation::waiting() const { return inner_->core.waiting(); }
std::uint64_t Simulation::trace_hash() const noexcept { return inner_->core.hash(); }
void Simulation::add_file(std::string path, std::string text) { inner_->files.files[std::move(path)] = std::move(text); }
void Simulation::add_name(std::string host, std::vector<IpAddress> addresses, std::optional<Duration> ttl) { inner_->resolver.names[std::move(host)] = {std::move(addresses), ttl}; }
void Simulation::set_dns(const std::string& host, Dns dns, Duration delay) { inner_->resolver.manners[host] = {dns, dns == Dns::Silent ? kDnsPatience : delay}; }
std::size_t Simulation::times_asked(const std::string& host) const { return inner_->resolver.asked[host]; }
void Simulation::set_reach(const Address& address, Reach reach) { inner_->network.set_reach(address, reach); }
void Simulation::reset_connections(const Address& address) { inner_->network.reset_connections(address); }

}  // namespace gatelab::io
