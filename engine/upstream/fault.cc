// SPDX-License-Identifier: Apache-2.0
#include "upstream/fault.h"

#include <algorithm>

#include "upstream/fault_transport.h"

namespace gatelab::upstream {

struct TargetFaults::Held {
  Fault fault;
  Instant since;
  Dice dice;
  std::uint64_t met = 0;

  bool over(Instant now) const noexcept {
    if (fault.count > 0 && met >= fault.count) return true;
    return fault.lasts > Duration{} && fault.every == Duration{} && now - since >= fault.lasts;
  }
  bool pauses(Instant now) const noexcept {
    return fault.every > Duration{} && Duration((now - since).count() % fault.every.count()) >= fault.lasts;
  }
  bool fits(std::string_view method, std::string_view path) const noexcept {
    if (!fault.method.empty() && fault.method != method) return false;
    if (fault.path.empty()) return true;
    if (fault.path.back() != '*') return path == fault.path;
    return path.starts_with(std::string_view(fault.path).substr(0, fault.path.size() - 1));
  }
};

TargetFaults::TargetFaults(Faults& owner, std::string upstream, std::string target) : owner_(owner), upstream_(std::move(upstream)), target_(std::move(target)) {}

// The first in order that is due, of those that speak of this: a request suffers one fault.
std::shared_ptr<const TargetFaults::Held> TargetFaults::meet(Instant now, bool connection, std::string_view method, std::string_view path) noexcept {
  std::lock_guard lock(owner_.mutex_);
  std::shared_ptr<Held> met;
  for (const auto& held : held_) {
    if (held->fault.meets_connections() != connection || held->over(now) || held->pauses(now) || !held->fits(method, path)) continue;
    if (held->fault.share.millionths < 1'000'000 && held->dice.below(1'000'000) >= held->fault.share.millionths) continue;
    ++held->met;
    if (held->fault.counter) ++*held->fault.counter;
    ++injected_[static_cast<std::size_t>(held->fault.kind)];
    met = held;
    break;
  }
  look_again(now);
  return met;
}

void TargetFaults::look_again(Instant now) noexcept {
  const bool any = std::any_of(held_.begin(), held_.end(), [now](const auto& held) { return !held->over(now); });
  if (any) was_active_.store(true, std::memory_order_relaxed);
  active_.store(any, std::memory_order_relaxed);
}

TargetFaults::Connect TargetFaults::connect(Instant now) noexcept {
  Connect out;
  const auto met = meet(now, true, {}, {});
  if (!met) return out;
  out.delay = met->fault.delay;
  if (met->fault.kind == Fault::Kind::Tls) out.distrust = true;
  else out.failure = met->fault.kind == Fault::Kind::Dns ? &observe::reason::kResolveFailure : &observe::reason::kConnectFailure;
  return out;
}

bool TargetFaults::drops_kept(Instant now) noexcept {
  std::lock_guard lock(owner_.mutex_);
  return std::any_of(held_.begin(), held_.end(), [now](const auto& held) { return held->fault.meets_connections() && !held->over(now) && !held->pauses(now); });
}

std::shared_ptr<const Fault> TargetFaults::request(Instant now, std::string_view method, std::string_view path) noexcept {
  const auto met = meet(now, false, method, path);
  return met ? std::shared_ptr<const Fault>(met, &met->fault) : nullptr;
}

io::TransportPtr TargetFaults::wrap(io::TransportPtr transport) noexcept {
  if (!transport || !active()) return transport;
  transport = unwrap(std::move(transport));
  was_active_.store(true, std::memory_order_relaxed);  // seen by unwrap() on this thread, whatever it saw of others'
  io::Transport& below = *transport;
  auto wrapped = std::make_unique<FaultTransport>(std::move(transport), *this);
  io::LiveTransports::replace(below, *wrapped);
  return wrapped;
}

io::TransportPtr TargetFaults::unwrap(io::TransportPtr transport) noexcept {
  if (!was_active()) return transport;
  auto* wrapped = dynamic_cast<FaultTransport*>(transport.get());
  if (wrapped == nullptr) return transport;
  io::TransportPtr below = wrapped->take_below();
  io::LiveTransports::replace(*wrapped, *below);
  return below;
}

void TargetFaults::attach(io::Loop& loop, const std::shared_ptr<io::LiveTransports>& live) {
  std::lock_guard lock(owner_.mutex_);
  std::erase_if(sites_, [](const Site& site) { return site.live.expired(); });
  const bool known = std::any_of(sites_.begin(), sites_.end(), [&live](const Site& site) { return site.live.lock() == live; });
  if (!known) sites_.push_back({&loop, live});
}

// The lock is held: no worker's list is touched but on its own thread.
void TargetFaults::break_off() {
  for (const Site& site : sites_)
    site.loop->post_remote([weak = site.live] {
      if (const auto live = weak.lock()) live->break_off();
    });
}

bool Faults::Entry::is_of(const TargetFaults& one) const noexcept {
  if (target == one.upstream()) return true;
  const std::size_t size = one.upstream().size();
  return target.size() == size + 1 + one.target().size() && target.starts_with(one.upstream()) && target[size] == '/' && target.ends_with(one.target());
}

TargetFaults& Faults::of(const std::string& upstream, const std::string& target) {
  std::lock_guard lock(mutex_);
  auto& known = targets_[upstream + "/" + target];
  if (known) return *known;
  known = std::make_unique<TargetFaults>(*this, upstream, target);
  for (const Entry& entry : entries_)
    if (entry.is_of(*known)) known->held_.push_back(entry.held);
  // What is over by now is found out by whoever meets it first.
  if (!known->held_.empty()) {
    known->was_active_ = true;
    known->active_ = true;
  }
  return *known;
}

void Faults::set(const std::string& target, Fault fault, Instant now) {
  if (fault.name.empty()) fault.name = fault.word();
  clear(target, fault.name, now);
  std::lock_guard lock(mutex_);
  const bool cuts = fault.kind == Fault::Kind::Reset && fault.is_whole();
  auto held = std::make_shared<TargetFaults::Held>(TargetFaults::Held{std::move(fault), now, random_.fork("fault/" + target, set_so_far_++)});
  entries_.push_back({target, held});
  for (const auto& [key, one] : targets_) {
    if (!entries_.back().is_of(*one)) continue;
    one->held_.push_back(held);
    one->look_again(now);
    if (cuts) one->break_off();
  }
}

std::size_t Faults::clear(const std::string& target, std::string_view name, Instant now) {
  std::lock_guard lock(mutex_);
  const bool is_upstream = target.find('/') == std::string::npos;
  std::vector<std::shared_ptr<TargetFaults::Held>> gone;
  std::size_t cleared = 0;
  std::erase_if(entries_, [&](const Entry& entry) {
    const bool of_its_targets = name.empty() && is_upstream && entry.target.starts_with(target + "/");
    if (!(entry.target == target || of_its_targets) || !(name.empty() || entry.held->fault.name == name)) return false;
    if (!entry.held->over(now)) ++cleared;
    gone.push_back(entry.held);
    return true;
  });
  for (const auto& [key, one] : targets_) {
    std::erase_if(one->held_, [&gone](const auto& held) { return std::find(gone.begin(), gone.end(), held) != gone.end(); });
    one->look_again(now);
  }
  return cleared;
}

std::vector<FaultState> Faults::all(Instant now) const {
  std::lock_guard lock(mutex_);
  std::vector<FaultState> out;
  for (const Entry& entry : entries_)
    if (!entry.held->over(now)) out.push_back({entry.target, entry.held->fault, entry.held->since, entry.held->met});
  return out;
}

std::vector<Faults::Injected> Faults::injected() const {
  std::lock_guard lock(mutex_);
  std::vector<Injected> out;
  for (const auto& [key, one] : targets_)
    for (std::size_t kind = 0; kind < Fault::kKinds.size(); ++kind)
      if (one->injected_[kind] > 0) out.push_back({key, Fault::kKinds[kind], one->injected_[kind]});
  return out;
}

// No store is the empty one: nobody is trusted.
Result<std::shared_ptr<const crypto::TlsContext>> untrusting(const crypto::TlsContext& context) {
  crypto::TlsClientOptions options = context.client_options();
  options.authorities = nullptr;
  options.verify = true;
  return crypto::TlsContext::client(std::move(options));
}

}  // namespace gatelab::upstream
