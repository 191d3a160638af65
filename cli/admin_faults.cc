// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_faults.h"

#include <map>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/admin_body.h"
#include "harness/scenario/file.h"

namespace gatelab::cli {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const upstream::FaultState& state) {
  const upstream::Fault& fault = state.fault;
  // As it is set: a target is UPSTREAM/TARGET.
  const char* of = state.target.find('/') == std::string::npos ? "upstream" : "target";
  Json out{{of, state.target}, {"kind", fault.word()}, {"name", fault.name}, {"since", format(state.since)}, {"met", state.met}};
  if (fault.share.millionths < 1'000'000) out["share"] = format(fault.share);
  if (fault.count > 0) out["count"] = fault.count;
  if (fault.lasts > Duration{}) out["for"] = format(fault.lasts);
  if (fault.every > Duration{}) out["every"] = format(fault.every);
  if (fault.delay > Duration{}) out["delay"] = format(fault.delay);
  if (fault.rate > 0) out["rate"] = format(ByteSize{fault.rate}) + "/s";
  if (fault.after > 0) out["after"] = format(ByteSize{fault.after});
  if (fault.kind == upstream::Fault::Kind::Status) out["status"] = fault.status;
  if (!fault.method.empty()) out["when"] = fault.method + " " + fault.path;
  return out;
}

}  // namespace

std::string faults_json(const gateway::Gateway& gateway) {
  Json out = Json::array();
  for (const upstream::FaultState& state : gateway.faults()) out.push_back(json_of(state));
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status set_fault(gateway::Gateway& gateway, const std::string& body) {
  diag::Sink sink;
  const auto tree = parse_body("fault", body, sink);
  if (!tree) return fail("bad-fault", diag::render_all(sink, diag::Colour::Off));
  const harness::FaultStep step = harness::parse_fault(*tree, {}, sink);
  if (sink.has_errors()) return fail("bad-fault", diag::render_all(sink, diag::Colour::Off));
  return harness::apply(step, gateway);
}

Status clear_faults(gateway::Gateway& gateway, const FaultQuery& query) {
  std::map<std::string, std::string> said;
  for (const auto& [key, value] : query) {
    // A key that is misspelt must not clear everything.
    if (key != "target" && key != "upstream" && key != "name") return fail("unknown-key", "there is no `" + key + "`: faults are cleared by `target` or `upstream`, and `name`");
    if (value.empty()) return fail("bad-fault", "`" + key + "` is empty; without it all there are would be meant");
    if (!said.emplace(key == "upstream" ? "target" : key, value).second) return fail("bad-fault", "one `target` or one `upstream`, and one `name`");
  }
  const std::string name = said["name"];
  if (!said["target"].empty()) return gateway.clear_faults(said["target"], name);
  bool any = name.empty();
  for (const upstream::FaultState& state : gateway.faults())
    // Somebody else may have cleared one meanwhile: it is gone, as was asked for.
    if (name.empty() || state.fault.name == name) any = gateway.clear_faults(state.target, state.fault.name).ok() || any;
  return any ? success() : fail("no-such-fault", "nobody has a fault `" + name + "`");
}

}  // namespace gatelab::cli
