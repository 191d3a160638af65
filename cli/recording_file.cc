// SPDX-License-Identifier: Apache-2.0
#include "cli/recording_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "harness/replay/har.h"

namespace gatelab::cli {
namespace {

constexpr std::uint64_t kMostQueued = 64ULL << 20;

std::uint64_t octets_of(const harness::RecordedBody& body) { return body.octets ? body.octets->size() : 0; }

std::uint64_t octets_of(const harness::RecordedExchange& e) {
  constexpr std::uint64_t kHeads = 4096;  // of a message, roughly
  std::uint64_t out = 2 * kHeads + octets_of(e.request.body) + octets_of(e.answer.body);
  for (const harness::RecordedAttempt& attempt : e.attempts) out += 2 * kHeads + octets_of(attempt.request.body) + octets_of(attempt.answer.body);
  return out;
}

}  // namespace

RotatingFile::~RotatingFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status RotatingFile::open(const std::string& path, std::uint64_t max_octets, std::uint32_t keep, bool force) {
  path_ = path;
  max_octets_ = max_octets;
  keep_ = keep;
  made_ = ::access(path.c_str(), F_OK) != 0;
  for (std::uint32_t i = 0; !force && i < keep; ++i) {
    const std::string one = i == 0 ? path : fmt::format("{}.{}", path, i);
    if (::access(one.c_str(), F_OK) == 0) return fail("exists", "`" + one + "` is there already: take another name, or --force");
  }
  // What is there stays as long as nothing has come to take its place.
  replaces_ = force;
  return made_ ? create() : can_replace();
}

Status RotatingFile::can_replace() {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  return descriptor_ >= 0 ? success() : fail("io", "can't write `" + path_ + "`: " + std::strerror(errno));
}

// Those of an earlier run would be taken for what came before this file.
Status RotatingFile::begin() {
  if (!std::exchange(replaces_, false)) return success();
  for (std::uint32_t i = 1; i < keep_; ++i)
    if (const std::string one = fmt::format("{}.{}", path_, i); ::unlink(one.c_str()) != 0 && errno != ENOENT) return fail("io", "can't remove `" + one + "`, of an earlier recording: " + std::strerror(errno));
  return made_ ? success() : create();
}

Status RotatingFile::create() {
  if (descriptor_ >= 0) ::close(descriptor_);
  // For its owner's eyes, whatever was there under this name.
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0 || ::fchmod(descriptor_, 0600) != 0 || ::ftruncate(descriptor_, 0) != 0) return fail("io", "can't write `" + path_ + "`: " + std::strerror(errno));
  size_ = begin_.size();
  return put(0, begin_ + end_);
}

Status RotatingFile::rotate() {
  for (std::uint32_t i = keep_ - 1; i > 0; --i) {
    const std::string from = i == 1 ? path_ : fmt::format("{}.{}", path_, i - 1);
    if (std::rename(from.c_str(), fmt::format("{}.{}", path_, i).c_str()) != 0 && errno != ENOENT) return fail("io", "can't rename `" + from + "`: " + std::strerror(errno));
  }
  appended_.push_front(0);
  if (appended_.size() > keep_) {
    gone_ += appended_.back();
    appended_.pop_back();
  }
  return create();
}

Status RotatingFile::put(std::uint64_t at, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::pwrite(descriptor_, text.data() + done, text.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail("io", "can't write `" + path_ + "`: " + std::strerror(errno));
    done += static_cast<std::size_t>(n);
  }
  return success();
}

Status RotatingFile::append(const std::string& text) {
  if (const Status begun = begin(); !begun) return begun;
  const std::string whole = (size_ > begin_.size() ? between_ : "") + text;
  if (const Status put_there = put(size_, whole + end_); !put_there) {
    // Whoever reads it finds the exchanges before. `end_` had its room on the disk already.
    if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0 || !put(size_, end_)) return fail("io", put_there.error().message + "; its last line is torn");
    return put_there;
  }
  size_ += whole.size();
  ++appended_.front();
  return success();
}

RecordingFile::RecordingFile(std::string salt, std::function<void(const std::string&)> failed)
    : redactor_(std::move(salt)), failed_(std::move(failed)), recording_(harness::RecordingWriter::first_line(), "", ""), har_(harness::har_begin(GATELAB_VERSION), ",\n", harness::har_end()) {}

Status RecordingFile::open(const RecordingOptions& options) {
  keep_secrets_ = options.keep_secrets;
  max_body_ = options.max_body;
  lines_ = harness::RecordingWriter(max_body_);
  has_recording_ = !options.out.empty();
  has_har_ = !options.har.empty();
  Status opened = has_recording_ ? recording_.open(options.out, options.max_octets, options.keep, options.force) : success();
  if (opened && has_har_) opened = har_.open(options.har, options.max_octets, options.keep, options.force);
  if (!opened && has_recording_) recording_.abandon();
  if (opened) thread_ = std::thread([this] { run(); });
  return opened;
}

void RotatingFile::abandon() noexcept {
  (void)close();
  if (made_) ::unlink(path_.c_str());
}

Status RotatingFile::close() {
  if (descriptor_ < 0) return success();
  // Some file systems say only now that there is no room.
  const bool closed = ::close(std::exchange(descriptor_, -1)) == 0;
  return closed ? success() : fail("io", "can't write `" + path_ + "`: " + std::strerror(errno));
}

void RecordingFile::add(harness::RecordedExchange exchange) {
  const std::uint64_t octets = octets_of(exchange);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !problem_.empty() || queued_ + octets > kMostQueued) {
      ++dropped_;
      return;
    }
    queued_ += octets;
    queue_.push_back(std::move(exchange));
  }
  wake_.notify_one();
}

void RecordingFile::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    if (!problem_.empty()) {
      dropped_ += std::exchange(queue_, {}).size();
      queued_ = 0;
      continue;
    }
    harness::RecordedExchange exchange = std::move(queue_.front());
    queue_.pop_front();
    queued_ -= octets_of(exchange);
    lock.unlock();
    const Status done = write(exchange);
    if (!done && failed_) failed_(done.error().message);
    lock.lock();
    if (done) {
      ++written_;
    } else {
      problem_ = done.error().message;
      ++dropped_;
    }
  }
}

Status RecordingFile::write(harness::RecordedExchange& exchange) {
  if (!keep_secrets_) redactor_.apply(exchange);
  if (has_recording_ && recording_.is_full()) {
    if (const Status rotated = recording_.rotate(); !rotated) return rotated;
    lines_ = harness::RecordingWriter(max_body_);  // each file has its own bodies
  }
  if (has_recording_)
    if (const Status done = recording_.append(lines_.lines(exchange)); !done) return done;
  if (!has_har_) return success();
  if (har_.is_full())
    if (const Status rotated = har_.rotate(); !rotated) return rotated;
  return har_.append(harness::har_entry(exchange));
}

void RecordingFile::abandon() {
  abandoned_ = true;
  finish();
  if (has_recording_) recording_.abandon();
  if (has_har_) har_.abandon();
}

void RecordingFile::finish() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (RotatingFile* file : {&recording_, &har_}) {
    if (!abandoned_)
      if (const Status begun = file->begin(); !begun && problem_.empty()) problem_ = begun.error().message;
    if (const Status closed = file->close(); !closed && problem_.empty()) problem_ = closed.error().message;
  }
}

}  // namespace gatelab::cli
