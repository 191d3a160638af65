// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_faults.h"

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/admin_body.h"
#include "harness/scenario/file.h"

namespace gatelab::cli {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const upstream::FaultState& state) {
  const upstream::Fault& fault = state.fault;
  Json out{{"target", state.target}, {"kind", fault.word()}, {"name", fault.name}, {"since", format(state.since)}, {"met", state.met}};
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

Status clear_faults(gateway::Gateway& gateway, const std::string& target, const std::string& name) {
  if (!target.empty()) return gateway.clear_faults(target, name);
  // Somebody else may have cleared one meanwhile: it is gone, as was asked for.
  for (const upstream::FaultState& state : gateway.faults())
    if (name.empty() || state.fault.name == name) (void)gateway.clear_faults(state.target, state.fault.name);
  return success();
}

}  // namespace gatelab::cli
