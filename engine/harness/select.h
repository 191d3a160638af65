// SPDX-License-Identifier: Apache-2.0
// Which files and cases a run is about. Private to the runner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatelab::harness {

// `*` any text, `?` one octet, everything else itself.
bool glob(std::string_view pattern, std::string_view text) noexcept;

// Which shard of `shards`, from 1, a case belongs to: by its file's path, its name and its row, and by nothing else, so that
// it stays where it is when other cases come and go.
std::uint32_t shard_of(std::string_view path, std::string_view name, int row, std::uint32_t shards);

struct Found {
  std::string path;
  bool named = false;  // on the command line, not found in a directory
};
// Files as named and *.yaml, *.yml below directories, sorted. `problem`: a path that does not exist.
std::vector<Found> find_files(const std::vector<std::string>& paths, std::string& problem);

}  // namespace gatelab::harness
