// SPDX-License-Identifier: Apache-2.0
// Diagnostics for code scanners: SARIF 2.1.0 (OASIS). Pure.
#pragma once

#include <string>
#include <vector>

#include "diag/diagnostic.h"

namespace gatelab::cli {

// One log with one run, whatever files the diagnostics speak of.
std::string render_sarif(const std::vector<diag::Diagnostic>& all);

}  // namespace gatelab::cli
