// SPDX-License-Identifier: Apache-2.0
// What `gatelab top` shows: two looks at `/consumers`, and a table of what lies between them. Plain values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace gatelab::cli {

// One consumer, since the gateway's start or since a look before.
struct TopRow {
  std::string name, consumer_class, last;
  std::uint64_t requests = 0, client_errors = 0, server_errors = 0, limited = 0, request_octets = 0, response_octets = 0;
  std::map<std::int64_t, std::uint64_t> latency;  // microseconds, how many

  double quantile_ms(double q) const noexcept;  // 0 where there are none
};

struct TopLook {
  std::vector<TopRow> rows;
  std::uint64_t left_out = 0;
};

// id bad-answer: it is not what `/consumers` says.
Result<TopLook> read_look(const std::string& json);

// What `now` has more than `before`; who has nothing is left out. A gateway that has been started again begins at nothing.
std::vector<TopRow> between(const TopLook& before, const TopLook& now);
// requests, errors, bytes, p50, p90, p99, last, name.
void sort_rows(std::vector<TopRow>& rows, const std::string& by);

struct TopTable {
  Duration over{};         // zero: counts since the start, else rates
  std::size_t most = 20;   // rows
  bool bold = false;       // the head, for terminals
};
std::string table_of(const std::vector<TopRow>& rows, const TopTable& form);
// One object a line.
std::string json_of(const std::vector<TopRow>& rows, const TopTable& form, const std::string& time);

}  // namespace gatelab::cli
