// SPDX-License-Identifier: Apache-2.0
#include "policy/validate/loaded_schema.h"

#include <utility>

namespace gatelab::policy {

void report(const std::vector<schema::Problem>& problems, const LocatedJson& source, diag::Sink& sink, bool strict) {
  for (const schema::Problem& problem : problems) {
    const diag::Span& span = problem.of_name && source.names[problem.at] ? source.names[problem.at] : source.values[problem.at];
    if (problem.is_error || strict) sink.error(problem.id, span, problem.message, problem.hint);
    else sink.warning(problem.id, span, problem.message, problem.hint);
  }
}

std::shared_ptr<const LoadedSchema> LoadedSchema::of(LocatedJson source, diag::Sink& sink, bool strict) {
  const std::size_t before = sink.errors();
  auto out = std::make_shared<LoadedSchema>(std::move(source), schema::Dialect::Draft7);
  out->root = out->set.compile(out->source.document.root());
  out->set.check_loops();
  report(out->set.problems(), out->source, sink, strict);
  return sink.errors() == before ? out : nullptr;
}

std::shared_ptr<const LoadedSchema> LoadedSchema::parse(config::Reader& r, Context& context) {
  const config::Node *own = r.get("schema"), *file = r.get("file");
  if (own != nullptr && file != nullptr) return r.sink().error("two-places", file->span, r.what() + " has `schema` and `file`", "the schema stands here or in the file"), nullptr;
  if (own == nullptr && file == nullptr) {
    if (r.valid()) r.sink().error("missing-key", r.span(), r.what() + " has no schema", "schema: { type: object, … }, or file: order.schema.json");
    return nullptr;
  }
  auto source = own != nullptr ? LocatedJson::of(*own, r.sink()) : LocatedJson::read(*file, "the schema", context);
  return source ? of(std::move(*source), r.sink()) : nullptr;
}

}  // namespace gatelab::policy
