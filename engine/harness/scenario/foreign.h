// SPDX-License-Identifier: Apache-2.0
// A gateway that is not ours, for one case: found where it runs, or started with what it needs and stopped again. The runner's
// thread; whether it is ready is asked on the loop of the outside.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "harness/mock/mock.h"
#include "harness/scenario/driver.h"
#include "harness/scenario/foreign_places.h"
#include "io/process.h"
#include "io/scope.h"

namespace gatelab::harness {

class ForeignGateway {
 public:
  // `directory`: what paths are relative to, with its slash.
  ForeignGateway(const World& world, std::string directory, io::Files& files, Driver& driver);

  // The mocks listen already. Waits until it is ready.
  Status start(const MockServers& mocks, std::string_view mocks_ca, io::Scope& scope);
  // Where it listens; after start().
  const gateway::Bound& bound() const noexcept { return bound_; }
  const GatewayUrl& url() const noexcept { return url_; }
  // Empty, or how it has ended by itself.
  std::string gone();
  // SIGTERM, and after a while SIGKILL to all that it has started.
  void stop();
  // The last lines that it wrote.
  std::vector<std::string> output(std::size_t lines) const;

 private:
  struct Asking;
  Status launch(const MockServers& mocks, std::string_view mocks_ca);
  Status await_ready(io::Scope& scope);
  io::Task<void> ask(std::shared_ptr<Asking> asking);
  std::string with_output(std::string message) const;

  const ForeignSpec& spec_;
  std::string directory_;
  io::Files& files_;
  Driver& driver_;
  Places places_;
  GatewayUrl url_;
  gateway::Bound bound_;
  std::unique_ptr<io::PrivateDirectory> own_;
  std::unique_ptr<io::HeldPort> port_;
  std::unique_ptr<io::Process> process_;
};

}  // namespace gatelab::harness
