// SPDX-License-Identifier: Apache-2.0
// Sends recorded requests into a case's world, at their pace, and keeps what came back. The runner's thread; requests run on the
// loop of the outside.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/replay/request.h"
#include "harness/scenario/case_world.h"

namespace gatelab::harness {

struct Played {
  const RecordedExchange* exchange = nullptr;
  Answer answer;
  std::vector<std::string> trace;
};

// Made shared: what it has begun to send holds it, and may end after a step that was given up.
class Player : public std::enable_shared_from_this<Player> {
 public:
  Player(CaseWorld& world, const Replay& replay) : world_(world), replay_(replay) {}

  // Empty, or why it could not go on.
  std::string play(const std::vector<const RecordedExchange*>& exchanges, std::vector<Played>& out);
  // What backends were asked and did not know: a failure for each kind.
  void unmatched();
  std::size_t minted() const noexcept { return minted_; }
  const std::vector<bool>& used_secrets() const noexcept { return used_secrets_; }

 private:
  struct Batch;
  bool dial(const RecordedExchange& exchange, Dial& out);
  std::string request(const RecordedExchange& exchange, const Dial& dial);
  std::string token(const RecordedToken& token, const RecordedExchange& exchange);
  io::Task<void> run(std::shared_ptr<Batch> batch);
  io::Task<void> one(std::shared_ptr<Batch> batch, std::size_t i);
  void trace(std::vector<Played>& out) const;

  CaseWorld& world_;
  const Replay& replay_;
  std::vector<gateway::Bound> bound_;
  std::map<std::string, std::string> tokens_;
  std::vector<bool> used_secrets_;
  std::size_t minted_ = 0, first_seen_ = 0;
  std::string problem_;
};

}  // namespace gatelab::harness
