// SPDX-License-Identifier: Apache-2.0
// A connection to a target that may fail on purpose: asks what the request that is written to it meets, and plays that on its
// octets. For one request; without a fault it passes everything on. One loop's thread.
#pragma once

#include <memory>
#include <string>

#include "upstream/fault.h"

namespace gatelab::upstream {

class FaultTransport final : public io::Transport {
 public:
  FaultTransport(io::TransportPtr below, TargetFaults& faults) noexcept;
  ~FaultTransport() override { close(); }

  // The request went nowhere: a fault stands for the target.
  bool swallows() const noexcept { return swallows_; }
  // The connection itself, for another request.
  io::TransportPtr take_below() noexcept;

  io::Count try_read(std::span<char> into) noexcept override;
  io::Count try_peek(std::span<char> into) noexcept override;
  io::Count try_write(std::span<const io::ConstBuffer> from) noexcept override;
  void shutdown_write() noexcept override;
  void close() noexcept override;
  void reset() noexcept override;
  void break_off() noexcept override;
  Peer peer_state() noexcept override;
  bool may_have_news() const noexcept override { return true; }
  Address local() const noexcept override { return below_->local(); }
  Address peer() const noexcept override { return below_->peer(); }
  io::Loop& loop() noexcept override { return below_->loop(); }
  const crypto::TlsFacts* tls() const noexcept override { return below_->tls(); }
  crypto::TlsFailure tls_failure() const noexcept override { return below_->tls_failure(); }
  void wait_readable(io::Waiter& w) noexcept override;
  void wait_writable(io::Waiter& w) noexcept override;

 private:
  // So many octets a second, and no more at once than some of the time that has passed.
  struct Bucket {
    double octets = 0;
    Instant filled;
  };
  enum class Source : std::uint8_t { Target, Made, Nobody };  // whose octets are read

  void begin(std::span<const io::ConstBuffer> from) noexcept;
  bool is(Fault::Kind kind) const noexcept { return fault_ && fault_->kind == kind; }
  // Octets of the target's that may be read now.
  io::Count may_read(std::span<char> into) noexcept;
  io::Count read_made(std::span<char> into) noexcept;
  io::Count end() noexcept;
  void passed(std::string_view octets) noexcept;
  std::size_t allowed(Bucket& bucket, std::size_t wanted) noexcept;
  void wait_for(const Bucket& bucket, io::Waiter& w) noexcept;
  double quantum() const noexcept;
  bool is_cut() const noexcept;

  io::TransportPtr below_;
  TargetFaults& faults_;
  std::shared_ptr<const Fault> fault_;
  bool begun_ = false;       // the request is known
  bool swallows_ = false;    // what is written goes nowhere
  bool broken_ = false;
  bool seen_answer_ = false;
  Source source_ = Source::Target;
  std::string made_;         // an answer that the target did not give
  std::size_t made_at_ = 0;
  std::uint64_t passed_ = 0; // octets of the answer; behind its head for truncate
  int head_end_ = 0;         // of "\r\n\r\n": how much was seen
  Instant ready_;            // nothing is read before
  Bucket reads_, writes_;
  io::Waiter* reader_ = nullptr;  // whom nothing below wakes
};

}  // namespace gatelab::upstream
