// SPDX-License-Identifier: Apache-2.0
// What the admin API is sent, read as a piece of a scenario: JSON or YAML, with places in its errors. Any thread.
#pragma once

#include <memory>
#include <string>

#include "config/node.h"

namespace gatelab::cli {

// `name` stands for the file in errors. Null: it can't be read, and `sink` says why.
std::unique_ptr<config::Node> parse_body(const std::string& name, const std::string& body, diag::Sink& sink);

}  // namespace gatelab::cli
