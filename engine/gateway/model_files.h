// SPDX-License-Identifier: Apache-2.0
// Files that a configuration names: certificates, keys, key sets. Private to the room.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/model.h"

namespace gatelab::gateway {

class ModelFiles {
 public:
  // All must outlive it.
  ModelFiles(const ModelInput& input, Model& model, diag::Sink& sink);

  // Its text, and the model remembers that it was read; nullopt after a report. Paths are relative to the configuration's
  // directory.
  std::optional<std::string> read(const config::Node& path, const std::string& what);
  // Where a path of the configuration's leads.
  std::string locate(const std::string& path) const { return path.starts_with("/") ? path : directory_ + path; }

 private:
  Model& model_;
  diag::Sink& sink_;
  std::string directory_;
  std::unique_ptr<io::Files> disk_;
  const io::Files* files_;
};

}  // namespace gatelab::gateway
