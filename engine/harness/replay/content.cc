// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/content.h"

#include <utility>

#include "base/text.h"

namespace gatelab::harness {

std::optional<coding::Coding> coding_of(const RecordedHeaders& headers) {
  std::optional<coding::Coding> out;
  for (const auto& [name, value] : headers) {
    if (!iequals(name, "content-encoding")) continue;
    if (out) return std::nullopt;
    out = coding::parse(trim_ows(value));
    if (!out) return std::nullopt;
  }
  return out;
}

std::optional<std::string> uncoded(const RecordedHeaders& headers, std::string_view octets) {
  const auto coding = coding_of(headers);
  return coding ? coding::decode(*coding, octets, kMostContent) : std::nullopt;
}

RecordedBody content_of(const RecordedHeaders& headers, RecordedBody body) {
  if (!body.octets) return body;
  auto content = uncoded(headers, *body.octets);
  if (!content) return body;
  body.size = content->size();
  body.octets = content->empty() ? nullptr : std::make_shared<const std::string>(std::move(*content));
  return body;
}

}  // namespace gatelab::harness
