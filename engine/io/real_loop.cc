// SPDX-License-Identifier: Apache-2.0
#include "io/real_loop.h"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace gatelab::io {
namespace {

std::int64_t read_clock(clockid_t id) noexcept {
  timespec t{};
  ::clock_gettime(id, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

RealClock::RealClock() noexcept : base_(read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC)) {}
Instant RealClock::io_now() const noexcept { return {base_ + read_clock(CLOCK_MONOTONIC)}; }
Instant RealClock::policy_now() const noexcept { return {read_clock(CLOCK_REALTIME) + shift_.load(std::memory_order_relaxed)}; }

RealLoop::RealLoop(const RealClock& clock, std::uint32_t index, Duration tick) : clock_(clock), index_(index), fine_(tick < kTick), timers_(clock_.io_now(), tick) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || wake_ < 0) std::abort();  // before anything is served: no descriptors at all
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
}

RealLoop::~RealLoop() {
  for (Watched* w : dead_) delete w;
  ::close(wake_);
  ::close(epoll_);
}

void RealLoop::post_remote(std::function<void()> job) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = remote_.empty();
    remote_.push_back(std::move(job));
  }
  const std::uint64_t one = 1;
  if (first && ::write(wake_, &one, sizeof one) < 0) return;  // full: it is awake anyway
}

void RealLoop::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  if (::write(wake_, &one, sizeof one) < 0) return;
}

Watched* RealLoop::watch(int fd, bool level) noexcept {
  auto* watched = new Watched;
  epoll_event event{};
  event.events = level ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = watched;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) return watched;
  delete watched;
  return nullptr;
}

void RealLoop::forget(Watched* watched, int fd) noexcept {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  watched->dead = true;
  watched->on_readable = nullptr;
  dead_.push_back(watched);
}

// Until something happens or the next deadline; at most a minute.
int RealLoop::wait(epoll_event* events, int room) noexcept {
  if (!ready_.empty()) return ::epoll_wait(epoll_, events, room, 0);
  const Instant next = timers_.next();
  if (next == Instant::max()) return ::epoll_wait(epoll_, events, room, -1);
  const std::int64_t ns = std::clamp<std::int64_t>(next.ns - clock_.io_now().ns, 0, 60'000'000'000);
  if (fine_) {
    const timespec left{ns / 1'000'000'000, ns % 1'000'000'000};
    const int n = ::epoll_pwait2(epoll_, events, room, &left, nullptr);
    if (n >= 0 || errno == EINTR) return n;
    fine_ = false;  // Linux before 5.11, or a seccomp filter older than the call
  }
  return ::epoll_wait(epoll_, events, room, static_cast<int>((ns + 999'999) / 1'000'000));
}

// Only what was ready at the beginning: who posts itself again lets the sockets have their turn.
void RealLoop::run_ready() noexcept {
  for (std::size_t n = ready_.size(); n > 0; --n) ready_.pop().resume();
}

void RealLoop::run_remote() {
  std::uint64_t count = 0;
  if (::read(wake_, &count, sizeof count) < 0) return;
  std::vector<std::function<void()>> jobs;
  {
    std::lock_guard lock(mutex_);
    jobs.swap(remote_);
  }
  for (const auto& job : jobs) job();
}

void RealLoop::dispatch(const epoll_event& event) noexcept {
  clock_.refresh();
  auto* watched = static_cast<Watched*>(event.data.ptr);
  if (watched == nullptr) return run_remote();
  if (watched->dead) return;
  if (watched->on_readable) return watched->on_readable();
  const bool broken = (event.events & (EPOLLHUP | EPOLLERR)) != 0;
  watched->broken = watched->broken || broken;
  watched->read_over = watched->read_over || broken || (event.events & EPOLLRDHUP) != 0;
  if ((event.events & EPOLLOUT) != 0 || broken) {
    if (watched->writer != nullptr) watched->writer->complete(Code::Ok);
    else watched->writable = true;
  }
  if ((event.events & EPOLLIN) == 0 && !watched->read_over) return;
  if (watched->reader != nullptr) watched->reader->complete_inline(Code::Ok).resume();
  else watched->readable = true;
}

void RealLoop::run() {
  std::array<epoll_event, 256> events;
  while (!stopping_.load(std::memory_order_acquire)) {
    const int n = wait(events.data(), static_cast<int>(events.size()));
    for (int i = 0; i < n; ++i) {
      dispatch(events[static_cast<std::size_t>(i)]);
      // What an event makes ready belongs to it: finished at once, while it is in the processor's caches.
      run_ready();
    }
    clock_.refresh();
    if (timers_.size() > 0) timers_.advance(clock_.io_now());
    run_ready();
    for (Watched* w : std::exchange(dead_, {})) delete w;
  }
  // Jobs that were handed over before the stop still run: who waits for one would wait for ever.
  run_remote();
  run_ready();
}

}  // namespace gatelab::io
