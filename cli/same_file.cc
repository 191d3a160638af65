// SPDX-License-Identifier: Apache-2.0
#include "cli/same_file.h"

#include <fmt/core.h>

#include <filesystem>

#include "cli/cli.h"

namespace gatelab::cli {
namespace {

bool is_none(const std::string& path) { return path.empty() || path == "-"; }

}  // namespace

bool is_same_file(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  if (is_none(a) || is_none(b)) return false;
  std::error_code failed;
  const fs::file_status there = fs::status(a, failed);
  if (fs::exists(there) && !fs::is_regular_file(there)) return false;
  if (fs::equivalent(a, b, failed)) return true;  // hard links too
  const auto place = [&failed](const std::string& path) { return fs::weakly_canonical(fs::absolute(path, failed), failed); };
  const fs::path of_a = place(a);
  return !of_a.empty() && of_a == place(b);
}

bool each_of_its_own(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (const NamedFile& input : inputs)
      if (is_same_file(outputs[i].second, input.second)) return complain(fmt::format("{} would be written over {}, `{}`, which is read: take another name", outputs[i].first, input.first, input.second)), false;
    for (std::size_t k = 0; k < i; ++k)
      if (is_same_file(outputs[i].second, outputs[k].second)) return complain(fmt::format("{} and {} are the same file: each needs one of its own", outputs[k].first, outputs[i].first)), false;
  }
  return true;
}

}  // namespace gatelab::cli
