// SPDX-License-Identifier: Apache-2.0
// Writes access-log lines on a thread of its own, so that a slow disk or terminal never holds a worker up. The queue is
// bounded in octets; what does not fit is dropped and its lines are counted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
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
  // waiting for a reader, and keeps the old target if that fails (denied), or if it takes nothing for two seconds or not all of
  // them within thirty (busy). Any thread.
  Status aim(const gateway::LogConfig& log);
  // The file was renamed away (logrotate): opens it by name again. Any thread.
  void reopen();
  // The same, soon, by the writer itself: whoever asks does not wait. A file that can't be opened is told on stderr. Any thread.
  void ask_reopen() noexcept;
  // Whole lines. Never waits for the disk. Any thread.
  void write(std::string_view lines) noexcept;
  std::uint64_t dropped_lines() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  // Writes what is queued and stops. What a target has not taken by then, a stuck pipe's, is counted as dropped.
  static constexpr std::chrono::milliseconds kGrace{2000};
  void finish(std::chrono::milliseconds grace = kGrace) noexcept;

 private:
  struct Target {
    int descriptor = -1;  // -1: nowhere
    bool owned = false;
  };
  void run();
  std::string_view write_all(int target, std::string_view text) noexcept;
  Status open_target(const gateway::LogConfig& log);
  // The lock is held:
  bool wait_for_handover(std::unique_lock<std::mutex>& lock);
  void reopen_own(std::unique_lock<std::mutex>& lock);
  void take_over() noexcept;

  std::mutex aiming_;  // one at a time waits for next_ to be taken over; before mutex_
  mutable std::mutex mutex_;
  std::condition_variable wake_, moved_;
  std::string queued_;
  gateway::LogConfig log_;
  Target target_;
  struct Next {
    Target target;
    gateway::LogConfig log;
  };
  std::optional<Next> next_;  // takes over when everything that was queued before it is written
  bool reopens_ = false;       // asked for, and not yet done
  bool stopping_ = false;
  bool stopped_ = false;
  std::atomic<bool> gives_up_{false};        // nothing more is waited for
  std::atomic<std::uint64_t> dropped_{0}, taken_{0};  // lines; octets that targets took
  std::thread thread_;
};

}  // namespace gatelab::cli
