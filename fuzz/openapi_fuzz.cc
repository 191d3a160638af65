// SPDX-License-Identifier: Apache-2.0
// OpenAPI documents: whatever the text is, loading it ends, with errors that have a place or with operations; and requests of those
// are looked at within their bounds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "http/parser.h"
#include "policy/issuers.h"
#include "policy/openapi/document.h"
#include "policy/openapi/values.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  diag::Sink sink;
  policy::StateStore states;
  const policy::Consumers people;
  const policy::Issuers issuers;
  policy::Context context{{}, "r", people, issuers, states, Random(7), [](const std::string&, const diag::Span&) -> std::optional<std::int32_t> { return 0; },
                          [&text](const config::Node&, const std::string&) { return std::optional(text); }, sink};
  config::Node file;
  file.kind = config::Kind::Text;
  file.text = "api.yaml";
  const auto document = policy::ApiDocument::load(file, "/v1", context);
  if (!document) {
    if (!sink.has_errors()) std::abort();
    return 0;
  }
  diag::render_all(sink, diag::Colour::Off);
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  if (parser.parse("GET /v1/a?a=1&a=2&b=1,2&c[d]=3&e=%7B%7D HTTP/1.1\r\nHost: a\r\nX-A: 1, 2\r\nCookie: a=b; c=1,2\r\n\r\n") != http::ParseState::Done) std::abort();
  const auto segments = arena.array<std::string_view>(8);
  for (auto& segment : segments) segment = ";a=1,2";
  for (const policy::ApiOperation& operation : document->operations) {
    const auto count = static_cast<std::size_t>(std::count(operation.path.begin(), operation.path.end(), '{'));
    if (count > segments.size()) continue;
    const policy::ApiRequest request{head.query, head.fields, std::span<const std::string_view>(segments).first(count), operation};
    for (const policy::ApiParameter& parameter : operation.parameters) {
      const policy::ApiValue value = policy::value_of_parameter(parameter, request, document->set, arena);
      if (value.state == policy::ApiValue::State::There && parameter.schema >= 0) schema::validate(document->set, parameter.schema, value.document, value.document.root(), {10, 10'000});
    }
  }
  return 0;
}
