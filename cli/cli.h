// SPDX-License-Identifier: Apache-2.0
// What the commands share: exit codes, colour, reading a file. Each command has one file, which adds its flags to the
// parser and leaves what is to be run. Data goes to stdout, everything for people to stderr. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "diag/diagnostic.h"
#include "gateway/model.h"

namespace CLI {
class App;
}

namespace gatelab::cli {

// Stable; scripts and CI systems rely on them (docs/README.md lists them).
enum Exit : int {
  kOk = 0,
  kFailed = 1,        // an expectation failed
  kUsage = 2,         // wrong usage
  kInvalid = 3,       // invalid configuration or scenario; nothing was run
  kEnvironment = 4,   // a port is taken, a file can't be read
  kUnsure = 5,        // a run that proves nothing: a load that is inconclusive or invalid, a diff of refusals alone
  kInterrupted = 130,
};

using Chosen = std::function<int()>;
void add_run(CLI::App& app, Chosen& chosen);
void add_test(CLI::App& app, Chosen& chosen);
void add_check(CLI::App& app, Chosen& chosen);
void add_explain(CLI::App& app, Chosen& chosen);
void add_mint(CLI::App& app, Chosen& chosen);
void add_mint_tokens(CLI::App& mint, Chosen& chosen);  // of add_mint
void add_record(CLI::App& app, Chosen& chosen);
void add_diff(CLI::App& app, Chosen& chosen);
void add_load(CLI::App& app, Chosen& chosen);
void add_replay(CLI::App& app, Chosen& chosen);
void add_top(CLI::App& app, Chosen& chosen);
void add_version(CLI::App& app, Chosen& chosen);

enum class Stream : std::uint8_t { Out, Err };
// On a terminal, unless NO_COLOR is set to something (no-color.org).
diag::Colour colour_of(Stream stream);

// One line on stderr: "gatelab: …"; without credentials of URLs.
void complain(std::string_view message);
// Writes all of it to stdout and flushes; false if the reader has gone or the disk is full: ended() will say so.
bool print(std::string_view text);
// Once, when a command is over: `exit`, or kEnvironment in the place of kOk and after a complaint if stdout has not taken all
// that was written to it, by print() or through std::cout.
int ended(int exit);

// The whole file, at most 64 MiB; null after a complaint.
diag::SourcePtr read_source(const std::string& path);

// Everything that `run` would refuse: build_model() and the stubs of `mock:` upstreams. Null if the sink has errors.
// `clock`: certificates are judged by its time. `serves`: certificates may be made by the local CA, which is made too if need be.
struct Judging {
  const Clock* clock = nullptr;  // null: the system's
  bool serves = false;
  bool verifies = false;         // tokens: keys of `keys: local` are read, or made
};
std::shared_ptr<const gateway::Model> checked_model(const diag::SourcePtr& source, policy::StateStore& states, Random random, const Judging& judging, diag::Sink& sink);

// Reads, checks and assembles the file, and prints every diagnostic to stderr. `exit` is set when the result is null.
struct Loaded {
  std::shared_ptr<const gateway::Model> model;
  int exit = kOk;
};
Loaded load(const std::string& path, policy::StateStore& states, Random random, const Judging& judging);

// "1 error", "2 errors".
std::string counted(std::size_t n, std::string_view noun);

}  // namespace gatelab::cli
