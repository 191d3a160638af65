// SPDX-License-Identifier: Apache-2.0
#include "io/real.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "io/disk.h"
#include "io/disk_state.h"
#include "io/real_loop.h"
#include "io/real_network.h"
#include "io/real_resolver.h"

namespace gatelab::io {
namespace {

// A few threads for what blocks: names, big digests. A job owns all that it touches: who waits for it may go away.
class RealCompute final : public Compute {
 public:
  RealCompute() {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~RealCompute() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& t : threads_) t.join();
  }

  Task<Code> run(Loop& loop, std::function<void()> job, Wait wait) override {
    struct Shared {
      Signal ended;
      bool done = false;
    };
    auto shared = std::make_shared<Shared>();
    std::function<void()> whole = [shared, &loop, job = std::move(job)] {
      job();
      loop.post_remote([shared] {
        shared->done = true;
        shared->ended.signal();
      });
    };
    if (!push(std::move(whole))) co_return Code::TooMany;
    while (!shared->done) {
      const Code code = co_await shared->ended.wait(loop, wait);
      if (code != Code::Ok) co_return code;
    }
    co_return Code::Ok;
  }

 private:
  static constexpr int kThreads = 2;
  static constexpr std::size_t kQueued = 1024;

  bool push(std::function<void()> job) {
    {
      std::lock_guard lock(mutex_);
      if (jobs_.size() >= kQueued) return false;
      jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
  }

  void work() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

class RealResolver final : public Resolver {
 public:
  explicit RealResolver(RealCompute& compute) noexcept : compute_(compute) {}
  Task<IoResult<Resolved>> resolve(Loop& loop, Question question, Wait wait) override {
    Resolved literal = resolve_literal(question.host, true);
    if (!literal.addresses.empty()) co_return literal;
    auto found = std::make_shared<IoResult<Resolved>>(Failure<Code>{Code::Other});
    std::function<void()> job = [found, question = std::move(question)] { *found = ask_dns(question); };
    auto asking = compute_.run(loop, std::move(job), wait);
    const Code code = co_await asking;
    if (code != Code::Ok) co_return Failure<Code>{code};
    co_return std::move(*found);
  }

 private:
  RealCompute& compute_;
};

// Directories are watched rather than files: editors save by renaming.
class RealWatch final : public Watch {
 public:
  ~RealWatch() override {
    if (fd_ >= 0) ::close(fd_);
  }

  void files(Loop& loop, std::vector<std::string> paths, std::function<void()> on_change) override {
    names_.clear();
    fd_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd_ < 0) return;
    for (const std::string& path : paths) {
      const std::size_t slash = path.rfind('/');
      const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
      const int id = ::inotify_add_watch(fd_, directory.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO);
      if (id >= 0) names_.emplace(id, slash == std::string::npos ? path : path.substr(slash + 1));
    }
    loop_ = &static_cast<RealLoop&>(loop);
    watched_ = loop_->watch(fd_, true);
    if (watched_ != nullptr) watched_->on_readable = [this, call = std::move(on_change)] {
      if (changed()) call();
    };
  }

  // On the loop's thread.
  void stop() noexcept override {
    if (watched_ != nullptr) loop_->forget(std::exchange(watched_, nullptr), fd_);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  bool changed() noexcept {
    alignas(inotify_event) char block[4096];
    bool any = false;
    for (;;) {
      const ssize_t n = ::read(fd_, block, sizeof block);
      if (n <= 0) return any;
      for (ssize_t at = 0; at < n;) {
        const auto& event = *reinterpret_cast<const inotify_event*>(block + at);
        const auto range = names_.equal_range(event.wd);
        for (auto name = range.first; name != range.second; ++name) any = any || (event.len > 0 && name->second == event.name);
        at += static_cast<ssize_t>(sizeof event + event.len);
      }
    }
  }

  int fd_ = -1;
  RealLoop* loop_ = nullptr;
  Watched* watched_ = nullptr;
  std::multimap<int, std::string> names_;
};

// Signal handlers may do next to nothing: they write the number into a pipe that loop 0 reads.
int signal_pipe[2] = {-1, -1};

extern "C" void tell_of_signal(int signal) {
  const int saved = errno;
  const auto number = static_cast<unsigned char>(signal);
  if (::write(signal_pipe[1], &number, 1) < 0) {
    // full: enough signals are waiting
  }
  errno = saved;
}

std::uint64_t seed_of(const RealOptions& options) {
  if (options.seed != 0) return options.seed;
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

}  // namespace

struct RealWorld::Inner {
  explicit Inner(const RealOptions& options)
      : resolver(compute), environment{clock, Random(seed_of(options)), network, resolver, files, state_files, watch, compute, make_loops(options.workers, options.tick)} {}

  std::vector<Loop*> make_loops(std::uint32_t workers, Duration tick) {
    std::vector<Loop*> out;
    for (std::uint32_t i = 0; i < std::max(1U, workers); ++i) {
      loops.push_back(std::make_unique<RealLoop>(clock, i, tick));
      out.push_back(loops.back().get());
    }
    return out;
  }

  void read_signals() {
    unsigned char numbers[16];
    const ssize_t n = ::read(signal_pipe[0], numbers, sizeof numbers);
    for (ssize_t i = 0; i < n; ++i) {
      const auto known = on_signal.find(numbers[i]);
      if (known != on_signal.end()) known->second(numbers[i]);
    }
  }

  RealClock clock;
  std::vector<std::unique_ptr<RealLoop>> loops;
  RealNetwork network;
  RealCompute compute;
  RealResolver resolver;
  DiskFiles files;
  DiskStateFiles state_files;
  RealWatch watch;
  Environment environment;
  std::vector<std::thread> threads;
  std::map<int, std::function<void(int)>> on_signal;
  Watched* signals = nullptr;
};

RealWorld::RealWorld(const RealOptions& options) : inner_(std::make_unique<Inner>(options)) { ::signal(SIGPIPE, SIG_IGN); }

RealWorld::~RealWorld() {
  join();
  for (const auto& [number, callback] : inner_->on_signal) ::signal(number, SIG_DFL);
  if (inner_->signals == nullptr) return;
  inner_->loops.front()->forget(inner_->signals, signal_pipe[0]);
  for (int& fd : signal_pipe) ::close(std::exchange(fd, -1));
}

Environment& RealWorld::environment() noexcept { return inner_->environment; }

void RealWorld::run() {
  for (std::size_t i = 1; i < inner_->loops.size(); ++i) inner_->threads.emplace_back([loop = inner_->loops[i].get()] { loop->run(); });
  inner_->loops.front()->run();
}

void RealWorld::start() {
  for (const auto& loop : inner_->loops) inner_->threads.emplace_back([l = loop.get()] { l->run(); });
}

void RealWorld::stop() noexcept {
  for (const auto& loop : inner_->loops) loop->stop();
}

void RealWorld::join() noexcept {
  for (std::thread& t : inner_->threads)
    if (t.joinable()) t.join();
}

void RealWorld::on_signal(int signal, std::function<void(int)> callback) {
  if (inner_->signals == nullptr) {
    if (::pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
    inner_->signals = inner_->loops.front()->watch(signal_pipe[0], true);
    if (inner_->signals == nullptr) std::abort();
    inner_->signals->on_readable = [this] { inner_->read_signals(); };
  }
  inner_->on_signal[signal] = std::move(callback);
  struct sigaction action {};
  action.sa_handler = tell_of_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

bool RealWorld::shift_policy(Duration by) noexcept {
  if (by.count() < 0) return false;
  inner_->clock.shift(by);
  return true;
}

Duration RealWorld::policy_shift() const noexcept { return inner_->clock.shifted(); }

Duration thread_time() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + Duration{t.tv_nsec};
}

const std::string* environment_variable(void*, std::string_view name) {
  thread_local std::string value;
  const char* found = std::getenv(std::string(name).c_str());
  if (found == nullptr) return nullptr;
  value = found;
  return &value;
}

}  // namespace gatelab::io
