// SPDX-License-Identifier: Apache-2.0
#include "upstream/check.h"

#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "http/parser.h"

namespace gatelab::upstream {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;
constexpr http::Limits kHeadLimits{16 * 1024, 0, 128};

std::string request_of(const balance::HealthRules& rules, const Target& target) {
  const std::string& host = rules.host.empty() ? target.authority().empty() ? target.name() : target.authority() : rules.host;
  std::string out = rules.method + " " + rules.path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: ";
  return out.append(kCheckAgent).append("\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

struct Answer {
  std::uint16_t status = 0;
  std::string body;
  std::string_view failure;  // a reason's word
};

// Reads until `transport` has given the head, and of the body what rules want to look into.
io::Task<void> read_answer(io::Transport& transport, const balance::HealthRules& rules, io::Wait wait, Answer& answer) {
  Arena arena;
  http::ResponseHead head(arena);
  http::ResponseParser parser(head, rules.method == "HEAD" ? http::Method::Head : http::Method::Get, kHeadLimits);
  std::optional<http::BodyDecoder> decoder;
  std::vector<char> block(kMaxBody);
  std::size_t used = 0, filled = 0;
  for (;;) {
    bool more = true;
    while (more && !decoder) {
      const http::ParseState state = parser.parse({block.data() + used, filled - used});
      if (state == http::ParseState::Failed) answer.failure = observe::reason::kUpstreamMalformed.word;
      if (state == http::ParseState::Failed) co_return;
      if (state == http::ParseState::NeedMore) break;
      used += parser.consumed();
      if (head.status < 200) {
        std::construct_at(&head, arena);
        std::construct_at(&parser, head, http::Method::Get, kHeadLimits);
        continue;
      }
      answer.status = head.status;
      if (rules.body.empty() || head.body.kind == http::Framing::None) co_return;
      decoder.emplace(head.body, nullptr);
      more = false;
    }
    while (decoder) {
      const http::BodyDecoder::Piece piece = decoder->next({block.data() + used, filled - used});
      used += piece.consumed;
      answer.body += piece.data;
      if (piece.state == http::BodyDecoder::State::Done || answer.body.size() >= kMaxBody) co_return;
      if (piece.state == http::BodyDecoder::State::Failed) answer.failure = observe::reason::kUpstreamMalformed.word;
      if (piece.state == http::BodyDecoder::State::Failed) co_return;
      if (piece.state == http::BodyDecoder::State::NeedMore) break;
    }
    if (used == filled || decoder) used = filled = 0;
    if (filled == block.size()) answer.failure = observe::reason::kUpstreamMalformed.word;
    if (filled == block.size()) co_return;
    const io::Count read = transport.try_read({block.data() + filled, block.size() - filled});
    if (read.code == io::Code::Ok) {
      filled += read.octets;
      continue;
    }
    if (read.code == io::Code::Eof && decoder && decoder->finish_at_close()) co_return;
    if (read.code != io::Code::WouldBlock) answer.failure = observe::reason::kUpstreamReset.word;
    if (read.code != io::Code::WouldBlock) co_return;
    const io::Code ready = co_await transport.readable(wait);
    if (ready == io::Code::TimedOut) answer.failure = observe::reason::kResponseTimeout.word;
    if (ready != io::Code::Ok && answer.failure.empty()) answer.failure = observe::reason::kShutdown.word;
    if (ready != io::Code::Ok) co_return;
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
  Answer answer;
  if (written == io::Code::Ok) {
    io::Task<void> reading = read_answer(*opened.transport, rules, wait, answer);
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
