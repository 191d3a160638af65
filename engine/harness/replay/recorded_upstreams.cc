// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/recorded_upstreams.h"

#include <algorithm>

#include "harness/match/json_text.h"
#include "harness/replay/request.h"

namespace gatelab::harness {
namespace {

constexpr Duration kNever = std::chrono::hours(24);

Reply reply_of(const RecordedAttempt& attempt, double speed) {
  Reply reply = reply_of(attempt.answer);
  if (speed > 0) reply.delay = Duration{static_cast<std::int64_t>(static_cast<double>(std::max<std::int64_t>(attempt.took.count(), 0)) / speed)};
  if (attempt.answer.status == 0) {
    // It never answered, or the connection broke.
    if (attempt.reason.find("timeout") != std::string::npos) reply.delay = kNever;
    reply.raw = "";
    reply.headers.clear();
    reply.close = true;
    return reply;
  }
  return reply;
}

bool same_body(const std::string& recorded, const std::string& now) {
  if (recorded == now) return true;
  const auto a = parse_json_text(recorded), b = parse_json_text(now);
  return a.is_structured() && b.is_structured() && a == b;
}

}  // namespace

Reply reply_of(const RecordedAnswer& answer) {
  Reply reply;
  if (answer.status != 0) reply.status = answer.status;
  for (const auto& header : answer.headers)
    if (!is_of_connection(header.first)) reply.headers.push_back(header);
  if (answer.body.octets) reply.body = *answer.body.octets;
  return reply;
}

void RecordedUpstreams::add(const Replay& replay) {
  std::set<const RecordedExchange*> first;
  for (const RecordedExchange* e : selected(replay)) {
    first.insert(e);
    add(*e, replay);
  }
  for (const RecordedExchange& e : replay.recording->exchanges)
    if (first.count(&e) == 0) add(e, replay);
}

void RecordedUpstreams::add(const RecordedExchange& exchange, const Replay& replay) {
  std::vector<bool> ignored;
  for (const RecordedAttempt& attempt : exchange.attempts) {
    RecordedRequest request = attempt.request;
    put_back(request, replay.secrets, ignored);
    const std::string upstream = known_.count(attempt.upstream) > 0 ? attempt.upstream : "";
    auto& line = lines_[upstream + "\n" + request.method + " " + request.target];
    if (!line) {
      line = std::make_unique<Line>();
      const std::size_t mark = request.target.find('?');
      line->method = request.method;
      line->path = request.target.substr(0, mark);
      line->has_query = true;  // even if it is empty: a query that was not there then is another request
      if (mark != std::string::npos) line->query = request.target.substr(mark + 1);
      line->upstream = upstream;
      line->span = exchange.span;
      order_.push_back(line.get());
    }
    Answer answer;
    const RecordedBody& body = attempt.answer.body;
    if (attempt.answer.status == 0 || body.octets || body.size == 0 || request.method == "HEAD") answer.reply = std::make_shared<const Reply>(reply_of(attempt, replay.speed));
    answer.body = request.body.octets;
    answer.body_known = request.body.octets != nullptr || request.body.size == 0;
    answer.place = diag::place(exchange.span);
    line->answers.push_back(std::move(answer));
  }
}

std::vector<Stub> RecordedUpstreams::stubs(const std::string& upstream) {
  std::vector<Stub> out;
  for (Line* line : order_) {
    if (!line->upstream.empty() && line->upstream != upstream) continue;
    Stub stub;
    stub.recorded = true;
    stub.when.method = line->method;
    stub.when.path = line->path;
    stub.when.query = line->query;
    stub.when.has_query = line->has_query;
    stub.span = line->span;
    stub.reply.make = [this, line](const SeenRequest& request) { return answer(*line, request); };
    out.push_back(std::move(stub));
  }
  return out;
}

std::shared_ptr<const Reply> RecordedUpstreams::answer(Line& line, const SeenRequest& request) {
  static const std::string nothing;
  bool left = false;
  for (Answer& answer : line.answers) {
    if (answer.used) continue;
    left = true;
    if (answer.body_known && !same_body(answer.body ? *answer.body : nothing, request.body)) continue;
    answer.used = true;
    if (!answer.reply) return missed(request, "the body that was answered is not in the recording (" + answer.place + ")");
    return answer.reply;
  }
  const std::size_t n = line.answers.size();
  const std::string all = n == 1 ? "the one recorded answer is given: it is called again" : "all " + std::to_string(n) + " recorded answers are given: it is called more often";
  return missed(request, left ? "the body is another than in " + line.answers.front().place : all);
}

std::shared_ptr<const Reply> RecordedUpstreams::missed(const SeenRequest& request, const std::string& why) {
  const std::string what = request.method + " " + shown_target(request.path + (request.query.empty() ? "" : "?" + request.query)) + " to `" + request.upstream + "`: " + why;
  {
    const std::lock_guard lock(mutex_);
    misses_.push_back(what);
  }
  auto reply = std::make_shared<Reply>();
  reply->status = 404;
  reply->headers.emplace_back("Content-Type", "application/problem+json");
  reply->body = nlohmann::ordered_json{{"status", 404}, {"title", "Nothing recorded answers this request"}, {"reason", "unmatched-stub"}, {"detail", why}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return reply;
}

std::vector<std::string> RecordedUpstreams::take_misses() {
  const std::lock_guard lock(mutex_);
  return std::exchange(misses_, {});
}

}  // namespace gatelab::harness
