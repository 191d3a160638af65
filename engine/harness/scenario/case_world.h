// SPDX-License-Identifier: Apache-2.0
// What one case stands on: a gateway of its own, mocks behind it, identities, and a client in front of it, all in one world,
// simulated or real. The runner's thread; what the gateway and the mocks say comes from theirs.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "harness/mock/mock.h"
#include "harness/replay/recorded_upstreams.h"
#include "harness/scenario/client.h"
#include "harness/scenario/driver.h"
#include "harness/scenario/foreign.h"
#include "harness/scenario/identities.h"
#include "harness/scenario/record_book.h"
#include "io/scope.h"

namespace gatelab::harness {

class CaseWorld {
 public:
  CaseWorld(const File& file, const Case& c, const TestOptions& options, io::Files& files, CaseResult& result);

  // False: it failed, and the result says why. tear_down() is due all the same.
  bool set_up();
  void tear_down();
  // gateway_steps.cc
  void reload(const Step& step);
  void restart(const Step& step);

  // Sets or clears a fault, and remembers one that only some requests can meet: those are looked at by check_faults().
  Status apply_fault(const FaultStep& step);
  // A fault whose `when` no request has met fails the case: it proves nothing.
  void check_faults();

  bool go_on() const { return result_.failures.empty(); }
  void fail(const diag::Span& span, std::string message, std::string hint = {}) { result_.failures.push_back({span, std::move(message), {}, {}, std::move(hint)}); }

  const Case& of() const noexcept { return case_; }
  const File& file() const noexcept { return file_; }
  const TestOptions& options() const noexcept { return options_; }
  const config::EnvSource& env() const noexcept { return options_.env; }
  CaseResult& result() noexcept { return result_; }
  io::Files& files() noexcept { return files_; }
  std::string directory() const { return file_.path.substr(0, file_.path.rfind('/') + 1); }  // what paths are relative to
  const crypto::LocalAuthority& authority() const noexcept { return *authority_; }
  Identities& identities() noexcept { return identities_; }
  Driver& driver() noexcept { return *driver_; }
  MockServers& mocks() noexcept { return mocks_; }
  io::Scope& scope() noexcept { return scope_; }
  Client& client() noexcept { return client_; }
  gateway::Gateway& gateway() noexcept { return *gateway_; }
  const RecordBook& records() const noexcept { return records_; }
  ForeignGateway* foreign() noexcept { return foreign_.get(); }  // instead of gateway(), if not null
  // Where requests can go.
  std::vector<gateway::Bound> listeners() const;
  // Whom the client trusts where nothing is said of it (ClientTls::trust). One that we have not made is not trusted without a
  // reason: its `ca`, or the system's.
  std::string trust() const;
  // False: requests are not kept from now on, neither by the gateway's records nor by the mocks. A load makes very many.
  void remember(bool on) noexcept {
    remember_ = on;
    mocks_.remember(on);
  }
  // What the access log holds until now, as the configuration shapes it. Of a simulated world.
  std::vector<std::string> log_lines();
  // Calls that recorded upstreams had no answer to, since this was last asked.
  std::vector<std::string> take_misses() { return recorded_ ? recorded_->take_misses() : std::vector<std::string>{}; }

 private:
  gateway::Options gateway_options();
  std::shared_ptr<const gateway::Model> model(const std::string& path, const Reload* reload, std::string& problem);
  bool set_up_foreign();
  void end_foreign();
  bool add_mocks(const gateway::Model& model);
  void read_recorded(const gateway::Model& model);
  bool mock_tls(const upstream::Config& upstream, const std::string& server_name, std::shared_ptr<const crypto::TlsContext>& out);
  void shut_down(bool crash);
  void client_on_loop(const std::function<void()>& job);

  const File& file_;
  const Case& case_;
  const TestOptions& options_;
  io::Files& files_;
  CaseResult& result_;
  Identities identities_;
  std::shared_ptr<crypto::LocalAuthority> authority_ = crypto::LocalAuthority::simulation();
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<RecordedUpstreams> recorded_;  // null: nothing is replayed against them
  MockServers mocks_;
  io::Scope scope_;
  Client client_;
  RecordBook records_;
  std::mutex told_mutex_;
  std::vector<std::string> told_;
  std::mutex log_mutex_;
  std::string log_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::string gateway_file_;
  std::unique_ptr<ForeignGateway> foreign_;
  struct Watched {
    diag::Span span;
    std::string when;
    std::shared_ptr<std::atomic<std::uint64_t>> met;
  };
  std::vector<Watched> watched_faults_;
  bool serving_ = false;
  bool running_ = false;  // the loops, on threads of their own
  std::atomic<bool> remember_{true};
};

}  // namespace gatelab::harness
