// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/tapped_connection.h"

#include <utility>

#include "base/arena.h"

namespace gatelab::harness {
namespace {

// The gateway has limits of its own; what it takes is taken here too.
constexpr http::Limits kLimits{1024 * 1024, 1024 * 1024, 10'000};

}  // namespace

void TappedConnection::requests(std::string_view octets, Instant now) {
  while (!octets.empty() && !over_) {
    if (!request_.decoder) {
      if (request_.head.empty()) began_ = now;
      if (!request_head(octets)) return;
    }
    if (!body(request_, octets)) return;
    end_body(request_, request_.of->request.body, true);
    request_.of->request_whole = true;
    request_.of = nullptr;
  }
}

bool TappedConnection::request_head(std::string_view& octets) {
  request_.head += octets;
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, kLimits);
  const http::ParseState state = parser.parse(request_.head);
  if (state == http::ParseState::NeedMore) {
    octets = {};
    return false;
  }
  over_ = state == http::ParseState::Failed;
  if (over_) return false;
  auto exchange = std::make_shared<TappedExchange>();
  exchange->began = exchange->ended = began_;
  exchange->request.method = head.method_text;
  exchange->request.target = head.target;
  exchange->request.version = head.version == http::Version::Http10 ? "1.0" : "1.1";
  for (const http::Field& f : head.fields) exchange->request.headers.emplace_back(f.name, f.value);
  // Octets behind the head are those at the end of what has just come.
  octets.remove_prefix(octets.size() - (request_.head.size() - parser.consumed()));
  request_.decoder.emplace(head.body, nullptr);
  request_.head.clear();
  request_.of = exchange;
  open_.push_back(exchange);
  unanswered_.push_back(std::move(exchange));
  return true;
}

void TappedConnection::answers(std::string_view octets, Instant now) {
  while (!octets.empty() && !over_) {
    if (!answer_.decoder && !answer_head(octets)) return;
    answer_.of->ended = now;
    if (!body(answer_, octets)) return;
    end_body(answer_, answer_.of->answer.body, true);
    answer_.of->answer_whole = true;
    over_ = answer_.of->answer.status == 101;
    answer_.of = nullptr;
  }
}

bool TappedConnection::answer_head(std::string_view& octets) {
  for (;;) {
    over_ = unanswered_.empty();
    if (over_) return false;
    answer_.head += octets;
    Arena arena;
    http::ResponseHead head(arena);
    const auto& asked = unanswered_.front();
    http::ResponseParser parser(head, http::method_of(asked->request.method), kLimits);
    const http::ParseState state = parser.parse(answer_.head);
    if (state == http::ParseState::NeedMore) {
      octets = {};
      return false;
    }
    over_ = state == http::ParseState::Failed;
    if (over_) return false;
    octets.remove_prefix(octets.size() - (answer_.head.size() - parser.consumed()));
    answer_.head.clear();
    if (head.status < 200 && head.status != 101) continue;  // another one follows
    asked->answer.status = head.status;
    for (const http::Field& f : head.fields) asked->answer.headers.emplace_back(f.name, f.value);
    answer_.decoder.emplace(head.status == 101 ? http::BodyFraming{} : head.body, nullptr);
    answer_.of = asked;
    unanswered_.pop_front();
    return true;
  }
}

void TappedConnection::answers_end(Instant now) {
  if (!answer_.decoder || !answer_.decoder->finish_at_close()) return;
  answer_.of->ended = now;
  end_body(answer_, answer_.of->answer.body, true);
  answer_.of->answer_whole = true;
  answer_.of = nullptr;
}

bool TappedConnection::body(Half& half, std::string_view& octets) {
  for (;;) {
    const http::BodyDecoder::Piece piece = half.decoder->next(octets);
    octets.remove_prefix(piece.consumed);
    switch (piece.state) {
      case http::BodyDecoder::State::Done: return true;
      case http::BodyDecoder::State::NeedMore: return false;
      case http::BodyDecoder::State::Failed: over_ = true; return false;
      case http::BodyDecoder::State::Data:
        half.size += piece.data.size();
        if (half.size <= max_body_) half.body += piece.data;
        else std::string().swap(half.body);
    }
  }
}

void TappedConnection::end_body(Half& half, RecordedBody& out, bool whole) {
  out.size = half.size;
  if (!whole) out.left_out = "cut-off";
  else if (half.size > max_body_) out.left_out = "too-large";
  else if (half.size > 0) out.octets = std::make_shared<const std::string>(std::move(half.body));
  half.body = {};
  half.size = 0;
  half.decoder.reset();
}

std::shared_ptr<TappedExchange> TappedConnection::take() {
  if (open_.empty()) return nullptr;
  auto out = std::move(open_.front());
  open_.pop_front();
  std::erase(unanswered_, out);
  // Whatever of it still comes is not of the next.
  if (request_.of == out && request_.size > 0) {
    out->request.body.size = request_.size;
    out->request.body.left_out = "cut-off";
  }
  if (answer_.of == out && answer_.size > 0) {
    out->answer.body.size = answer_.size;
    out->answer.body.left_out = "cut-off";
  }
  const bool goes_on = request_.of == out || answer_.of == out;
  if (!goes_on) return out;
  return std::make_shared<TappedExchange>(*out);
}

}  // namespace gatelab::harness
