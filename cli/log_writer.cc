// SPDX-License-Identifier: Apache-2.0
#include "cli/log_writer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
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

// How long lines may take that are on their way to the target before.
constexpr auto kHandOver = std::chrono::seconds(2);

// A named pipe that nobody reads, say, would hold up whoever opens it, and for ever: it is refused. What is open for writing
// stays non-blocking, and the writer waits for it by poll(2).
Result<int> open_log(const std::string& path) {
  const int target = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
  if (target >= 0) return target;
  const bool unread = errno == ENXIO;
  return fail("denied", fmt::format("can't open the access log `{}`: {}", path, unread ? "nobody reads this named pipe: start its reader first" : std::strerror(errno)));
}

// What could not be written (a full disk, a reader that has gone).
std::string_view write_all(int target, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t n = ::write(target, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
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

}  // namespace

LogWriter::LogWriter() : thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  finish();
  if (owns_target_) ::close(target_);
}

Status LogWriter::open_target(const gateway::LogConfig& log) {
  int target = -1;
  bool owns = false;
  switch (log.to) {
    case gateway::LogConfig::To::Off: break;
    case gateway::LogConfig::To::Stdout: target = STDOUT_FILENO; break;
    case gateway::LogConfig::To::Stderr: target = STDERR_FILENO; break;
    case gateway::LogConfig::To::File: {
      const Result<int> opened = open_log(log.path);
      if (!opened) return Failure<Error>{opened.error()};
      target = *opened;
      owns = true;
      break;
    }
  }
  std::unique_lock lock(mutex_);
  ++waiters_;
  wake_.notify_one();
  const bool drained = drained_.wait_for(lock, kHandOver, [this] { return (queued_.empty() && !writing_) || stopped_; });
  --waiters_;
  if (!drained) {
    if (owns) ::close(target);
    return fail("busy", "the access log stays where it was: nobody takes the lines that are on their way there");
  }
  if (owns_target_) ::close(target_);
  target_ = target;
  owns_target_ = owns;
  log_ = log;
  return success();
}

Status LogWriter::aim(const gateway::LogConfig& log) {
  {
    const std::lock_guard lock(mutex_);
    if (log.to == log_.to && log.path == log_.path) {
      log_ = log;
      if (log.to != gateway::LogConfig::To::Off && target_ >= 0) return success();
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
  std::string batch;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !queued_.empty() || stopping_; });
    if (queued_.empty()) break;
    wake_.wait_for(lock, kGather, [this] { return queued_.size() >= kEnough || stopping_ || waiters_ > 0; });
    // Two buffers change places, so that neither side allocates in the steady state.
    batch.clear();
    batch.swap(queued_);
    const int target = target_;
    writing_ = true;
    lock.unlock();
    if (target >= 0) {
      const std::string_view lost = write_all(target, batch);
      if (!lost.empty()) dropped_.fetch_add(std::max<std::uint64_t>(lines_in(lost), 1), std::memory_order_relaxed);
    }
    lock.lock();
    writing_ = false;
    drained_.notify_all();
  }
  stopped_ = true;
  drained_.notify_all();
}

void LogWriter::finish() noexcept {
  if (!thread_.joinable()) return;
  bool stopped = false;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
    stopped = drained_.wait_for(lock, std::chrono::seconds(2), [this] { return stopped_; });
  }
  // A writer that hangs in write(2) can't be joined; the process is about to end, and its thread with it.
  if (!stopped) std::_Exit(1);
  thread_.join();
}

}  // namespace gatelab::cli
