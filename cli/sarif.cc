// SPDX-License-Identifier: Apache-2.0
#include "cli/sarif.h"

#include <map>
#include <nlohmann/json.hpp>

namespace gatelab::cli {
namespace {

using Json = nlohmann::ordered_json;

Json location_of(const diag::Span& span) {
  const diag::Position begin = diag::position_of(*span.file, span.begin), end = diag::position_of(*span.file, span.end);
  return {{"physicalLocation",
           {{"artifactLocation", {{"uri", span.file->name}}},
            {"region", {{"startLine", begin.line}, {"startColumn", begin.column}, {"endLine", end.line}, {"endColumn", end.column}}}}}};
}

const char* level_of(diag::Severity severity) {
  return severity == diag::Severity::Error ? "error" : severity == diag::Severity::Warning ? "warning" : "note";
}

Json result_of(const diag::Diagnostic& d) {
  std::string text = d.message;
  if (!d.note.empty()) text += "; " + d.note;
  if (!d.hint.empty()) text += " (" + d.hint + ")";
  Json out{{"ruleId", d.id}, {"level", level_of(d.severity)}, {"message", {{"text", text}}}};
  if (d.span) out["locations"] = Json::array({location_of(d.span)});
  for (const diag::Label& label : d.related) {
    if (!label.span) continue;
    Json location = location_of(label.span);
    location["message"] = {{"text", label.text}};
    out["relatedLocations"].push_back(std::move(location));
  }
  return out;
}

}  // namespace

std::string render_sarif(const std::vector<diag::Diagnostic>& all) {
  Json results = Json::array(), rules = Json::array();
  std::map<std::string, bool> seen;
  for (const diag::Diagnostic& d : all) {
    results.push_back(result_of(d));
    if (seen.emplace(d.id, true).second) rules.push_back({{"id", d.id}});
  }
  const Json log{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                 {"version", "2.1.0"},
                 {"runs", Json::array({{{"tool", {{"driver", {{"name", "gatelab"}, {"version", GATELAB_VERSION}, {"rules", rules}}}}}, {"columnKind", "unicodeCodePoints"}, {"results", results}}})}};
  return log.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gatelab::cli
