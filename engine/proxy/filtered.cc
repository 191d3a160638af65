// SPDX-License-Identifier: Apache-2.0
// Bodies that a policy changes as they stream (policy/body_filter.h): what was read goes through the filter, and what comes out
// goes on, a buffer at a time, with the backpressure of whoever takes it. Without a filter none of this is called.
#include "proxy/filtered.h"

#include <utility>

#include "http/digest_fields.h"
#include "proxy/caching.h"

namespace gatelab::proxy {

using policy::Behind;

Exchange::~Exchange() {
  inbound_.on_cut(nullptr);
  if (caching_ != nullptr) std::destroy_at(caching_);
}

io::Code Exchange::filter_answer(std::string_view data, bool last, const http::Fields* trailers) noexcept {
  if (!answer_filtering_) answer_filtering_ = std::make_unique<Filtering>();
  Filtering& f = *answer_filtering_;
  f.rest = data;
  f.trailers = last && trailers != nullptr ? behind_changed(*trailers) : nullptr;
  // Nothing at all, and not the end: whoever writes is about to wait, and the client must not.
  f.behind = last ? Behind::End : data.empty() ? Behind::Wait : Behind::More;
  f.more = true;
  return pump_answer();
}

// WouldBlock: what has come out lies in the buffer and is being written.
io::Code Exchange::pump_answer() noexcept {
  Filtering& f = *answer_filtering_;
  io::Code code = io::Code::Ok;
  while (f.more && code == io::Code::Ok) {
    if (!f.room) f.room = services_.buffers.take(BufferPool::kBody);
    const policy::BodyFilter::Moved moved = input_.answer_body->move(f.rest, f.behind, {f.room.data(), f.room.size()});
    if (moved.failure != nullptr) {
      const policy::Policy& by = input_.answer_body->blamed();
      f.more = false;
      refuse_body(by, *moved.failure, arena_.copy(moved.detail));  // the filter goes
      aborted_.phase = observe::Phase::TransformResponse;
      return io::Code::Cancelled;
    }
    if (moved.observed != nullptr) note(*moved.observed_by, *moved.observed, observe::Outcome::Observe, arena_.copy(moved.detail));
    f.rest.remove_prefix(moved.taken);
    f.more = moved.more;
    f.octets += moved.made;
    const bool last = f.behind == Behind::End && !f.more;
    if (held_ != nullptr && !input_.answer_body->holds_head()) release_head();
    if (held_ != nullptr) continue;
    if (moved.made > 0 || last || f.behind == Behind::Wait) code = inbound_.write_body({f.room.data(), moved.made}, last, f.trailers);
  }
  if (code != io::Code::WouldBlock) f.room.release();  // a quiet answer holds no buffer
  return code;
}

void Exchange::release_head() noexcept {
  AnswerHead head = *std::exchange(held_, nullptr);
  if (const auto length = input_.answer_body->length()) head.framing = {http::Framing::Length, *length};
  committed_ = true;
  inbound_.write_head(head);
}

io::Task<io::Code> Exchange::answer_written() {
  io::Code code = io::Code::WouldBlock;
  while (code == io::Code::WouldBlock) {
    auto writing = inbound_.written();
    code = co_await writing;
    if (code == io::Code::Ok) code = pump_answer();
  }
  co_return code;
}

// What the policies want of the body is looked at as it was sent; what comes out of the filter is what goes up.
std::optional<BodyPiece> Exchange::filtered_piece() noexcept {
  if (!request_filtering_) request_filtering_ = std::make_unique<Filtering>();
  Filtering& f = *request_filtering_;
  for (;;) {
    if (!f.more) {
      const std::optional<BodyPiece> piece = unfiltered_piece();
      if (!piece) return std::nullopt;
      const BodyPiece& sent = *piece;
      if (sent.kind == BodyPiece::Kind::Again) {
        f.room.release();
        return sent;
      }
      f.rest = sent.data;
      f.behind = sent.kind == BodyPiece::Kind::Done ? Behind::End : Behind::More;
    }
    if (!f.room) f.room = services_.buffers.take(BufferPool::kBody);
    const policy::BodyFilter::Moved moved = input_.request_body->move(f.rest, f.behind, {f.room.data(), f.room.size()});
    if (moved.failure != nullptr) {
      refuse_body(input_.request_body->blamed(), *moved.failure, arena_.copy(moved.detail));
      return std::nullopt;
    }
    f.rest.remove_prefix(moved.taken);
    f.more = moved.more;
    const bool done = f.behind == Behind::End && !f.more;
    // Nothing may come out for long: whoever asks then lets others run.
    if (done || moved.made > 0 || !f.more) return BodyPiece{done ? BodyPiece::Kind::Done : BodyPiece::Kind::Data, {f.room.data(), moved.made}, http::Rule::Ok};
  }
}

// Behind a body that was changed stands no digest of the one that came.
const http::Fields* Exchange::behind_changed(const http::Fields& trailers) noexcept {
  http::Fields* const out = arena_.make<http::Fields>(arena_);
  for (const http::Field& f : trailers) out->add(f.id, f.name, f.value);
  http::drop_digests(*out);
  return out;
}

}  // namespace gatelab::proxy
