// SPDX-License-Identifier: Apache-2.0
// The octets of one HTTP/1 connection, both ways, as requests with their answers. No sockets; one thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "harness/replay/recording.h"
#include "http/parser.h"

namespace gatelab::harness {

// One request and what was answered, as far as it has come.
struct TappedExchange {
  RecordedRequest request;
  RecordedAnswer answer;
  Instant began, ended;       // io_now: of the request's first octet, of the answer's last so far
  bool request_whole = false, answer_whole = false;
};

class TappedConnection {
 public:
  // Octets of a body beyond that are counted, not kept.
  explicit TappedConnection(std::size_t max_body) : max_body_(max_body) {}

  void requests(std::string_view octets, Instant now);
  void answers(std::string_view octets, Instant now);
  // Whoever answers has closed: what has no other end is over.
  void answers_end(Instant now);

  // The oldest exchange, and it is forgotten here; null: there is none, or its request was none.
  std::shared_ptr<TappedExchange> take();
  bool front_is_whole() const noexcept { return !open_.empty() && open_.front()->request_whole && open_.front()->answer_whole; }

 private:
  // One direction: a head, then a body.
  struct Half {
    std::string head;                          // until it is whole
    std::optional<http::BodyDecoder> decoder;  // from then on
    std::shared_ptr<TappedExchange> of;
    std::string body;
    std::uint64_t size = 0;
  };
  bool request_head(std::string_view& octets);
  bool answer_head(std::string_view& octets);
  // True when the body is over.
  bool body(Half& half, std::string_view& octets);
  void end_body(Half& half, RecordedBody& out, bool whole);

  std::size_t max_body_;
  Half request_, answer_;
  Instant began_;
  std::deque<std::shared_ptr<TappedExchange>> open_, unanswered_;
  bool over_ = false;  // no messages any more, or none that can be read
};

}  // namespace gatelab::harness
