// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/saved.h"

#include <nlohmann/json.hpp>

#include "harness/match/json_text.h"

namespace gatelab::harness {
namespace {

config::Node to_node(const nlohmann::json& value) {
  config::Node node;
  node.kind = value.is_number_integer() ? config::Kind::Integer : value.is_number() ? config::Kind::Float : value.is_boolean() ? config::Kind::Bool : config::Kind::Text;
  node.text = value.is_string() ? value.get<std::string>() : value.dump();
  node.boolean = value.is_boolean() && value.get<bool>();
  return node;
}

}  // namespace

void save_from(const Answer& answer, const Send& send, const diag::Span& span, std::map<std::string, config::Node>& saved, CaseResult& result) {
  if (send.save_json.empty() && send.save_headers.empty()) return;
  const auto fail = [&](std::string message) { result.failures.push_back({span, std::move(message), {}, {}, {}}); };
  const auto body = parse_json_text(content_of(answer));
  for (const auto& [name, path] : send.save_json) {
    const auto found = body.is_discarded() ? std::vector<const nlohmann::json*>{} : path.select(body);
    if (found.empty()) fail("nothing to save as `" + name + "`: the path selects nothing in " + shown(nlohmann::json(answer.body), Dimension::Text));
    else saved[name] = to_node(*found.front());
  }
  for (const auto& [name, header] : send.save_headers) {
    const Value value = header_value(answer.headers, header);
    if (!value) fail("nothing to save as `" + name + "`: the answer has no header " + header);
    else saved[name] = to_node(*value);
  }
}

}  // namespace gatelab::harness
