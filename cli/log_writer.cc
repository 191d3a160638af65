// SPDX-License-Identifier: Apache-2.0
#include "cli/log_writer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

namespace gatelab::cli {
namespace {

constexpr std::size_t kMaxQueued = std::size_t{8} << 20;
// The writer waits this long for more lines, or until so many octets have come: a wake-up and a write per turn of a
// worker's loop cost a tenth of a request each.
constexpr auto kGather = std::chrono::milliseconds(20);
constexpr std::size_t kEnough = 256 * 1024;

std::uint64_t lines_in(std::string_view text) noexcept {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// How long a target may take nothing of the lines that are on their way to it, and how long all of them may take.
constexpr auto kStuck = std::chrono::seconds(2);
constexpr auto kHandOver = std::chrono::seconds(30);

// Gets the writer out of a write(2) that waits: our stdout may be a pipe that blocks.
const int kInterrupt = SIGRTMIN;
constexpr auto kInterruptEvery = std::chrono::milliseconds(50);
constexpr int kInterrupts = 40;

void handle_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  sigaction(kInterrupt, &action, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, kInterrupt);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
}

// A named pipe that nobody reads, say, would hold up whoever opens it, and for ever: it is refused. What is open for writing
// stays non-blocking, and the writer waits for it by poll(2).
Result<int> open_log(const std::string& path) {
  const int target = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
  if (target >= 0) return target;
  const bool unread = errno == ENXIO;
  return fail("denied", fmt::format("can't open the access log `{}`: {}", path, unread ? "nobody reads this named pipe: start its reader first" : std::strerror(errno)));
}

}  // namespace

// What could not be written (a full disk, a reader that has gone or takes nothing any more).
std::string_view LogWriter::write_all(int target, std::string_view text) noexcept {
  while (!text.empty() && !gives_up_.load(std::memory_order_relaxed)) {
    const ssize_t n = ::write(target, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
      taken_.fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
    } else if (errno == EAGAIN) {
      // Someone else made our stdout non-blocking: a terminal shared with another program.
      pollfd wait{target, POLLOUT, 0};
      ::poll(&wait, 1, 1000);
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

LogWriter::LogWriter() : thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  finish();
  if (target_.owned) ::close(target_.descriptor);
}

Status LogWriter::open_target(const gateway::LogConfig& log) {
  const std::lock_guard one_at_a_time(aiming_);
  Target target;
  switch (log.to) {
    case gateway::LogConfig::To::Off: break;
    case gateway::LogConfig::To::Stdout: target.descriptor = STDOUT_FILENO; break;
    case gateway::LogConfig::To::Stderr: target.descriptor = STDERR_FILENO; break;
    case gateway::LogConfig::To::File: {
      const Result<int> opened = open_log(log.path);
      if (!opened) return Failure<Error>{opened.error()};
      target = {*opened, true};
      break;
    }
  }
  std::unique_lock lock(mutex_);
  next_ = Next{target, log};
  wake_.notify_one();
  if (!wait_for_handover(lock)) {
    next_.reset();
    if (target.owned) ::close(target.descriptor);
    return fail("busy", "the access log stays where it was: nobody takes the lines that are on their way there");
  }
  return success();
}

bool LogWriter::wait_for_handover(std::unique_lock<std::mutex>& lock) {
  const auto late = std::chrono::steady_clock::now() + kHandOver;
  for (std::uint64_t before = taken_;; before = taken_) {
    if (moved_.wait_for(lock, kStuck, [this] { return !next_ || stopped_; })) break;
    if (taken_ == before || std::chrono::steady_clock::now() >= late) return false;
  }
  if (next_) take_over();
  return true;
}

void LogWriter::take_over() noexcept {
  if (target_.owned) ::close(target_.descriptor);
  target_ = next_->target;
  log_ = std::move(next_->log);
  next_.reset();
  moved_.notify_all();
}

Status LogWriter::aim(const gateway::LogConfig& log) {
  {
    const std::lock_guard lock(mutex_);
    if (log.to == log_.to && log.path == log_.path) {
      log_ = log;
      if (log.to != gateway::LogConfig::To::Off && target_.descriptor >= 0) return success();
    }
  }
  return open_target(log);
}

void LogWriter::reopen() {
  gateway::LogConfig log;
  {
    const std::lock_guard lock(mutex_);
    log = log_;
  }
  if (log.to != gateway::LogConfig::To::File) return;
  if (const Status opened = open_target(log); !opened) fmt::print(stderr, "gatelab: {}\n", opened.error().message);
}

void LogWriter::ask_reopen() noexcept {
  const std::lock_guard lock(mutex_);
  reopens_ = true;
  wake_.notify_one();
}

void LogWriter::reopen_own(std::unique_lock<std::mutex>& lock) {
  reopens_ = false;
  if (log_.to != gateway::LogConfig::To::File) return;
  const std::string path = log_.path;
  lock.unlock();
  const Result<int> opened = open_log(path);
  if (!opened) fmt::print(stderr, "gatelab: {}\n", opened.error().message);
  lock.lock();
  if (!opened) return;
  // Somebody may have aimed elsewhere meanwhile.
  if (next_ || log_.to != gateway::LogConfig::To::File || log_.path != path) {
    ::close(*opened);
    return;
  }
  if (target_.owned) ::close(target_.descriptor);
  target_ = {*opened, true};
}

void LogWriter::write(std::string_view lines) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queued_.size() + lines.size() > kMaxQueued) {
      dropped_.fetch_add(lines_in(lines), std::memory_order_relaxed);
      return;
    }
    const bool was_empty = queued_.empty();
    const bool had_enough = queued_.size() >= kEnough;
    queued_.append(lines);
    if (!was_empty && (had_enough || queued_.size() < kEnough)) return;
  }
  wake_.notify_one();
}

void LogWriter::run() {
  handle_interrupt();
  std::string batch;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !queued_.empty() || stopping_ || next_ || reopens_; });
    if (queued_.empty() && !next_ && !reopens_) break;
    if (!queued_.empty()) wake_.wait_for(lock, kGather, [this] { return queued_.size() >= kEnough || stopping_ || next_ || reopens_; });
    // Two buffers change places, so that neither side allocates in the steady state.
    batch.clear();
    batch.swap(queued_);
    const int target = target_.descriptor;
    // What is queued from here on is for whoever takes over.
    const bool last = next_.has_value();
    lock.unlock();
    if (target >= 0) {
      const std::string_view lost = write_all(target, batch);
      if (!lost.empty()) dropped_.fetch_add(std::max<std::uint64_t>(lines_in(lost), 1), std::memory_order_relaxed);
    }
    lock.lock();
    if (last && next_) take_over();
    if (reopens_) reopen_own(lock);
  }
  stopped_ = true;
  moved_.notify_all();
}

void LogWriter::finish(std::chrono::milliseconds grace) noexcept {
  if (!thread_.joinable()) return;
  bool stopped = false;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
    const auto over = [this] { return stopped_; };
    stopped = moved_.wait_for(lock, grace, over);
    gives_up_ = true;
    // Again and again: it may come just before the call that it is to interrupt.
    for (int i = 0; i < kInterrupts && !stopped; ++i) {
      pthread_kill(thread_.native_handle(), kInterrupt);
      stopped = moved_.wait_for(lock, kInterruptEvery, over);
    }
  }
  // A disk that lets nobody go: such a thread can't be joined. The process is about to end, and its thread with it.
  if (!stopped) std::_Exit(1);
  thread_.join();
}

}  // namespace gatelab::cli
