// SPDX-License-Identifier: Apache-2.0
// What the policy cache lets the proxy do (docs/policies/cache.md): whose answers, by which key, under which rules, and the
// memory that they are kept in.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cache/key.h"
#include "cache/rules.h"
#include "cache/store.h"
#include "cache/target.h"
#include "policy/state.h"

namespace gatelab::policy {

class Policy;

// A cache of the configuration's `caches`, by name: what is in it outlives a reload. Any thread.
class CacheState final : public State {
 public:
  CacheState(std::string name, std::size_t bytes, std::uint64_t seed) : store(bytes, seed), name_(std::move(name)), wanted_(bytes) {}
  const std::string& name() const noexcept { return name_; }
  // The bound that the configuration under construction asks for; it holds once that is in force.
  void want(std::size_t bytes) noexcept { wanted_.store(bytes, std::memory_order_relaxed); }
  // Each way in which a policy normalises queries, so that a purge by URL finds what each has stored.
  void normalises(const cache::QueryRules& rules);
  void in_force() noexcept override { store.set_bytes(wanted_.load(std::memory_order_relaxed)); }
  void measure(std::vector<Measure>& out) const override;

  // Answers of that URL, whatever its query has been made. How many.
  std::size_t purge_url(const cache::Target& target, cache::Purge how, Instant now);

  cache::Store store;

 private:
  static constexpr std::size_t kMaxRules = 256;  // those before them are forgotten
  const std::string name_;
  std::mutex mutex_;
  std::vector<cache::QueryRules> rules_;
  std::atomic<std::size_t> wanted_;
};

// What one policy says. Lives as long as its configuration; immutable.
struct CachePlan {
  std::shared_ptr<CacheState> state;  // never null
  cache::Rules rules;
  cache::QueryRules query;
  std::vector<std::string> fields;    // of the request, in the key
  std::uint64_t max_body = 0;         // octets; what is larger is not stored
  Duration pass_for{};                // for so long nobody waits for another where an answer could not be stored
  bool says_whose = false;            // the configuration has `shared`
  bool shows_key = false;             // Cache-Status says the URL that an answer is stored by
};

// What holds for one request. In its arena.
struct CacheUse {
  const Policy* by = nullptr;         // never null
  const CachePlan* plan = nullptr;    // never null
  cache::KeyScope scope = cache::KeyScope::Shared;
  std::string_view consumer;          // of KeyScope::Consumer
  bool authenticated = false;         // RFC 9111 §3.5
};

}  // namespace gatelab::policy
