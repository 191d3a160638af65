// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/stream_steps.h"

#include <algorithm>

namespace gatelab::harness {
namespace {

constexpr Duration kRealPatience = std::chrono::seconds(5);
constexpr std::array<char, 4> kMask{0x1f, 0x2e, 0x3d, 0x4c};

}  // namespace

void StreamSteps::fail(const diag::Span& span, std::string message, const Step& step, std::string hint) {
  result_.failures.push_back({span, std::move(message), step.name, {}, std::move(hint)});
}

std::size_t StreamSteps::open_ones() const {
  return static_cast<std::size_t>(std::count_if(streams_.begin(), streams_.end(), [](const auto& s) { return !s.second->look().ended; }));
}

std::shared_ptr<OpenStream> StreamSteps::find(const Step& step, const std::string& name) {
  const auto known = streams_.find(name);
  if (known != streams_.end()) return known->second;
  fail(step.span, "no connection is called `" + name + "`", step, "open it first: send: GET /path with websocket: " + name + " or stream: " + name);
  return nullptr;
}

void StreamSteps::open(const Step& step, Dial dial, std::string octets) {
  const auto stream = std::make_shared<OpenStream>(driver_.environment().network, scope_, step.send.stream.kind == StreamUse::Kind::Websocket);
  streams_[step.send.stream.name] = stream;
  const std::size_t first_seen = mocks_.seen_count();
  driver_.on(driver_.outside(), [this, stream, dial = std::move(dial), octets = std::move(octets)] { scope_.spawn(OpenStream::run(stream, dial, octets)); });
  const std::string problem = driver_.run_until([stream] {
    const OpenStream::State now = stream->look();
    // An answer that is no 101 is waited for as a whole, like any other.
    return now.ended || (now.head && (!stream->websocket || now.answer.status == 101));
  }, step.send.timeout.value_or(driver_.simulated() ? kPatience : kSocketPatience));
  if (!problem.empty()) return fail(step.span, problem, step);
  await(step, *stream);
  judge(step, *stream, first_seen);
}

void StreamSteps::message(const Step& step) {
  const auto stream = find(step, step.send.stream.name);
  if (!stream) return;
  if (!stream->websocket || stream->look().answer.status != 101) return fail(step.span, "`" + step.send.stream.name + "` is no WebSocket", step);
  if (stream->look().ended) return fail(step.span, "`" + step.send.stream.name + "` has ended", step);
  const std::size_t first_seen = mocks_.seen_count();
  const bool close = step.send.message->opcode == http::websocket::Opcode::Close;
  driver_.on(driver_.outside(), [stream, close, octets = frames_of(*step.send.message, kMask)] { OpenStream::write(stream, octets, close); });
  await(step, *stream);
  if (step.expect) judge(step, *stream, first_seen);
}

void StreamSteps::receive(const Step& step) {
  const auto stream = find(step, step.stream);
  if (!stream) return;
  await(step, *stream);
  judge(step, *stream, mocks_.seen_count());
}

void StreamSteps::drop(const Step& step) {
  const auto stream = find(step, step.stream);
  if (!stream) return;
  driver_.on(driver_.outside(), [stream] { stream->drop(); });
  await(step, *stream);
  if (step.expect) judge(step, *stream, mocks_.seen_count());
}

// In virtual time: all that can happen at this instant. On sockets: until as much has come as is expected.
void StreamSteps::await(const Step& step, OpenStream& stream) {
  if (driver_.simulated()) {
    driver_.run_until([] { return false; }, Duration{});
    return;
  }
  const auto enough = [this, &step, &stream] {
    if (!step.expect) return true;
    const OpenStream::State now = stream.look();
    const Expect& e = *step.expect;
    if (e.messages && now.messages.size() - stream.seen_messages < e.messages->size() && !now.ended) return false;
    if (e.body && e.body->match(nlohmann::json(now.answer.body.substr(stream.seen_body)))) return now.ended;
    if ((!e.error.empty() || e.closed.value_or(false)) && !now.ended) return false;
    if (e.upstream && e.upstream->messages && mocks_.messages().size() - stream.seen_upstream < e.upstream->messages->size()) return false;
    observe::OwnedRecord record;
    std::string line;
    return (e.ended.empty() && e.log.empty()) || find_(now.answer.request_id, record, line);
  };
  driver_.run_until(enough, kRealPatience);
}

void StreamSteps::judge(const Step& step, OpenStream& stream, std::size_t first_seen) {
  const OpenStream::State state = stream.look();
  Observation seen;
  seen.answer = state.answer;
  seen.answer.body = state.answer.body.substr(stream.seen_body);
  seen.answer.closed = state.ended;
  // How it ended is told by the first look at it.
  if (stream.seen_end) seen.answer.error.clear();
  observe::OwnedRecord record;
  std::string line;
  if (find_(state.answer.request_id, record, line)) {
    seen.record = &record;
    seen.log_line = &line;
  }
  const std::vector<SeenRequest> all = mocks_.seen();
  for (std::size_t i = first_seen; i < all.size(); ++i) {
    seen.upstream.push_back(&all[i]);
    if (!all[i].matched) fail(step.span, "no stub of `" + all[i].upstream + "` answers " + all[i].method + " " + all[i].path, step, all[i].near_miss);
  }
  if (step.expect) {
    Expect expect = *step.expect;
    judge_messages(step, stream, state);
    if (step.send.message || step.verb != Step::Verb::Send || (expect.upstream && expect.upstream->messages)) {
      judge_upstream(step, stream, state);
      expect.upstream.reset();
    }
    check_answer(expect, seen, step.name, result_);
  } else if (!seen.answer.error.empty()) {
    fail(step.span, "the request ended with: " + seen.answer.error, step);
  }
  stream.seen_end = state.ended;
  if (!step.expect) return;
  // What no step has looked at is still to be looked at.
  if (step.expect->messages) stream.seen_messages = state.messages.size();
  if (step.expect->body || !step.expect->json.lines.empty()) stream.seen_body = state.answer.body.size();
  if (step.expect->upstream) stream.seen_upstream = mocks_.messages().size();
}

void StreamSteps::judge_messages(const Step& step, OpenStream& stream, const OpenStream::State& state) {
  if (!step.expect->messages) return;
  if (!stream.websocket) return fail(step.expect->messages_span, "this connection is no WebSocket: it has no messages", step);
  const std::vector<http::websocket::Message> got(state.messages.begin() + static_cast<std::ptrdiff_t>(stream.seen_messages), state.messages.end());
  compare(*step.expect->messages, got, step.expect->messages_span, step);
}

// What reached the mock over this connection since a step looked.
void StreamSteps::judge_upstream(const Step& step, OpenStream& stream, const OpenStream::State& state) {
  if (!step.expect->upstream) return;
  const UpstreamExpectation& expected = *step.expect->upstream;
  std::vector<http::websocket::Message> got;
  const std::vector<SeenMessage> all = mocks_.messages();
  for (std::size_t i = stream.seen_upstream; i < all.size(); ++i)
    if (all[i].request_id == state.answer.request_id || state.answer.request_id.empty()) got.push_back(all[i].message);
  if (expected.messages) return compare(*expected.messages, got, expected.span, step);
  ++result_.expectations;
  if (!expected.none) return fail(expected.span, "on a connection that is open, `upstream` is none or { messages: [ … ] }", step);
  if (!got.empty()) fail(expected.span, "got a message: " + shown(got.front()) + " reached the upstream", step);
}

void StreamSteps::compare(const std::vector<MessageMatcher>& expected, const std::vector<http::websocket::Message>& got, const diag::Span& span, const Step& step) {
  result_.expectations += std::max<std::size_t>(1, expected.size());
  for (std::size_t i = 0; i < std::min(expected.size(), got.size()); ++i)
    if (const auto bad = match_message(expected[i], got[i])) return fail(bad->span, bad->got, step);
  if (got.size() > expected.size()) return fail(span, "got another message: " + shown(got[expected.size()]), step);
  if (got.size() < expected.size()) fail(expected[got.size()].span, "got no such message: " + std::to_string(got.size()) + " of " + std::to_string(expected.size()) + " came", step);
}

}  // namespace gatelab::harness
