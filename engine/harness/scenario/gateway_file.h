// SPDX-License-Identifier: Apache-2.0
// The gateway's configuration of a case, read from its file, and what the case says of it checked against it before anything
// runs. One thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "gateway/model.h"
#include "harness/runner.h"
#include "harness/scenario/file.h"

namespace gatelab::harness {

// The gateway's file of a case, as a path that can be opened.
std::string gateway_path(const File& file, const World& world);

struct GatewayFile {
  std::string path;
  config::EnvSource env;
  policy::StateStore& states;
  std::uint64_t seed = 1;
  Instant now;
  std::shared_ptr<crypto::LocalAuthority> authority;
  const Reload* reload = nullptr;  // its patch
  const std::map<std::string, crypto::JwkSet>* issuer_keys = nullptr;
};
// Null if the file can't be read or patched (`problem`), or is refused (`sink`).
std::shared_ptr<const gateway::Model> read_gateway(const GatewayFile& from, const io::Files& files, diag::Sink& sink, std::string& problem);

// Looks at every case of a file: is there a gateway, has it the upstreams and listeners that the case names?
class GatewayCheck {
 public:
  GatewayCheck(const config::EnvSource& env, const io::Files& files) : env_(env), files_(files) {}
  void check(const File& file, diag::Sink& sink);

 private:
  struct Known {
    std::shared_ptr<const gateway::Model> model;  // null: refused
    std::string problem;
  };
  const Known& known(const std::string& path, const World& world, diag::Sink& sink);
  void check_case(const File& file, const Case& c, diag::Sink& sink);
  void check_issuers(const World& world, const gateway::Model& model, diag::Sink& sink);
  void check_mocks(const World& world, const gateway::Model& model, diag::Sink& sink);
  void check_steps(const File& file, const Case& c, const gateway::Model& model, diag::Sink& sink);

  config::EnvSource env_;
  const io::Files& files_;
  policy::StateStore states_;
  std::shared_ptr<crypto::LocalAuthority> authority_ = crypto::LocalAuthority::simulation();
  std::map<std::pair<std::string, Instant>, Known> known_;  // by path and issuers that the scenario has
  std::set<std::string> reported_;
};

}  // namespace gatelab::harness
