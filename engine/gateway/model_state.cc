// SPDX-License-Identifier: Apache-2.0
// `state:` of a configuration.
#include "gateway/model_parts.h"

namespace gatelab::gateway {

std::optional<StateConfig> parse_state(const config::Node& node, const ModelFiles& files, diag::Sink& sink) {
  config::Reader r(node, sink, "`state`");
  r.require("file");
  const auto file = r.text("file");
  if (file && (file->empty() || file->ends_with("/"))) sink.error("bad-file", r.span_of("file"), "`" + *file + "` is not the name of a file", "file: gatelab.state");
  r.finish();
  if (!file) return std::nullopt;
  return StateConfig{files.locate(*file), diag::place(r.span_of("file")), r.span_of("file")};
}

}  // namespace gatelab::gateway
