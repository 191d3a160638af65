// SPDX-License-Identifier: Apache-2.0
// What people see of a load while it runs: one line on a terminal that is written over and over, or a line now and then.
// On stderr. Main thread.
#pragma once

#include <string>
#include <vector>

#include "harness/load/lane.h"

namespace gatelab::cli {

class LoadView {
 public:
  LoadView(bool terminal, Duration length) : terminal_(terminal), length_(length) {}
  // Before a round: "round 2 of 3", or empty.
  void begin(std::string what);
  void look(Duration since, harness::load::Progress& progress);
  // Clears what the terminal shows.
  void end();

 private:
  std::string line(Duration since, Duration over) const;
  bool terminal_;
  Duration length_;
  std::string what_;
  Duration shown_{};
  harness::load::Progress::Recent recent_;
  std::vector<double> history_;  // p99, a stretch each
};

// "▁▂▅█" of the last values.
std::string sparkline(const std::vector<double>& values, std::size_t most);

}  // namespace gatelab::cli
