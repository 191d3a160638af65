// SPDX-License-Identifier: Apache-2.0
// A request's body that a policy wants to see before any of it goes up: read into memory, as far as the policy says.
#include <algorithm>
#include <utility>

#include "proxy/exchange.h"
#include "proxy/filtered.h"

namespace gatelab::proxy {
namespace {

constexpr std::size_t kFairOctets = 256 * 1024;
// A client that only says that much will come takes no memory.
constexpr std::uint64_t kMostReserved = 64 * 1024;

}  // namespace

BodyPiece Exchange::give_whole() noexcept {
  whole_given_ = true;
  return {whole_->complete ? BodyPiece::Kind::Done : BodyPiece::Kind::Data, whole_->octets, http::Rule::Ok};
}

// What another policy has read already comes first. False: the exchange is over, and abort() has been told why.
io::Task<bool> Exchange::perform_read(std::uint64_t at_most) {
  if (whole_ && whole_->complete && !input_.request_body) co_return true;
  auto read = std::make_unique<policy::WholeBody>();
  if (head_.body.kind == http::Framing::Length) read->octets.reserve(static_cast<std::size_t>(std::min({head_.body.length, at_most, kMostReserved})));
  whole_given_ = false;
  std::size_t since_yield = 0;
  while (!read->complete && read->octets.size() <= at_most) {
    const std::optional<BodyPiece> piece = next_piece();
    if (!piece) co_return false;
    if (piece->kind == BodyPiece::Kind::Again) {
      auto waiting = until_more_body();
      const bool goes_on = co_await waiting;
      if (!goes_on) co_return false;
      continue;
    }
    read->octets += piece->data;
    read->complete = piece->kind == BodyPiece::Kind::Done;
    since_yield += piece->data.size();
    if (since_yield >= kFairOctets) {
      since_yield = 0;
      co_await io::yield(services_.loop);
    }
  }
  head_.expect_continue = false;
  if (whole_ && request_filtering_ && !request_filtering_->rest.empty()) whole_before_.push_back(std::move(whole_));
  whole_ = std::move(read);
  whole_given_ = false;
  input_.body = whole_.get();
  whole_behind_filter_ = !whole_->complete && input_.request_body != nullptr;
  if (whole_->complete) {
    body_changed_ = body_changed_ || input_.request_body != nullptr;
    input_.request_body = nullptr;
    request_filtering_ = nullptr;
  }
  co_return true;
}

io::Task<bool> Exchange::until_more_body() {
  io::Wait wait;
  wait.deadline = inbound_.body_deadline();
  wait.cancel = &upstream_token_;
  wait.what = "a request's body, for a policy";
  // No target will say it: none is asked yet (RFC 9110 §10.1.1).
  if (std::exchange(head_.expect_continue, false)) {
    const http::Fields none(arena_);
    auto saying = inbound_.write_interim(100, none);
    const io::Code said = co_await saying;
    if (client_failed(said)) co_return false;
  }
  auto waiting = inbound_.body_ready(wait);
  const io::Code code = co_await waiting;
  if (code == io::Code::TimedOut) abort(refusal_of(observe::reason::kBodyTimeout));
  else if (code != io::Code::Ok && code != io::Code::Cancelled) abort(refusal_of(observe::reason::kClientGone));
  co_return code == io::Code::Ok;
}

}  // namespace gatelab::proxy
