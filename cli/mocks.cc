// SPDX-License-Identifier: Apache-2.0
#include "cli/mocks.h"

#include <chrono>
#include <future>

namespace gatelab::cli {
namespace {

std::string text_of(const gateway::Model& model) {
  std::string text;
  for (const upstream::Config& upstream : model.upstreams) {
    if (upstream.mock == nullptr) continue;
    const diag::Span& span = upstream.mock->span;
    text += upstream.name + '\n' + std::string(std::string_view(span.file->text).substr(span.begin, span.end - span.begin)) + '\n';
  }
  return text;
}

}  // namespace

// Starts `next` on the running loop; nullopt: the loop has ended before it could.
std::optional<Status> Mocks::start_on_loop(harness::MockServers* next) {
  harness::MockServers* before_last = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (sets_.size() >= 2) before_last = sets_[sets_.size() - 2].get();
  }
  const auto answer = std::make_shared<std::promise<Status>>();
  auto started = answer->get_future();
  loop_.post_remote([answer, before_last, next] {
    if (before_last != nullptr) before_last->stop();
    answer->set_value(next->start());
  });
  while (started.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    if (stopped_) return std::nullopt;
  }
  return started.get();
}

Status Mocks::serve(const gateway::Model& model, bool running) {
  const std::string text = text_of(model);
  if (text == text_) return success();
  auto set = std::make_unique<harness::MockServers>(network_, loop_, false);
  diag::Sink sink;  // what the stubs say was checked when the file was read
  set->add_all(model, sink);
  Status started = success();
  if (!running) {
    started = set->start();
  } else if (auto answer = start_on_loop(set.get()); answer) {
    started = std::move(*answer);
  } else {
    // The program ends, and the job that was posted may still refer to the set.
    static_cast<void>(set.release());
    return fail("stopping", "gatelab is shutting down");
  }
  if (!started) return started;
  text_ = text;
  const std::lock_guard lock(mutex_);
  addresses_ = set->addresses();
  sets_.push_back(std::move(set));
  return success();
}

Status Mocks::serve_identity(std::vector<harness::Stub> stubs, Address& address) {
  const std::string name = "identity provider";
  auto servers = std::make_unique<harness::MockServers>(network_, loop_, false);
  servers->provide(name, std::move(stubs), nullptr, address);
  const Status started = servers->start();
  if (!started) return started;
  address = servers->addresses().at(name + "/" + name);
  const std::lock_guard lock(mutex_);
  identity_ = std::move(servers);
  return success();
}

std::optional<Address> Mocks::locate(const std::string& target) const {
  const std::lock_guard lock(mutex_);
  const auto found = addresses_.find(target);
  return found == addresses_.end() ? std::nullopt : std::optional(found->second);
}

void Mocks::stop(std::function<void()> done) {
  stopped_ = true;
  bool all = true;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& set : sets_) {
      set->stop();
      all = all && set->stopped();
    }
    if (identity_) {
      identity_->stop();
      all = all && identity_->stopped();
    }
  }
  if (all) return done();
  loop_.post_remote([this, done = std::move(done)] { stop(done); });
}

}  // namespace gatelab::cli
