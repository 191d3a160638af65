// SPDX-License-Identifier: Apache-2.0
// Configurations: whatever a file holds, it is taken or refused with diagnostics that can be shown.
#include <cstdint>
#include <memory>

#include "gateway/model.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "gateway.yaml";
  source->text.assign(reinterpret_cast<const char*>(data), size);
  policy::StateStore states;
  gateway::ModelInput input;
  input.source = source;
  input.states = &states;
  diag::Sink sink;
  const auto model = gateway::build_model(input, sink);
  if ((model == nullptr) != sink.has_errors()) __builtin_trap();
  diag::render_all(sink, diag::Colour::On);
  diag::render_json(sink);
  return 0;
}
