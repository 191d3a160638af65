// SPDX-License-Identifier: Apache-2.0
#include "gateway/caches.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "cache/target.h"
#include "diag/diagnostic.h"
#include "policy/cache/plan.h"

namespace gatelab::gateway {
namespace {

using policy::CacheState;

std::vector<std::shared_ptr<CacheState>> living(const policy::StateStore& states) {
  std::vector<std::shared_ptr<CacheState>> out;
  for (auto& [id, state] : states.living<CacheState>()) out.push_back(std::move(state));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->name() < b->name(); });
  return out;
}

Failure<Error> no_such_cache(const std::string& name, const std::vector<std::shared_ptr<CacheState>>& all) {
  std::vector<std::string_view> names;
  for (const auto& one : all) names.push_back(one->name());
  const std::string_view near = diag::nearest(name, names);
  return fail("no-such-cache", "there is no cache `" + name + "`" + (near.empty() ? "" : ": did you mean `" + std::string(near) + "`?"));
}

// Views of `arena`. False: it is no URL.
bool find_targets(std::vector<cache::Target>& out, std::string_view what, const std::vector<std::string>& origins, Arena& arena) {
  const cache::Target nowhere{"http", "localhost", 80, "/", "", false};
  const bool is_path = what.starts_with('/') && !what.starts_with("//");
  if (!is_path) {
    const auto target = cache::resolve(nowhere, what, {}, arena);
    if (target && what.find("://") != std::string_view::npos) out.push_back(*target);
  }
  for (const std::string& origin : origins)
    if (const auto target = is_path ? cache::resolve(nowhere, arena.concat(origin, what), {}, arena) : std::nullopt; target && std::find(out.begin(), out.end(), *target) == out.end()) out.push_back(*target);
  return !out.empty();
}

}  // namespace

std::vector<CacheReport> caches(const policy::StateStore& states) {
  std::vector<CacheReport> out;
  for (const auto& one : living(states)) out.push_back({one->name(), one->store.bytes(), one->store.bound(), one->store.entries(), one->store.counts()});
  return out;
}

Result<std::size_t> purge(const policy::StateStore& states, const PurgeRequest& request, const std::vector<std::string>& origins, Instant now) {
  const cache::Purge how = request.soft ? cache::Purge::Soft : cache::Purge::Hard;
  Arena arena;
  std::vector<cache::Target> targets;
  if (request.by == PurgeRequest::By::Tag) {
    if (request.what.empty() || request.what.find_first_of(", \t") != std::string::npos) return fail("bad-tag", "`" + request.what + "` is no tag: one is a word of Cache-Tag or Surrogate-Key");
  } else if (!find_targets(targets, request.what, origins, arena)) {
    return fail("bad-url", "`" + request.what + "` is no URL: write http://HOST/PATH, as clients ask for it, or /PATH for this machine");
  }
  const auto all = living(states);
  std::size_t count = 0;
  bool found = request.cache.empty();
  for (const auto& one : all) {
    if (!request.cache.empty() && one->name() != request.cache) continue;
    found = true;
    if (request.by == PurgeRequest::By::Tag) count += one->store.purge_tag(request.what, how, now);
    for (const cache::Target& target : targets)
      count += request.by == PurgeRequest::By::Url ? one->purge_url(target, how, now) : one->store.purge_prefix(cache::to_text(target, arena), how, now);
  }
  if (!found) return no_such_cache(request.cache, all);
  return count;
}

}  // namespace gatelab::gateway
