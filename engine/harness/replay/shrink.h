// SPDX-License-Identifier: Apache-2.0
// The smallest part of a list with which something still fails: delta debugging (Zeller and Hildebrandt's ddmin). Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace gatelab::harness {

// Of 0 to n-1, in order. `fails` holds for all of them, and is asked at most `most` times; what is returned fails, and unless
// that ran out, no element can be taken out of it. `suspects` are tried alone first: mostly one is enough.
std::vector<std::size_t> smallest_failing(std::size_t n, const std::vector<std::size_t>& suspects, const std::function<bool(const std::vector<std::size_t>&)>& fails, std::size_t most = 2000);

}  // namespace gatelab::harness
