// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_body.h"

namespace gatelab::cli {

std::unique_ptr<config::Node> parse_body(const std::string& name, const std::string& body, diag::Sink& sink) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = name;
  source->text = body;
  config::ParseOptions options;
  options.substitute_env = false;
  return config::parse(source, options, sink);
}

}  // namespace gatelab::cli
