// SPDX-License-Identifier: Apache-2.0
// Values from the environment are secrets, and a report shows what was sent. Both sides have the values themselves; whatever is
// printed has the place that a value comes from, `$(env.NAME)`, instead of it. Values; once found they may be read by any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"

namespace gatelab::harness::diff {

class References {
 public:
  // Every variable that a file speaks of and that is set, wherever it stands. Values of less than four octets stand in too much
  // that has nothing to do with them: those are known only of keys and of what `headers` and `query` set or add.
  void find(const config::Node& tree, std::string_view text, const config::EnvSource& env);
  void find(std::string_view text, const config::EnvSource& env);

  // A text, cut where values begin and end.
  struct Piece {
    std::string_view text;
    std::string_view variable;  // that it is the value of; empty: of none
    bool encoded = false;       // percent-encoded, or escaped as in JSON: `text` is not the value itself
  };
  std::vector<Piece> pieces(std::string_view text) const;
  // For people: "$(env.NAME)" instead of each value.
  std::string masked(std::string_view text) const;
  bool knows(std::string_view value) const noexcept;

  struct Known {
    std::string value, variable;
  };
  const std::vector<Known>& all() const noexcept { return all_; }

 private:
  void find(std::string_view text, const config::EnvSource& env, bool short_ones);
  void find_short(const config::Node& node, const config::EnvSource& env, bool secret);
  std::vector<Known> all_;  // long values first: one may be a part of another
};

// For a shell: one word that stands for `text`, with each value as "${NAME}". Nothing else in it means anything to a shell.
std::string shell_word(std::string_view text, const References& references);
// For a scalar of a scenario, not quoted yet: each value as $(env.NAME), and nothing else in it is a substitution.
std::string scenario_scalar(std::string_view text, const References& references);

}  // namespace gatelab::harness::diff
