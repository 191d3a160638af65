// SPDX-License-Identifier: Apache-2.0
// What `test` and `replay` run cases with. Main thread.
#pragma once

#include "harness/runner.h"

namespace gatelab::cli {

// Sockets, the environment, and the first SIGINT or SIGTERM, which lets the reports be written; the second ends the program.
harness::TestOptions test_options();
// Readable once one of them has come; -1: there is none.
int stop_descriptor() noexcept;
int exit_of(const harness::TestSummary& summary);

}  // namespace gatelab::cli
