// SPDX-License-Identifier: Apache-2.0
// A schema of the configuration or of a file that it names. Immutable; any thread.
#pragma once

#include <memory>

#include "policy/located_json.h"
#include "schema/schema.h"

namespace gatelab::policy {

struct LoadedSchema {
  LoadedSchema(LocatedJson from, schema::Dialect dialect) : source(std::move(from)), set(source.document, dialect) {}
  LocatedJson source;
  schema::Set set;
  std::int32_t root = -1;

  // Null: it is wrong; reported. `strict`: what in it is not held is wrong too.
  static std::shared_ptr<const LoadedSchema> of(LocatedJson source, diag::Sink& sink, bool strict = false);
  // `{ schema: … }` or `{ file: … }` of a map that `r` reads. Null: there was none, or it was wrong; reported.
  static std::shared_ptr<const LoadedSchema> parse(config::Reader& r, Context& context);
};

// What is wrong with schemas, and what in them is not held, in the words of a check.
void report(const std::vector<schema::Problem>& problems, const LocatedJson& source, diag::Sink& sink, bool strict = false);

}  // namespace gatelab::policy
