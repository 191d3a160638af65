// SPDX-License-Identifier: Apache-2.0
// Writes what is recorded, on a thread of its own: without its secrets, exchange by exchange, in files of a bounded size of which
// the last few are kept. Each file is a whole recording. What the queue has no room for is dropped and counted.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "harness/replay/recording.h"
#include "harness/replay/redact.h"

namespace gatelab::cli {

// A file that goes on in another when it has become too long: F is the newest, F.1 the one before.
class RotatingFile {
 public:
  // `begin` and `end` stand around what is written, `between` between; a reader finds a whole file at any time.
  RotatingFile(std::string begin, std::string between, std::string end) : begin_(std::move(begin)), between_(std::move(between)), end_(std::move(end)) {}
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // Only for this user's eyes. `force`: a file that is there is replaced, once begin() says so. ids: exists, io.
  Status open(const std::string& path, std::uint64_t max_octets, std::uint32_t keep, bool force);
  // What is there goes now, with the files that went before it. append() does it too; the second time nothing happens.
  Status begin();
  bool is_full() const noexcept { return size_ + end_.size() >= max_octets_ && size_ > begin_.size(); }
  Status rotate();
  // Fails: the file is as it was before.
  Status append(const std::string& text);
  Status close();
  // How many times append() has written what is no longer there: in a file that went for a newer one.
  std::uint64_t gone() const noexcept { return gone_; }
  bool rotated() const noexcept { return gone_ > 0 || appended_.size() > 1; }
  // Nothing was recorded: a file that was made for this is no longer there.
  void abandon() noexcept;

 private:
  Status create();
  Status can_replace();
  Status put(std::uint64_t at, const std::string& text);
  std::string begin_, between_, end_, path_;
  std::uint64_t max_octets_ = 0, size_ = 0;  // without end_
  std::uint32_t keep_ = 1;
  std::deque<std::uint64_t> appended_{0};  // to each file that is kept, the newest first
  std::uint64_t gone_ = 0;
  int descriptor_ = -1;
  bool made_ = false;  // the file was not there before
  bool replaces_ = false;  // what an earlier run has left is still there
};

struct RecordingOptions {
  std::string out, har;             // either may be empty
  std::uint64_t max_octets = 256ULL << 20, max_body = 1ULL << 20;
  std::uint32_t keep = 4;           // files
  bool force = false, keep_secrets = false;
};

class RecordingFile {
 public:
  // `failed`: called once, on the writing thread, with what the disk has said: from there on nothing is recorded. May be null.
  explicit RecordingFile(std::string salt, std::function<void(const std::string&)> failed = nullptr);
  ~RecordingFile() { finish(); }
  // What is a secret whatever it looks like. Before open().
  void know(const harness::KnownSecrets& known) { redactor_.know(known); }
  // Opens the files and begins to write.
  Status open(const RecordingOptions& options);
  // Never waits for the disk. Any thread.
  void add(harness::RecordedExchange exchange);
  // Instead of finish(), where nothing came to be recorded.
  void abandon();
  // Writes what is queued, unless the disk has failed, and stops.
  void finish();

  // After finish().
  std::uint64_t written() const noexcept { return written_; }
  bool rotated() const noexcept { return has_recording_ ? recording_.rotated() : har_.rotated(); }
  // Of these: no longer there, as only so many files are kept.
  std::uint64_t gone() const noexcept { return has_recording_ ? recording_.gone() : har_.gone(); }
  std::uint64_t dropped() const noexcept { return dropped_; }
  const std::string& problem() const noexcept { return problem_; }  // of the disk; nothing was written after it

 private:
  void run();
  Status write(harness::RecordedExchange& exchange);

  harness::Redactor redactor_;
  std::function<void(const std::string&)> failed_;
  bool keep_secrets_ = false;
  std::uint64_t max_body_ = 0;
  harness::RecordingWriter lines_;
  RotatingFile recording_, har_;
  bool has_recording_ = false, has_har_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<harness::RecordedExchange> queue_;
  std::uint64_t queued_ = 0;  // octets, roughly
  std::uint64_t written_ = 0, dropped_ = 0;
  std::string problem_;
  bool stopping_ = false, abandoned_ = false;
  std::thread thread_;
};

}  // namespace gatelab::cli
