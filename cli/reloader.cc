// SPDX-License-Identifier: Apache-2.0
#include "cli/reloader.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/cli.h"

namespace gatelab::cli {
namespace {

// Shared with the job on worker 0, which may run after the waiter has given up.
struct Publication {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  gateway::ReloadReport report;
};

}  // namespace

Reloader::Reloader(Doors doors) : doors_(std::move(doors)), thread_([this] { run(); }) {}

Reloader::~Reloader() { stop(); }

void Reloader::ask() {
  const std::lock_guard lock(mutex_);
  ++asked_;
  changed_.notify_all();
}

ReloadOutcome Reloader::ask_and_wait() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++asked_;
  changed_.notify_all();
  changed_.wait(lock, [this, mine] { return done_ >= mine || stopping_; });
  if (done_ >= mine) return last_;
  return {false, "gatelab is shutting down", {}};
}

void Reloader::refuse_more() noexcept {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void Reloader::stop() noexcept {
  refuse_more();
  if (thread_.joinable()) thread_.join();
}

void Reloader::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return asked_ > done_ || stopping_; });
    if (stopping_) return;
    const std::uint64_t up_to = asked_;
    lock.unlock();
    ReloadOutcome outcome = once();
    doors_.tell(outcome);
    lock.lock();
    last_ = std::move(outcome);
    done_ = up_to;
    changed_.notify_all();
  }
}

ReloadOutcome Reloader::once() {
  io::Environment& environment = doors_.world.environment();
  const auto text = environment.files.read(doors_.path);
  if (!text) return {false, text.error().message, {}};
  const auto source = std::make_shared<diag::SourceFile>(diag::SourceFile{doors_.path, *text});
  diag::Sink sink;
  const auto model = checked_model(source, doors_.gateway.states(), environment.random, {&environment.clock, true}, sink);
  ReloadOutcome outcome;
  outcome.text = diag::render_all(sink, diag::Colour::Off);
  if (!model) return outcome;
  if (const Status prepared = doors_.prepare(*model); !prepared) {
    outcome.text += prepared.error().message;
    return outcome;
  }
  if (!publish(model, outcome.report)) {
    outcome.text = "gatelab is shutting down";
    return outcome;
  }
  outcome.ok = outcome.report.ok;
  if (!outcome.ok) outcome.text += outcome.report.error;
  if (outcome.ok) doors_.published(model);
  return outcome;
}

bool Reloader::publish(const std::shared_ptr<const gateway::Model>& model, gateway::ReloadReport& report) {
  const auto publication = std::make_shared<Publication>();
  gateway::Gateway* gateway = &doors_.gateway;
  doors_.world.environment().loops[0]->post_remote([publication, gateway, model] {
    gateway::ReloadReport made = gateway->reload(model);
    const std::lock_guard lock(publication->mutex);
    publication->report = std::move(made);
    publication->done = true;
    publication->changed.notify_all();
  });
  std::unique_lock lock(publication->mutex);
  while (!publication->done) {
    // Woken by the job, or looks now and then whether the loop will ever run it.
    publication->changed.wait_for(lock, std::chrono::milliseconds(50));
    const std::lock_guard mine(mutex_);
    if (stopping_ && !publication->done) return false;
  }
  report = publication->report;
  return true;
}

std::string to_json(const ReloadOutcome& outcome) {
  nlohmann::ordered_json json{{"ok", outcome.ok}};
  if (outcome.ok) {
    json["generation"] = outcome.report.generation;
    json["kept"] = outcome.report.states.kept;
    json["reset"] = outcome.report.states.reset;
    json["removed"] = outcome.report.states.removed;
    for (const gateway::Bound& bound : outcome.report.listeners) json["listeners"].push_back(bound.url());
  }
  if (!outcome.text.empty()) json[outcome.ok ? "warnings" : "error"] = outcome.text;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace gatelab::cli
