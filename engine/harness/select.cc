// SPDX-License-Identifier: Apache-2.0
#include "harness/select.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/random.h"

namespace gatelab::harness {

bool glob(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::uint32_t shard_of(std::string_view path, std::string_view name, int row, std::uint32_t shards) {
  // `./a.yaml` is `a.yaml`.
  const std::string identity = std::filesystem::path(path).lexically_normal().string() + "\n" + std::string(name) + "\n" + std::to_string(row);
  return static_cast<std::uint32_t>(mix64(hash64(identity)) % shards) + 1;
}

std::vector<Found> find_files(const std::vector<std::string>& paths, std::string& problem) {
  namespace fs = std::filesystem;
  std::vector<Found> out;
  for (const std::string& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (error || !fs::exists(status)) {
      problem = "`" + path + "` does not exist";
      return out;
    }
    if (!fs::is_directory(status)) {
      out.push_back({path, true});
      continue;
    }
    std::vector<Found> below;
    for (auto entry = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error); !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      // Build trees and hidden directories hold no scenarios of this project.
      if (entry->is_directory(error) && (name.starts_with(".") || name == "build" || name == "node_modules")) {
        entry.disable_recursion_pending();
        continue;
      }
      const std::string extension = entry->path().extension().string();
      if (entry->is_regular_file(error) && (extension == ".yaml" || extension == ".yml")) below.push_back({entry->path().lexically_normal().string(), false});
    }
    std::sort(below.begin(), below.end(), [](const Found& a, const Found& b) { return a.path < b.path; });
    out.insert(out.end(), below.begin(), below.end());
  }
  return out;
}

}  // namespace gatelab::harness
