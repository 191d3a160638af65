// SPDX-License-Identifier: Apache-2.0
// $(row.x), $(vars.x), $(saved.x), $(env.X) in scenario files. A scalar that is nothing else takes the value's type.
#pragma once

#include <map>
#include <string>

#include "config/node.h"
#include "diag/diagnostic.h"

namespace gatelab::harness {

struct Values {
  const config::Node* row = nullptr;   // of `each`
  const config::Node* vars = nullptr;
  config::EnvSource env;
  // What earlier steps saved; null while the file is only being checked: such values stay as they are then.
  const std::map<std::string, config::Node>* saved = nullptr;
  // $(gateway.…) and $(mocks.…) stay as they are: they are known when a gateway that is not ours is started.
  bool keep_places = false;
};

// A copy with everything replaced. Unknown names are reported (unknown-value).
config::Node substitute(const config::Node& node, const Values& values, diag::Sink& sink);
// True if some scalar below speaks of $(saved.…).
bool speaks_of(const config::Node& node, std::string_view what);  // $(saved., $(data.
bool speaks_of_saved(const config::Node& node);
// Maps merge deeply, everything else is replaced by `over`.
config::Node merge(const config::Node& base, const config::Node& over);

}  // namespace gatelab::harness
