// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include <cassert>

namespace gatelab::io {

CancelToken::~CancelToken() { assert(first_ == nullptr && "a wait outlives its token"); }

void CancelToken::cancel() noexcept {
  cancelled_ = true;
  while (first_ != nullptr) first_->complete(Code::Cancelled);
}

Waiter::~Waiter() {
  if (pending_) detach();
}

void Waiter::arm(std::coroutine_handle<> who) noexcept {
  who_ = who;
  pending_ = true;
  loop_.add_timer(*this);
  CancelToken* token = wait_.cancel;
  if (token == nullptr) return;
  if (token->cancelled_) return complete(Code::Cancelled);
  cancel_next_ = token->first_;
  cancel_prev_ = &token->first_;
  if (cancel_next_ != nullptr) cancel_next_->cancel_prev_ = &cancel_next_;
  token->first_ = this;
}

void Waiter::ready_at(Instant t) noexcept {
  if (!pending_ || t >= wait_.deadline) return;
  if (timed) loop_.remove_timer(*this);
  wait_.deadline = t;
  ready_in_time_ = true;
  loop_.add_timer(*this);
}

void Waiter::complete(Code code) noexcept {
  if (!pending_) return;
  code_ = ready_in_time_ && code == Code::TimedOut ? Code::Ok : code;
  detach();
  loop_.post(who_);
}

std::coroutine_handle<> Waiter::complete_inline(Code code) noexcept {
  if (!pending_) return std::noop_coroutine();
  code_ = code;
  detach();
  return who_;
}

void Waiter::detach() noexcept {
  pending_ = false;
  if (timed) loop_.remove_timer(*this);
  if (cancel_prev_ != nullptr) {
    *cancel_prev_ = cancel_next_;
    if (cancel_next_ != nullptr) cancel_next_->cancel_prev_ = cancel_prev_;
    cancel_prev_ = nullptr;
  }
  if (slot != nullptr) {
    *slot = nullptr;
    slot = nullptr;
  }
}

void Signal::Awaiter::await_suspend(std::coroutine_handle<> h) noexcept {
  waiter_.arm(h);
  if (!waiter_.pending()) return;
  assert(signal_.waiter_ == nullptr && "a signal has one waiter");
  signal_.waiter_ = &waiter_;
  waiter_.slot = &signal_.waiter_;
}

}  // namespace gatelab::io
