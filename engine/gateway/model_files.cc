// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_files.h"

#include <utility>

#include "io/disk.h"

namespace gatelab::gateway {
namespace {

std::string directory_of(const ModelInput& input) {
  if (input.directory) return input.directory->empty() ? "" : *input.directory + "/";
  const std::size_t slash = input.source->name.rfind('/');
  return slash == std::string::npos ? "" : input.source->name.substr(0, slash + 1);
}

}  // namespace

ModelFiles::ModelFiles(const ModelInput& input, Model& model, diag::Sink& sink)
    : model_(model), sink_(sink), directory_(directory_of(input)), disk_(input.files == nullptr ? std::make_unique<io::DiskFiles>() : nullptr),
      files_(input.files == nullptr ? disk_.get() : input.files) {}

std::optional<std::string> ModelFiles::read(const config::Node& path, const std::string& what) {
  const auto name = config::as_text(path, sink_, what);
  if (!name) return std::nullopt;
  const std::string whole = locate(*name);
  auto text = files_->read(whole);
  if (text) {
    model_.files.push_back(whole);
    return std::move(*text);
  }
  const bool absent = text.error().id == "not-found";
  sink_.error("unreadable-file", path.span, what + ": " + (absent ? "there is no file `" + *name + "`" : "`" + *name + "` can't be read"),
              absent ? "paths are relative to the configuration's directory" : "may this user read it?");
  return std::nullopt;
}

}  // namespace gatelab::gateway
