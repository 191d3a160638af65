// SPDX-License-Identifier: Apache-2.0
// The predicate `schema`: a JSON Schema of draft 7, written where it is used. The same as the policy `validate` holds bodies to.
// Immutable; any thread.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "config/node.h"
#include "diag/diagnostic.h"

namespace gatelab::policy {
struct LoadedSchema;
}

namespace gatelab::harness {

class SchemaCheck {
 public:
  // Null: it is no schema, or one that takes everything; reported. `what`: whose predicate it is, for messages.
  static std::shared_ptr<const SchemaCheck> parse(const config::Node& node, diag::Sink& sink, const std::string& what);
  struct Problems {
    std::string text;        // "at /items/0/id: is a string, and must be of type integer": the first few; empty: there are none
    bool undecided = false;  // it was too much to look at: neither a match nor none
  };
  Problems problems(const nlohmann::json& value) const;

 private:
  std::shared_ptr<const policy::LoadedSchema> schema_;
};

}  // namespace gatelab::harness
