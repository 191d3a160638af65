// SPDX-License-Identifier: Apache-2.0
// What lives longer than a configuration (design §9): limiter tables and the like, by stable id. A configuration that is
// built while another is in force finds the other's states here again; a build that fails changes nothing. States
// themselves belong to the configurations that use them and are safe for several workers. The store may be used from any
// thread, at reload time only.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diag/diagnostic.h"

namespace gatelab::policy {

// A gauge, or a counter of what a policy has done. `metric`, `help` and `label` are literals.
struct Measure {
  std::string_view metric, help;
  double value = 0;
  bool counts = false;
  std::string_view label = {};  // one more besides `id`; empty: none
  std::string label_value = {};
};

// How many keys a limit's table holds.
inline Measure keys_remembered(std::size_t keys) noexcept { return {"gatelab_limiter_keys", "Keys that a limit remembers, by policy or bucket.", static_cast<double>(keys)}; }

class State {
 public:
  virtual ~State() = default;
  // The configuration that was built last, and that has found or made this, is in force now.
  virtual void in_force() noexcept {}
  // Adds how much of it is in use now, and what it has counted. Any thread.
  virtual void measure(std::vector<Measure>&) const {}
};

// Whether there is something new to write down; tells whoever waits for it when there first is.
class ChangeFlag {
 public:
  void set() noexcept;
  bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }
  bool take() noexcept { return set_.exchange(false, std::memory_order_acq_rel); }
  // Called by set() when it was not set, on whatever thread that is; null: nobody waits any more.
  void when_set(std::function<void()> call);

 private:
  std::atomic<bool> set_{false};
  std::mutex mutex_;
  std::function<void()> call_;
};

class StateStore {
 public:
  // A new configuration is about to be built: what obtain() does from here is what the next report() tells.
  void begin();

  // The state of that id if it lives and its `shape` (algorithm, key: whatever makes old content meaningless) agrees, else
  // a fresh one from `make`.
  template <class T, class Make>
  std::shared_ptr<T> obtain(const std::string& id, const std::string& shape, Make make) {
    std::lock_guard lock(mutex_);
    std::weak_ptr<State>& known = states_[{id, shape}];
    auto state = std::dynamic_pointer_cast<T>(known.lock());
    used_.insert(id);
    if (state) kept_.insert(id);
    else known = state = std::shared_ptr<T>(make());
    return state;
  }

  // Policies of one configuration share the state `id`: what they say of it, told as `what`, must be the same text. Reports
  // `shared-differs` if another has said otherwise.
  void agree(const std::string& id, const std::string& said, std::string_view what, const diag::Span& span, diag::Sink& sink);

  // Every state of that type that lives, with its id and shape.
  template <class T>
  std::vector<std::pair<std::pair<std::string, std::string>, std::shared_ptr<T>>> living() const {
    std::lock_guard lock(mutex_);
    std::vector<std::pair<std::pair<std::string, std::string>, std::shared_ptr<T>>> out;
    for (const auto& [name, weak] : states_)
      if (auto state = std::dynamic_pointer_cast<T>(weak.lock())) out.emplace_back(name, std::move(state));
    return out;
  }

  // Set by states whose content is worth writing down, when it changes.
  const std::shared_ptr<ChangeFlag>& changed() const noexcept { return changed_; }

  struct Report {
    std::vector<std::string> kept, reset, removed;
  };
  // The configuration that was built last is in force now.
  Report report();

  // Every state that is alive, by id.
  std::vector<std::pair<std::string, std::shared_ptr<State>>> alive();

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<State>> states_;
  std::set<std::string> used_, kept_, in_force_;
  std::map<std::string, std::pair<std::string, diag::Span>> agreed_;
  std::shared_ptr<ChangeFlag> changed_ = std::make_shared<ChangeFlag>();
};

}  // namespace gatelab::policy
