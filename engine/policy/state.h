// SPDX-License-Identifier: Apache-2.0
// What lives longer than a configuration (design §9): limiter tables and the like, by stable id. A reload looks its
// state up here again; what no configuration uses any more is dropped by sweep(). Thread-safe to call between requests
// (reload time only); the states themselves are safe for several workers.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gatelab::policy {

class State {
 public:
  virtual ~State() = default;
};

class StateStore {
 public:
  // The state of that id if its type and `shape` (algorithm, key spec: whatever makes old content meaningless) agree,
  // else a fresh one from `make`, which replaces it.
  template <class T, class Make>
  std::shared_ptr<T> obtain(const std::string& id, const std::string& shape, Make make) {
    std::lock_guard lock(mutex_);
    Entry& e = entries_[id];
    auto same = e.shape == shape ? std::dynamic_pointer_cast<T>(e.state) : nullptr;
    if (same) { kept_.push_back(id); return same; }
    if (e.state) reset_.push_back(id);
    auto fresh = std::shared_ptr<T>(make());
    e = Entry{shape, fresh};
    return fresh;
  }

  struct Report { std::vector<std::string> kept, reset, removed; };
  // After a successful reload: forgets states that only the store holds, and says what happened since the last call.
  Report sweep();

 private:
  struct Entry { std::string shape; std::shared_ptr<State> state; };
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> kept_, reset_;
};

}  // namespace gatelab::policy
