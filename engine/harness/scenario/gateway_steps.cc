// SPDX-License-Identifier: Apache-2.0
// The steps that change the gateway of a case: another configuration, another process.
#include "harness/scenario/case_world.h"
#include "harness/scenario/gateway_file.h"

namespace gatelab::harness {

void CaseWorld::reload(const Step& s) {
  std::string problem;
  World world = case_.world;
  if (!s.reload.gateway.empty()) world.gateway = s.reload.gateway;
  const std::string path = s.reload.gateway.empty() ? gateway_file_ : gateway_path(file_, world);
  const auto built = model(path, &s.reload, problem);
  gateway::ReloadReport report;
  if (built) driver_->on(*driver_->environment().loops.front(), [&] { report = gateway_->reload(built); });
  else report.error = problem;
  // Workers adopt by message.
  if (built) driver_->run_until([] { return true; }, std::chrono::seconds(1));
  if (built && report.ok) gateway_file_ = path;
  if (report.ok != s.reload.ok.value_or(!s.reload.error)) return fail(s.span, report.ok ? "the configuration was taken" : "the reload was refused:\n" + report.error);
  if (s.reload.ok || s.reload.error) ++result_.expectations;
  const auto lists = [this](const MatcherPtr& matcher, const std::vector<std::string>& list, const char* what) {
    if (!matcher) return;
    ++result_.expectations;
    if (const auto bad = matcher->match(nlohmann::json(list))) fail(bad->span, std::string(what) + ": " + bad->got);
  };
  lists(s.reload.kept, report.states.kept, "kept");
  lists(s.reload.reset, report.states.reset, "reset");
  lists(s.reload.removed, report.states.removed, "removed");
  if (!s.reload.error) return;
  if (const auto bad = s.reload.error->match(nlohmann::json(report.error))) fail(bad->span, bad->got);
}

// The same configuration, a fresh engine, and nothing of the old one but its state file. Virtual time only.
void CaseWorld::restart(const Step& s) {
  shut_down(s.restart.crash);
  if (!go_on()) return;
  serving_ = false;
  gateway_ = std::make_unique<gateway::Gateway>(driver_->environment(), gateway_options());
  std::string problem;
  const auto built = model(gateway_file_, nullptr, problem);
  if (!built) return fail(s.span, "the gateway's configuration is refused:\n" + problem);
  if (s.restart.state && !built->state) return fail(s.span, "the gateway keeps no state", "state: { file: gatelab.state } in its configuration");
  if (s.restart.state) (void)driver_->environment().state_files.write(built->state->path, *s.restart.state);
  told_.clear();
  if (const Status started = gateway_->start(built); !started) return fail(s.span, started.error().message);
  serving_ = true;
  driver_->start();
  if (!s.restart.told) return;
  ++result_.expectations;
  std::string told;
  for (const std::string& line : told_) told += (told.empty() ? "" : "\n") + line;
  if (const auto bad = s.restart.told->match(told_.empty() ? Value() : Value(nlohmann::json(told)))) fail(bad->span, "told: " + bad->got);
}

}  // namespace gatelab::harness
