// SPDX-License-Identifier: Apache-2.0
// JSON that a configuration holds, or a file that it names: each value knows where it is written. Immutable once made; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "json/document.h"
#include "policy/catalog.h"

namespace gatelab::policy {

struct LocatedJson {
  json::Document document;
  std::vector<diag::Span> values, names;  // by the document's places; of what has no name: empty

  // Reports (bad-json).
  static std::optional<LocatedJson> of(const config::Node& node, diag::Sink& sink);
  // A file of JSON or YAML, at most 16MiB of it. `what` is said when it can't be read. Reports.
  static std::optional<LocatedJson> read(const config::Node& path, const std::string& what, Context& context);
};

}  // namespace gatelab::policy
