// SPDX-License-Identifier: Apache-2.0
// Whoever waits is woken from another worker, perhaps after having given up. Made on the waiting loop; its call may come from
// any thread, at any time.
#pragma once

#include <functional>
#include <memory>

#include "io/loop.h"
#include "io/task.h"

namespace gatelab::proxy {

struct Waking {
  io::Signal signal;
  bool over = false;
};

inline std::function<void()> call_of(const std::shared_ptr<Waking>& waking, io::Loop& loop) {
  const auto wake = [waking] {
    waking->over = true;
    waking->signal.signal();
  };
  return [wake, &loop] { loop.post_remote(wake); };
}

// True if it was woken before the wait ended otherwise.
inline io::Task<bool> until_woken(std::shared_ptr<Waking> waking, io::Loop& loop, io::Wait wait) {
  while (!waking->over) {
    const io::Code code = co_await waking->signal.wait(loop, wait);
    if (code != io::Code::Ok) co_return false;
  }
  co_return true;
}

}  // namespace gatelab::proxy
