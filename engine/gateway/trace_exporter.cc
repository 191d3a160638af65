// SPDX-License-Identifier: Apache-2.0
#include "gateway/trace_exporter.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/date.h"
#include "observe/trace.h"
#include "proxy/call.h"

namespace gatelab::gateway {
namespace {

using Result = SpanQueue::Result;

constexpr Duration kFirstPause = std::chrono::seconds(1), kLongestPause = std::chrono::seconds(30);
constexpr Duration kLongestAsked = std::chrono::minutes(5);  // a collector may ask for more, and is asked sooner
constexpr std::size_t kMaxAnswer = 64 * 1024;

Duration pause_of(std::string_view retry_after, Instant now) noexcept {
  std::uint64_t seconds = 0;
  if (retry_after.empty()) return {};
  if (parse_decimal(retry_after, seconds)) return std::min<Duration>(kLongestAsked, std::chrono::seconds(std::min<std::uint64_t>(seconds, 3600)));
  const auto until = http::parse_date(retry_after, now);
  return until && *until > now ? std::min(kLongestAsked, *until - now) : Duration{};
}

}  // namespace

std::size_t rejected_spans(std::string_view json) noexcept {
  constexpr std::string_view kKey = "\"rejectedSpans\"";
  const std::size_t at = json.find(kKey);
  if (at == std::string_view::npos) return 0;
  const std::size_t digit = json.find_first_not_of(" \t\r\n:\"", at + kKey.size());
  if (digit == std::string_view::npos) return 0;
  std::uint64_t n = 0;
  const std::size_t end = json.find_first_not_of("0123456789", digit);
  return parse_decimal(json.substr(digit, end == std::string_view::npos ? end : end - digit), n) ? static_cast<std::size_t>(n) : 0;
}

void TraceExporter::adopt(const std::optional<TraceConfig>& config) {
  config_ = config && config->otlp ? config : std::nullopt;
  if (config_) queue_.bound(config_->otlp->queue, config_->otlp->batch);
  if (config_ && !std::exchange(running_, true)) scope_.spawn(run());
  woken_.signal();
}

io::Wait TraceExporter::idle(std::string_view what) noexcept {
  io::Wait wait;
  wait.cancel = &scope_.token();
  wait.what = what;
  wait.background = true;
  return wait;
}

io::Task<void> TraceExporter::run() {
  while (!scope_.token().cancelled()) {
    if (queue_.waiting() == 0 && finishing_) co_return;
    if (queue_.waiting() == 0) {
      co_await woken_.wait(services_.loop, idle("spans to export"));
      continue;
    }
    io::Task<void> gathering = gather();
    co_await gathering;
    while (!scope_.token().cancelled() && queue_.take(batch_)) {
      io::Task<void> sending = send();
      co_await sending;
    }
  }
}

// A request for each span would be more work than the spans are worth.
io::Task<void> TraceExporter::gather() {
  io::Wait wait = idle("the interval between exports");
  wait.deadline = services_.loop.now() + (config_ ? config_->otlp->interval : Duration{});
  io::Code code = io::Code::Ok;
  while (code == io::Code::Ok && !finishing_ && config_ && !queue_.has_batch()) code = co_await woken_.wait(services_.loop, wait);
}

io::Task<void> TraceExporter::send() {
  const Instant began = services_.loop.now();
  Duration backoff = kFirstPause;
  for (;;) {
    Answer answer = Answer::Later;
    rejected_ = 0;
    if (config_) {
      io::Task<Answer> posting = post();
      answer = co_await posting;
    }
    if (answer == Answer::Taken) {
      const std::size_t rejected = std::min(rejected_, batch_.spans);
      queue_.count(Result::Exported, batch_.spans - rejected);
      co_return queue_.count(Result::Rejected, rejected);
    }
    if (answer == Answer::Never) co_return queue_.count(Result::Refused, batch_.spans);
    // Between half of it and all of it, so that many gateways do not come back at once.
    const Duration next = std::max(asked_pause_, backoff / 2 + Duration(static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(backoff.count() / 2)))));
    const bool too_late = !config_ || services_.loop.now() + next > began + config_->otlp->retry_for;
    if (too_late || finishing_ || scope_.token().cancelled()) co_return queue_.count(Result::Unavailable, batch_.spans);
    io::Task<void> pausing = pause(next);
    co_await pausing;
    backoff = std::min(kLongestPause, backoff * 2);
  }
}

io::Task<void> TraceExporter::pause(Duration how_long) {
  io::Wait wait = idle("a pause before spans are exported again");
  wait.deadline = services_.loop.now() + how_long;
  io::Code code = io::Code::Ok;
  while (code == io::Code::Ok && !finishing_ && config_) code = co_await woken_.wait(services_.loop, wait);
}

io::Task<TraceExporter::Answer> TraceExporter::post() {
  std::unique_ptr<Arena> arena = services_.take_arena();
  Answer answer = Answer::Later;
  {
    const TraceConfig::Otlp& otlp = *config_->otlp;
    http::Fields fields(*arena);
    fields.add("Content-Type", "application/json");
    for (const auto& [name, value] : otlp.headers) fields.add(arena->copy(name), arena->copy(value.reveal()));
    body_ = observe::otlp_head(config_->service);
    body_.append(batch_.json).append(observe::kOtlpTail);
    proxy::CallRequest request;
    request.upstream = otlp.upstream;
    request.method = "POST";
    const std::size_t mark = std::min(otlp.target.find('?'), otlp.target.size());
    request.path = arena->copy(std::string_view(otlp.target).substr(0, mark));
    if (mark < otlp.target.size()) request.query = arena->copy(std::string_view(otlp.target).substr(mark + 1));
    request.fields = &fields;
    request.body = body_;
    request.max_octets = kMaxAnswer;
    request.route = "(trace)";
    request.deadline = services_.loop.now() + otlp.timeout;
    policy::CallAnswer got(*arena);
    auto calling = proxy::call(services_, services_.snapshot, request, scope_.token(), got, *arena);
    co_await calling;
    const http::Field* later = got.fields.find("Retry-After");
    answer = judge(!got.failure.empty(), got.failure, got.status, later == nullptr ? std::string_view() : later->value, got.body);
  }
  services_.give_arena(std::move(arena));
  co_return answer;
}

// OTLP 1.x, "Failures" and "Throttling": these statuses come back, others stay as they are.
TraceExporter::Answer TraceExporter::judge(bool failed, std::string_view failure, std::uint16_t status, std::string_view retry_after, std::string_view body) noexcept {
  asked_pause_ = {};
  // Nobody stands in for it in this scenario, and nobody will.
  if (failed) return failure == observe::reason::kUnmocked.word ? Answer::Never : Answer::Later;
  if (status >= 200 && status < 300) {
    rejected_ = rejected_spans(body);
    return Answer::Taken;
  }
  if (status != 429 && status != 502 && status != 503 && status != 504) return Answer::Never;
  asked_pause_ = pause_of(retry_after, services_.loop.clock().policy_now());
  return Answer::Later;
}

io::Task<void> TraceExporter::finish(Instant until) {
  finishing_ = true;
  woken_.signal();
  io::Wait wait;
  wait.deadline = until;
  wait.what = "the last spans";
  const io::Code code = co_await scope_.join(wait);
  if (code != io::Code::Ok) {
    scope_.cancel();
    wait.deadline = Instant::max();
    co_await scope_.join(wait);
  }
  while (queue_.take(batch_)) queue_.count(Result::Unavailable, batch_.spans);
}

}  // namespace gatelab::gateway
