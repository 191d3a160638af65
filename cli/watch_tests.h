// SPDX-License-Identifier: Apache-2.0
// `gatelab test --watch`: runs, then runs again what a changed file touches, until it is told to end.
#pragma once

#include "harness/runner.h"

namespace gatelab::cli {

// `stop`: a descriptor that becomes readable when the user has had enough. The exit code of the last run that came to its end.
int watch_tests(const harness::TestOptions& options, int stop, int (*exit_of)(const harness::TestSummary&));

}  // namespace gatelab::cli
