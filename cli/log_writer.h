// SPDX-License-Identifier: Apache-2.0
// Writes access-log lines on a thread of its own, so that a slow disk or terminal never holds a worker up. The queue is
// bounded in octets; what does not fit is dropped and its lines are counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "gateway/model.h"

namespace gatelab::cli {

class LogWriter {
 public:
  LogWriter();
  ~LogWriter();  // finish()es
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Where lines go from now on; lines that are queued already still go where they were meant to. Opens a file at once, without
  // waiting for a reader, and keeps the old target if that fails (denied) or does not take its lines for two seconds (busy).
  // Any thread.
  Status aim(const gateway::LogConfig& log);
  // The file was renamed away (logrotate): opens it by name again. Any thread.
  void reopen();
  // Whole lines. Never waits for the disk. Any thread.
  void write(std::string_view lines) noexcept;
  std::uint64_t dropped_lines() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  // Writes what is queued (for at most two seconds: a stuck pipe must not hold an exit up) and stops.
  void finish() noexcept;

 private:
  void run();
  Status open_target(const gateway::LogConfig& log);

  mutable std::mutex mutex_;
  std::condition_variable wake_, drained_;
  std::string queued_;
  gateway::LogConfig log_;
  int target_ = -1;       // -1: nowhere
  bool owns_target_ = false;
  bool writing_ = false;
  int waiters_ = 0;       // callers of aim() and reopen(), for whom the queue is to be emptied at once
  bool stopping_ = false;
  bool stopped_ = false;
  std::atomic<std::uint64_t> dropped_{0};
  std::thread thread_;
};

}  // namespace gatelab::cli
