// SPDX-License-Identifier: Apache-2.0
// Counts that outlive the process: what states say of themselves for a state file, and how that is written down. Pure; whoever
// has files reads and writes them (gateway/state_keeper.h). Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "policy/state.h"

namespace gatelab::policy {

struct KeptCount {
  std::string key;
  Instant until;  // whole seconds: when the count is over
  std::uint64_t count = 0;
};

// The counts of one state, by the ids that StateStore knows it by.
struct KeptSection {
  std::string id, shape;
  std::vector<KeptCount> counts;
};

class KeptState : public State {
 public:
  // What counts at `now`.
  virtual std::vector<KeptCount> save(Instant now) = 0;
  // Beside what is counted already, without what is over at `now`. How many there was no room for.
  virtual std::size_t restore(const std::vector<KeptCount>& counts, Instant now) = 0;
};

inline constexpr std::size_t kMaxKeptOctets = 60 * 1024 * 1024;

// A text with a digest of itself at its end, so that half of it is never taken for the whole. What would make it larger than
// kMaxKeptOctets is left out and counted in `left_out`.
std::string write_kept(const std::vector<KeptSection>& sections, std::size_t& left_out);
// Ids: corrupt (the message says where, and in what way), newer (written by a gatelab that knows more).
Result<std::vector<KeptSection>> read_kept(std::string_view text);

}  // namespace gatelab::policy
