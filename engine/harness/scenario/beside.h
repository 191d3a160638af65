// SPDX-License-Identifier: Apache-2.0
// Files that a scenario names: their paths are relative to its own directory.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/environment.h"

namespace gatelab::harness {

// With its slash; empty: here.
inline std::string directory_of(std::string_view path) { return std::string(path.substr(0, path.rfind('/') + 1)); }

// `directory` ends with its slash. ids: those of the files.
inline Result<std::string> read_beside(const io::Files& files, const std::string& directory, const std::string& path) {
  return files.read(path.starts_with('/') ? path : directory + path);
}

}  // namespace gatelab::harness
