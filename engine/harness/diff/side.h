// SPDX-License-Identifier: Apache-2.0
// One of the two configurations in a simulated world of its own: a fresh engine for each probe, mocks for whatever it calls.
// One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "crypto/local_authority.h"
#include "gateway/gateway.h"
#include "harness/diff/probe.h"
#include "harness/diff/references.h"
#include "harness/idp/provider.h"
#include "harness/mock/stub.h"
#include "harness/scenario/client.h"
#include "io/environment.h"
#include "observe/record.h"

namespace gatelab::harness::diff {

// What both sides have in common.
struct Common {
  std::uint64_t seed = 1;
  Instant start = Instant::from_seconds(1'767'225'600);  // 2026-01-01T00:00:00Z, as scenarios
  config::EnvSource env;
  const io::Files* files = nullptr;
  std::shared_ptr<crypto::LocalAuthority> authority = crypto::LocalAuthority::simulation();
  // By issuer: stand-ins for those of both configurations.
  std::map<std::string, std::shared_ptr<TestIssuer>> issuers;
  std::map<std::string, crypto::JwkSet> issuer_keys;
  // Keys of which the files know a digest only: by digest (lower case), the key that stands in for it.
  std::map<std::string, std::string> stand_ins;
  // What is not printed: values that both files, and scenarios, take from the environment.
  References references;
  // Answers of the mocks have these too.
  Texts reply_headers;
  // Instead of the default mocks: asked with upstream and request. May be empty, and may give null.
  std::function<std::shared_ptr<const Reply>(const SeenRequest&)> answers;
};

// What became of one request.
struct Observed {
  Answer answer;
  bool logged = false;
  observe::OwnedRecord record;
  std::vector<SeenRequest> upstream;  // what reached mocks for it
  std::vector<std::string> places;    // of their targets, one each
  Texts states;                       // of targets, and how many connections are open, when it was over
  std::string problem;                // why it was not played to its end; empty: it was
  bool sent = true;                   // false: `problem` says why it could not be
};

// Builds the model of one file again and again, each time for a fresh engine. Any thread.
class Configuration {
 public:
  Configuration(std::string name, diag::SourcePtr source, const Common& common) : name_(std::move(name)), source_(std::move(source)), common_(common) {}
  // Null: `sink` says why.
  std::shared_ptr<const gateway::Model> build(policy::StateStore& states, diag::Sink& sink) const;
  const std::string& name() const noexcept { return name_; }
  const diag::SourcePtr& source() const noexcept { return source_; }

 private:
  std::string name_;
  diag::SourcePtr source_;
  const Common& common_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const config::Node> tree_;  // read once
};

// One Observed for each request of the probe, in order. Errors: what kept the engine from starting.
Result<std::vector<Observed>> play(const Configuration& configuration, const Common& common, const Probe& probe);

}  // namespace gatelab::harness::diff
