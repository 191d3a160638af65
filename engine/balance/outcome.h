// SPDX-License-Identifier: Apache-2.0
// How a try at a target went, and sets of such outcomes: `on:` of retries, breakers and ejection, `status:` of health
// checks. Values; any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"

namespace gatelab::balance {

// Why no answer came, or None.
enum class Failure : std::uint8_t {
  None,
  Connect,    // no connection: refused, unreachable, no address, no TLS
  Reset,      // closed or reset before an answer
  Timeout,    // no connection or no answer in time
  Malformed,  // an answer that breaks the protocol, or its end was cut off
};

struct Outcome {
  Failure failure = Failure::None;
  std::uint16_t status = 0;  // of the answer; 0: none
};

class StatusSet {
 public:
  bool has(std::uint16_t status) const noexcept { return status >= 100 && status < 600 && codes_[status - 100U]; }
  void add(std::uint16_t first, std::uint16_t last) noexcept;
  bool empty() const noexcept { return codes_.none(); }

 private:
  std::bitset<500> codes_;
};

class OutcomeSet {
 public:
  bool has(Outcome outcome) const noexcept {
    return outcome.failure == Failure::None ? statuses.has(outcome.status) : ((failures >> static_cast<unsigned>(outcome.failure)) & 1U) != 0;
  }
  void add(Failure failure) noexcept { failures = static_cast<std::uint8_t>(failures | 1U << static_cast<unsigned>(failure)); }

  std::uint8_t failures = 0;
  StatusSet statuses;
};

// "5xx" or "503"; false if it is neither.
bool add_status(StatusSet& set, std::string_view word) noexcept;
// `status:`, a list of codes and classes. Reports.
StatusSet parse_statuses(const config::Node& node, diag::Sink& sink, const std::string& what);
// `on:`, a list of connect-failure, reset, timeout, malformed, codes and classes. Reports.
OutcomeSet parse_outcomes(const config::Node& node, diag::Sink& sink, const std::string& what);

}  // namespace gatelab::balance
