// SPDX-License-Identifier: Apache-2.0
#include "upstream/target_name.h"

#include <utility>

namespace gatelab::upstream {

void TargetName::ask(io::Loop& loop, io::Resolver& resolver, Questions& questions, io::Question question, std::shared_ptr<Pool> pool) {
  if (std::exchange(asking_, true)) return;
  questions.scope.spawn(fly(shared_from_this(), loop, resolver, questions, std::move(question), std::move(pool)));
}

io::Task<void> TargetName::fly(std::shared_ptr<TargetName> name, io::Loop& loop, io::Resolver& resolver, Questions& questions, io::Question question, std::shared_ptr<Pool> pool) {
  io::Wait wait;
  wait.cancel = &questions.scope.token();
  wait.what = "addresses of a target";
  wait.background = true;  // who waits for them has a deadline of his own
  auto resolving = resolver.resolve(loop, std::move(question), wait);
  auto found = co_await resolving;
  name->landed(std::move(found), loop.now(), *pool);
  questions.answered.signal();
}

void TargetName::landed(io::IoResult<io::Resolved> found, Instant now, Pool& pool) {
  asking_ = false;
  ended_ = found ? io::Code::Ok : found.error();
  bool moved = false;
  if (found) moved = addresses_.set(std::move(*found), now);
  else if (ended_ == io::Code::NotFound) moved = addresses_.forget();
  else addresses_.failed(now);
  // Connections to where the target is no more end with their exchange.
  if (moved) pool.retain([this](const Address& peer) { return addresses_.holds(peer.ip); });
  for (io::Signal& waiter : waiting_) waiter.signal();
}

io::Task<io::Code> TargetName::answer(io::Loop& loop, io::Wait wait) {
  if (!asking_) co_return ended_;
  const auto place = waiting_.emplace(waiting_.end());
  const io::Code code = co_await place->wait(loop, wait);
  waiting_.erase(place);
  co_return code == io::Code::Ok ? ended_ : code;
}

}  // namespace gatelab::upstream
