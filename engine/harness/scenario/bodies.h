// SPDX-License-Identifier: Apache-2.0
// Bodies of requests that a scenario has in files. Any thread.
#pragma once

#include <string>

#include "harness/scenario/file.h"

namespace gatelab::harness {

inline constexpr std::size_t kMaxBody = 64 * 1024 * 1024;  // octets, before their coding

// The octets of `send.body_file`, in its coding; `directory` is the scenario's. ids: those of files, out-of-range.
Result<std::string> read_body(const Send& send, const io::Files& files, const std::string& directory);
// Reports bodies that can't be had, for each step whose text is known before the case runs.
void check_bodies(const File& file, const io::Files& files, diag::Sink& sink);

}  // namespace gatelab::harness
