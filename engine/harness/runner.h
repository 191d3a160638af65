// SPDX-License-Identifier: Apache-2.0
// Scenario files, run: the door of `gatelab test`. One call is one run; call from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "config/node.h"
#include "diag/diagnostic.h"
#include "io/environment.h"

namespace gatelab::harness {

// The real world of one case, as `--real` needs it: made and ended by the caller's factory (cli), since only that may.
class RealDriver {
 public:
  virtual ~RealDriver() = default;  // ends the world
  // Loops 0..n-1 are the gateway's; loop n is for clients and mocks.
  virtual io::Environment& environment() noexcept = 0;
  virtual io::Loop& outside() noexcept = 0;
  virtual void start() = 0;  // the loops run from here, on threads of their own
  // Blocks the caller until `done` (asked on no loop's thread) or the time is up: false.
  virtual bool wait(const std::function<bool()>& done, Duration budget) = 0;
  virtual bool shift_policy(Duration by) noexcept = 0;
};

struct TestOptions {
  std::vector<std::string> paths;           // files and directories; directories are searched for *.yaml with `cases`
  std::string filter;                       // glob over "case name" (-k); empty: all
  std::vector<std::string> tags;            // any of them; empty: all
  std::vector<std::string> skip_tags;       // none of them
  std::uint32_t jobs = 1;                   // cases at a time
  std::optional<std::uint64_t> seed;        // instead of the file's
  std::uint32_t repeat = 1;                 // runs of each case, seeds counting up unless `seed` is given
  bool real = false;                        // only files with modes that list real, on sockets
  diag::Colour colour = diag::Colour::Off;
  bool verbose = false;                     // a line for each case that passes
  std::vector<std::pair<std::string, std::string>> reports;  // kind ("json", "junit", "tap", "html", "github") and file; "-": out, and what people read goes to `err` then
  std::uint32_t shard = 1, shards = 1;      // of every case exactly one shard runs it; which, its file and name say
  bool fail_fast = false;                   // nothing is told behind the first case that fails, in file order
  std::uint32_t slowest = 0;                // so many are listed at the end; needs `elapsed`
  bool progress = false;                    // a line on `err` that is drawn again and again: a terminal's
  config::EnvSource env;
  std::function<std::unique_ptr<RealDriver>(std::uint32_t workers, std::uint64_t seed)> real_world;  // for `real`
  std::function<bool()> interrupted;        // asked between cases; may be null
  std::function<Duration()> elapsed;        // of the user's time, since whenever; may be null. Any thread
  std::function<bool(const std::string& path)> wanted;  // of the files that `paths` lead to; null: all
  // Told before a file is read for a scenario (its own, too); may be null. Any thread.
  std::function<void(const std::string& scenario, const std::string& path)> reads;
  // Whether two names are of one file; may be null: none are.
  std::function<bool(const std::string& a, const std::string& b)> same_file;
  std::string version;                      // of gatelab, for reports
};

struct TestSummary {
  std::size_t files = 0, cases = 0, passed = 0, failed = 0;
  bool unwanted = false;     // nothing was run: no case of a wanted file is selected
  bool empty_shard = false;  // cases were selected, and this shard has none of them
  bool invalid = false;      // a file was refused: nothing was run (exit 3)
  std::string misuse;        // what the options ask for can't be meant: nothing was run (exit 2)
  bool interrupted = false;  // (exit 130)
  std::string environment_error;  // a file or report that can't be read or written (exit 4)
};

// A report that a program reads goes to `out`: nothing else may stand in its way there.
bool has_report_on_out(const TestOptions& options);

// Results go to `out`, diagnostics to `err`. Reports are written whatever happens.
TestSummary run_tests(const TestOptions& options, io::Files& files, std::ostream& out, std::ostream& err);

}  // namespace gatelab::harness
