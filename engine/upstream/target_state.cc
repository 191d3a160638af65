// SPDX-License-Identifier: Apache-2.0
#include "upstream/target_state.h"

namespace gatelab::upstream {

using balance::Breaker;

std::string_view TargetState::name(Change change) noexcept {
  switch (change) {
    case Change::Opened: return "open";
    case Change::HalfOpened: return "half-open";
    case Change::Closed: return "closed";
    case Change::Ejected: return "ejected";
    case Change::Healthy: return "healthy";
    case Change::Unhealthy: return "unhealthy";
  }
  return "closed";
}

void TargetState::settle() noexcept {
  epoch_.store(breaker_.epoch(), std::memory_order_relaxed);
  calm_.store(breaker_.at_rest() && health_.available() && ejection_.at_rest() && ejection_.until() == Instant{}, std::memory_order_release);
}

std::string_view TargetState::unavailable(const TargetRules& rules, Instant now) const noexcept {
  if (rules.max_requests != 0 && in_flight() >= rules.max_requests) return "busy";
  if (calm_.load(std::memory_order_acquire)) return {};
  std::lock_guard lock(mutex_);
  if (!health_.available()) return "unhealthy";
  if (rules.breaker != nullptr && !breaker_.admits(*rules.breaker, now)) return "circuit-open";
  if (rules.ejection != nullptr && ejection_.ejected(now)) return "ejected";
  return {};
}

Duration TargetState::open_for(Instant now) const noexcept {
  if (calm_.load(std::memory_order_acquire)) return {};
  std::lock_guard lock(mutex_);
  return breaker_.state(now) == Breaker::State::Open ? breaker_.until() - now : Duration{};
}

bool TargetState::available(const TargetRules& rules, Instant now) const noexcept { return unavailable(rules, now).empty(); }

TargetState::Pass TargetState::enter(const TargetRules& rules, bool anyway, Instant now) noexcept {
  Pass pass;
  const std::uint32_t before = in_flight_.fetch_add(1, std::memory_order_relaxed);
  pass.entered = anyway || rules.max_requests == 0 || before < rules.max_requests;
  pass.permit.epoch = epoch_.load(std::memory_order_relaxed);
  if (pass.entered && rules.breaker != nullptr && !calm_.load(std::memory_order_acquire)) {
    bool half_opened = false;
    {
      std::lock_guard lock(mutex_);
      if (breaker_.admits(*rules.breaker, now)) {
        const std::uint32_t epoch = breaker_.epoch();
        pass.permit = breaker_.enter(now);
        half_opened = breaker_.epoch() != epoch;
        if (half_opened) count(Change::HalfOpened);
        settle();
      } else {
        pass.entered = anyway;
      }
    }
    if (half_opened) told(Change::HalfOpened, {});
  }
  if (!pass.entered) in_flight_.fetch_sub(1, std::memory_order_relaxed);
  return pass;
}

void TargetState::leave(const TargetRules& rules, Pass& pass, const Result& result, const Others& others, Instant now) noexcept {
  if (!pass.entered) return;
  pass.entered = false;
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  const bool broke = result.says && rules.breaker != nullptr && rules.breaker->on.has(result.outcome);
  const bool bad = result.says && rules.ejection != nullptr && rules.ejection->on.has(result.outcome);
  const bool counts = result.says && rules.ejection != nullptr && (rules.ejection->error_share || rules.ejection->latency);
  if (calm_.load(std::memory_order_acquire) && !broke && !bad && !counts) return;
  bool breaker_changed = false, opened = false, ejects = false;
  std::string_view why;
  {
    std::lock_guard lock(mutex_);
    if (rules.breaker != nullptr) {
      const Breaker::Verdict verdict = !result.says ? Breaker::Verdict::None : broke ? Breaker::Verdict::Bad : Breaker::Verdict::Good;
      breaker_changed = breaker_.leave(*rules.breaker, pass.permit, verdict, now);
      opened = breaker_changed && breaker_.state(now) == Breaker::State::Open;
      if (breaker_changed) count(opened ? Change::Opened : Change::Closed);
      if (breaker_changed && !opened) since_.store(now.ns, std::memory_order_relaxed);
    }
    if (rules.ejection != nullptr && result.says) {
      why = ejection_.add(*rules.ejection, bad, result.took, others.average, now);
      ejects = !why.empty() && others.may_eject;
      if (ejects) {
        ejection_.eject(*rules.ejection, now);
        since_.store(ejection_.until().ns, std::memory_order_relaxed);
        count(Change::Ejected);
      }
    }
    settle();
  }
  if (breaker_changed) told(opened ? Change::Opened : Change::Closed, {});
  if (ejects) told(Change::Ejected, why);
}

bool TargetState::ejected(Instant now) const noexcept {
  if (calm_.load(std::memory_order_acquire)) return false;
  std::lock_guard lock(mutex_);
  return ejection_.ejected(now);
}

std::optional<Duration> TargetState::average(const balance::EjectionRules& rules, Instant now) const noexcept {
  std::lock_guard lock(mutex_);
  return ejection_.average(rules, now);
}

void TargetState::checked(const balance::HealthRules& rules, bool good, std::string_view why, Instant now) noexcept {
  checks_.fetch_add(1, std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    const bool changed = health_.checked(rules, good);
    settle();
    if (!changed) return;
    count(good ? Change::Healthy : Change::Unhealthy);
    if (good) since_.store(now.ns, std::memory_order_relaxed);
  }
  told(good ? Change::Healthy : Change::Unhealthy, why);
}

void TargetState::forget_health() noexcept {
  std::lock_guard lock(mutex_);
  health_ = {};
  settle();
}

TargetState::View TargetState::view(Instant now) const {
  View view;
  view.in_flight = in_flight();
  view.checks = checks_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < kChanges; ++i) view.changes[i] = changes_[i].load(std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  view.breaker = breaker_.state(now);
  view.health = health_.state();
  view.ejected = ejection_.ejected(now);
  return view;
}

}  // namespace gatelab::upstream
