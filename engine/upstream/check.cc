// SPDX-License-Identifier: Apache-2.0
#include "upstream/check.h"

#include <array>
#include <string>
#include <utility>

#include "base/arena.h"
#include "http/parser.h"

namespace gatelab::upstream {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::size_t kMaxHead = 16 * 1024, kBlock = 4096;
constexpr http::Limits kHeadLimits{kMaxHead, 0, 128};

std::string request_of(const balance::HealthRules& rules, const Target& target) {
  const std::string& host = rules.host.empty() ? target.authority().empty() ? target.name() : target.authority() : rules.host;
  std::string out = rules.method + " " + rules.path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: ";
  return out.append(kCheckAgent).append("\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

// What a check wants to see of an answer: its status, and the beginning of its body where that is looked into.
class Answer {
 public:
  explicit Answer(const balance::HealthRules& rules) : rules_(rules), parser_(head_, rules.method == "HEAD" ? http::Method::Head : http::Method::Get, kHeadLimits) {
    unread_.reserve(kMaxHead + kBlock);  // a head has to stay where it is while it is read
  }

  // True: enough was seen, or `failure` says what is wrong.
  bool add(std::string_view octets) {
    unread_ += octets;
    if (!decoder_ && !add_head()) return !failure.empty();
    return add_body();
  }
  // The target has said its last.
  void end() {
    if (!(decoder_ && decoder_->finish_at_close())) failure = observe::reason::kUpstreamReset.word;
  }

  std::uint16_t status = 0;
  std::string body;
  std::string_view failure;  // a reason's word

 private:
  // False: it is not whole yet, or broken.
  bool add_head() {
    for (;;) {
      const http::ParseState state = parser_.parse(unread_);
      if (state == http::ParseState::Failed || (state == http::ParseState::NeedMore && unread_.size() > kMaxHead)) failure = observe::reason::kUpstreamMalformed.word;
      if (state != http::ParseState::Done) return false;
      unread_.erase(0, parser_.consumed());
      if (head_.status >= 200) break;
      std::construct_at(&head_, arena_);
      std::construct_at(&parser_, head_, http::Method::Get, kHeadLimits);
    }
    status = head_.status;
    decoder_.emplace(head_.body, nullptr);
    return true;
  }
  bool add_body() {
    if (rules_.body.empty() || head_.body.kind == http::Framing::None) return true;
    for (;;) {
      const http::BodyDecoder::Piece piece = decoder_->next(unread_);
      body += piece.data;
      unread_.erase(0, piece.consumed);
      if (piece.state == http::BodyDecoder::State::Failed) failure = observe::reason::kUpstreamMalformed.word;
      if (piece.state == http::BodyDecoder::State::NeedMore && body.size() < kMaxBody) return false;
      if (piece.state != http::BodyDecoder::State::Data || body.size() >= kMaxBody) return true;
    }
  }

  const balance::HealthRules& rules_;
  Arena arena_;
  http::ResponseHead head_{arena_};
  http::ResponseParser parser_;
  std::optional<http::BodyDecoder> decoder_;
  std::string unread_;
};

io::Task<void> read_answer(io::Transport& transport, io::Wait wait, Answer& answer) {
  std::array<char, kBlock> block;
  for (;;) {
    const io::Count read = transport.try_read(block);
    if (read.code == io::Code::Ok) {
      if (answer.add({block.data(), read.octets})) co_return;
    } else if (read.code != io::Code::WouldBlock) {
      co_return answer.end();
    } else {
      const io::Code ready = co_await transport.readable(wait);
      if (ready != io::Code::Ok) {
        answer.failure = ready == io::Code::TimedOut ? observe::reason::kResponseTimeout.word : observe::reason::kShutdown.word;
        co_return;
      }
    }
  }
}

}  // namespace

io::Task<std::string> check_once(CheckWorld world, const Config& config, Target& target, io::Wait wait) {
  const balance::HealthRules& rules = *config.health;
  io::Task<Opened> opening = target.open(world.loop, world.network, world.resolver, wait);
  Opened opened = co_await opening;
  if (!opened.transport) co_return std::string(opened.failure->word);
  if (rules.tcp) {
    opened.transport->close();
    co_return std::string();
  }
  const std::string request = request_of(rules, target);
  io::Task<io::Code> writing = io::write_all(*opened.transport, request, wait);
  const io::Code written = co_await writing;
  Answer answer(rules);
  if (written == io::Code::Ok) {
    io::Task<void> reading = read_answer(*opened.transport, wait, answer);
    co_await reading;
  } else {
    answer.failure = written == io::Code::TimedOut ? observe::reason::kResponseTimeout.word : observe::reason::kUpstreamReset.word;
  }
  opened.transport->close();
  if (!answer.failure.empty()) co_return std::string(answer.failure);
  if (!rules.status.has(answer.status)) co_return "status " + std::to_string(answer.status);
  if (!rules.body.empty() && answer.body.find(rules.body) == std::string::npos) co_return std::string("body");
  co_return std::string();
}

io::Task<void> keep_checking(CheckWorld world, const Config& config, Target& target, std::shared_ptr<io::CancelToken> cancel, Dice dice, [[maybe_unused]] std::shared_ptr<void> keep) {
  const balance::HealthRules& rules = *config.health;
  while (!cancel->cancelled()) {
    io::Wait wait;
    wait.cancel = cancel.get();
    wait.background = true;
    wait.what = "health check of a target";
    wait.deadline = world.loop.now() + rules.timeout;
    io::Task<std::string> checking = check_once(world, config, target, wait);
    const std::string why = co_await checking;
    if (cancel->cancelled()) break;
    target.state()->checked(rules, why.empty(), why, world.loop.clock().policy_now());
    wait.deadline = world.loop.now() + balance::next_check(rules, dice);
    wait.what = "next health check";
    co_await io::sleep_until(world.loop, wait);
  }
}

}  // namespace gatelab::upstream
