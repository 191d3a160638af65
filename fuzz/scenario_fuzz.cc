// SPDX-License-Identifier: Apache-2.0
// Scenario files: whatever a file holds, it is taken or refused with diagnostics that can be shown.
#include <cstdint>
#include <memory>

#include "harness/scenario/file.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "scenario.yaml";
  source->text.assign(reinterpret_cast<const char*>(data), size);
  diag::Sink sink;
  config::ParseOptions options;
  options.substitute_env = false;
  auto tree = config::parse(source, options, sink);
  if (!tree) return 0;
  harness::parse_file("scenario.yaml", source, std::move(tree), {}, sink);
  diag::render_all(sink, diag::Colour::Off);
  return 0;
}
