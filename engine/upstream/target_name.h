// SPDX-License-Identifier: Apache-2.0
// A target's name as a worker knows it: the addresses, and the question to DNS that is under way, one for all who wait for
// its answer (single flight). Stands beside the pool of the same key and outlives configurations as that does. One thread.
#pragma once

#include <list>
#include <memory>

#include "io/scope.h"
#include "upstream/addresses.h"
#include "upstream/pool.h"

namespace gatelab::upstream {

// Where a worker's questions to DNS run: they are nobody's who waits for them, as he may go and others wait on.
struct Questions {
  io::Scope& scope;     // cancelled and joined when nothing asks any more
  io::Signal answered;  // whenever one has ended, well or not
};

class TargetName : public std::enable_shared_from_this<TargetName> {
 public:
  Addresses& addresses() noexcept { return addresses_; }
  const Addresses& addresses() const noexcept { return addresses_; }
  bool asking() const noexcept { return asking_; }

  // Asks, unless somebody has already. An answer goes into the addresses, and idle connections of `pool` to where the target
  // is no more are closed; `loop`, `resolver` and `questions` outlive it.
  void ask(io::Loop& loop, io::Resolver& resolver, Questions& questions, io::Question question, std::shared_ptr<Pool> pool);
  // Waits for the end of the question under way. Ok: the addresses are new; TimedOut or Cancelled: so ended `wait`, or the
  // question itself; else as Resolver says.
  io::Task<io::Code> answer(io::Loop& loop, io::Wait wait);

 private:
  static io::Task<void> fly(std::shared_ptr<TargetName> name, io::Loop& loop, io::Resolver& resolver, Questions& questions, io::Question question, std::shared_ptr<Pool> pool);
  void landed(io::IoResult<io::Resolved> found, Instant now, Pool& pool);

  Addresses addresses_;
  bool asking_ = false;
  io::Code ended_ = io::Code::Ok;  // of the last question
  std::list<io::Signal> waiting_;  // each where its waiter has put it
};

}  // namespace gatelab::upstream
