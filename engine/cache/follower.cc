// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "cache/fill_state.h"
#include "cache/store_shard.h"

namespace gatelab::cache {
namespace {

using News = Follower::News;

// Of one who has sent nothing yet; Nothing: that there is a head is all that there is to say.
News news_of_end(FillEnd end) noexcept {
  switch (end) {
    case FillEnd::Uncacheable: return News::Pass;
    case FillEnd::Validated: return News::Validated;
    case FillEnd::Again: return News::Again;
    case FillEnd::Open:
    case FillEnd::Complete: break;
  }
  return News::Nothing;
}

}  // namespace

Follower& Follower::operator=(Follower&& other) noexcept {
  if (this == &other) return *this;
  leave();
  state_ = std::move(other.state_);
  place_ = other.place_;
  return *this;
}

Follower::Event Follower::poll(const http::Fields& request, Arena& arena) noexcept {
  FillState& s = *state_;
  std::lock_guard lock(s.mutex);
  FillReader& me = *place_;
  if (me.leads) return {News::Lead};
  if (me.is_cut_off) return {me.has_head ? News::CutOff : News::Again};
  if (!me.has_head) {
    const News news = news_of_end(s.end);
    if (news == News::Validated) {
      if (is_for(*s.validated->head, request, arena)) return {news, *s.validated};
      return {News::Again};
    }
    if (news != News::Nothing) return {news};
    if (s.head != nullptr) {
      if (!is_for(*s.head, request, arena)) return {News::Again};
      me.has_head = true;
      return {News::Head, {s.head, nullptr, s.facts, 0}, {}, s.length};
    }
  } else if (me.next < s.first + s.chunks.size()) {
    Event out{News::Piece, {}, s.chunks[me.next - s.first]};
    ++me.next;
    s.trim();
    return out;
  } else if (s.end == FillEnd::Complete) {
    return {News::End};
  }
  me.is_armed = true;
  return {};
}

Fill Follower::take_lead() noexcept {
  std::shared_ptr<FillState> state = std::move(state_);
  std::lock_guard lock(state->mutex);
  state->readers.erase(place_);
  return Fill(state);
}

void Follower::leave() noexcept {
  if (state_ == nullptr) return;
  const std::shared_ptr<FillState> state = std::move(state_);
  bool leads = false;
  {
    std::lock_guard lock(state->mutex);
    leads = place_->leads;
    state->readers.erase(place_);
    state->trim();
  }
  if (leads) state->store.hand_on(*state);
}

}  // namespace gatelab::cache
