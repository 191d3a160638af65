// SPDX-License-Identifier: Apache-2.0
// The keys that session tickets are sealed with. They change with time: a new one every `rotation`, and what the one before
// has sealed is still opened, so a ticket lives for one rotation at least and two at most. Shared by all workers and
// longer-lived than a configuration. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace gatelab::crypto {

// Octets nobody can guess, from OpenSSL's generator: for keys and IVs. A seeded Random is not enough for these, and they
// never reach a report.
void secret_octets(unsigned char* into, std::size_t size) noexcept;

struct TicketKey {
  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> cipher;  // AES-256-CBC
  std::array<unsigned char, 32> mac;     // HMAC-SHA-256
  std::int64_t period = 0;
};

class TicketKeys {
 public:
  explicit TicketKeys(Duration rotation) : rotation_(rotation) {}

  // To seal with.
  TicketKey current(Instant now);
  // To open with; nullopt: made up, or too old. `stale`: opened by the one before, so the client should get a new one.
  std::optional<TicketKey> find(const unsigned char* name, Instant now, bool& stale);
  Duration rotation() const noexcept { return rotation_; }

 private:
  std::int64_t period_of(Instant now) const noexcept { return now.ns / rotation_.count(); }
  void rotate(std::int64_t period);

  const Duration rotation_;
  std::mutex mutex_;
  std::vector<TicketKey> keys_;  // newest first; at most two
};

}  // namespace gatelab::crypto
