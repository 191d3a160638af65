// SPDX-License-Identifier: Apache-2.0
#include "harness/load/lane.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/match/json_text.h"

namespace gatelab::harness::load {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kMostWaiting = 100'000;  // for a connection; who comes later is not sent at all
constexpr int kBurst = 64;                     // sent in one go
constexpr Duration kPrompt = std::chrono::milliseconds(1);  // behind an answer
constexpr Duration kFlush = std::chrono::milliseconds(100);

std::vector<double> weights_of(const std::vector<Flow>& flows) {
  std::vector<double> out;
  for (const Flow& flow : flows) out.push_back(flow.weight);
  return out;
}

bool expected(const Request& request, std::uint16_t status) noexcept {
  return request.expected.empty() ? status < 400 : std::find(request.expected.begin(), request.expected.end(), status) != request.expected.end();
}

std::string status_word(std::uint16_t status) { return "status " + std::to_string(status); }

}  // namespace

void Progress::add(Recent& recent) {
  {
    const std::lock_guard lock(mutex_);
    recent_.latency.merge(recent.latency);
    recent_.sent += recent.sent;
    recent_.answered += recent.answered;
    recent_.failed += recent.failed;
  }
  recent = Recent{};
}

Progress::Recent Progress::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(recent_, Recent{});
}

Lane::Lane(const LaneWorld& world)
    : world_(world),
      random_(world.load.seed ^ mix64(world.round)),
      mix_(weights_of(world.load.flows)),
      arrivals_(world.load.curve, world.load.spacing, random_, world.part),
      scope_(world.loop),
      outer_(world.loop),
      block_(kBlock) {}

void Lane::start(Instant start, std::function<void()> done) {
  start_ = start;
  judged_from_ = start + world_.load.warmup;
  end_ = start + world_.load.curve.length();
  flush_at_ = start + kFlush;
  round_.length = world_.load.curve.length();
  round_.slice = slice_of(round_.length);
  round_.slices.resize(static_cast<std::size_t>((round_.length + round_.slice - Duration{1}) / round_.slice));
  if (world_.load.model == Model::Open) arrival_ = arrivals_.next();
  else seat_users();
  const auto whole = [](Lane& lane, std::function<void()> then) -> io::Task<void> {
    io::Task<void> running = lane.run();
    co_await running;
    // Behind the end of this coroutine.
    lane.loop().post_remote(std::move(then));
  };
  outer_.spawn(whole(*this, std::move(done)));
}

io::Task<void> Lane::run() {
  io::Wait begin;
  begin.deadline = start_;
  begin.cancel = &outer_.token();
  begin.what = "the load's start";
  co_await io::sleep_until(loop(), begin);
  const Duration spent = world_.thread_time != nullptr ? world_.thread_time() : Duration{};
  while (!stopped_) {
    const Instant now = loop().now();
    const bool all = send_due(now);
    give_up_late_ones(now);
    if (world_.progress != nullptr && now >= flush_at_) flush(now);
    if (finished()) break;
    if (!all) {
      co_await io::yield(loop());
      continue;
    }
    wake_at_ = std::min(next_due(), first_deadline());
    if (world_.progress != nullptr) wake_at_ = std::min(wake_at_, flush_at_);
    io::Wait wait;
    wait.deadline = wake_at_;
    wait.what = "the load's next request";
    co_await wake_.wait(loop(), wait);
  }
  ended_ = true;
  if (world_.thread_time != nullptr) {
    const Duration whole = std::max(loop().now() - start_, Duration{1});
    round_.resources.thread = static_cast<double>((world_.thread_time() - spent).count()) / static_cast<double>(whole.count());
  }
  if (world_.progress != nullptr) world_.progress->add(recent_);
  for (const auto& connection : connections_) connection->close("cut");
  scope_.cancel();
  io::Wait ended;
  ended.what = "the load's connections to close";
  io::Task<io::Code> joining = scope_.join(ended);
  co_await joining;
}

void Lane::stop() noexcept {
  if (ended_ || std::exchange(stopped_, true)) return;
  round_.cut = true;
  arrival_.reset();
  turns_ = {};
  // What was under way is cut: neither its latency nor whether it would have failed is known.
  for (const Visit* v = flight_.first(); v != nullptr; v = v->after) count_error(*v, "cut");
  for (const Visit* v : waiting_) {
    if (!v->retried) ++tally_of(*v).unsent;
    count_error(*v, v->retried ? "cut" : "unsent");
  }
  waiting_.clear();
  under_way_ = 0;
  outer_.cancel();
  wake_.signal();
}

bool Lane::finished() const noexcept { return stopped_ || (!arrival_ && turns_.empty() && under_way_ == 0); }

bool Lane::send_due(Instant now) {
  int sent = 0;
  for (; arrival_ && start_ + arrival_->at <= now; arrival_ = arrivals_.next()) {
    if (++sent > kBurst) return false;
    begin(arrival_->ordinal, start_ + arrival_->at, 0, 0);
  }
  while (!turns_.empty() && turns_.top().at <= now) {
    if (++sent > kBurst) return false;
    const Turn turn = turns_.top();
    turns_.pop();
    begin(mix64(turn.user) ^ turn.turn, turn.at, turn.user, turn.turn);
  }
  return true;
}

Instant Lane::next_due() const noexcept {
  const Instant arrival = arrival_ ? start_ + arrival_->at : Instant::max();
  return turns_.empty() ? arrival : std::min(arrival, turns_.top().at);
}

void Lane::seat_users() {
  const Curve& curve = world_.load.curve;
  for (std::uint64_t user = world_.part.index; static_cast<double>(user) < curve.most(); user += world_.part.of) {
    presence_.push_back(curve.above(static_cast<double>(user)));
    if (presence_.back().empty()) continue;
    // Users who think do not all begin at once.
    const double share = random_.fork("user", user).unit();
    const Duration first{static_cast<std::int64_t>(static_cast<double>(world_.load.think.count()) * share)};
    schedule(user, 0, start_ + presence_.back().front().begin + first);
  }
}

// When the user is away then, at their return; never if they do not come back.
void Lane::schedule(std::uint64_t user, std::uint64_t turn, Instant at) {
  if (stopped_) return;
  for (const Curve::Span& span : presence_[user / world_.part.of]) {
    if (at >= start_ + span.end) continue;
    at = std::max(at, start_ + span.begin);
    turns_.push({at, user, turn});
    if (at < wake_at_) wake_.signal();
    return;
  }
  if (finished()) wake_.signal();
}

void Lane::begin(std::uint64_t ordinal, Instant planned, std::uint64_t user, std::uint64_t turn) {
  if (spare_.empty()) {
    visits_.push_back(std::make_unique<Visit>());
    spare_.push_back(visits_.back().get());
  }
  Visit& visit = *spare_.back();
  spare_.pop_back();
  ++under_way_;
  visit.flow = &world_.load.flows[mix_.choose(random_, ordinal)];
  visit.step = 0;
  visit.user = user;
  visit.turn = turn;
  visit.planned = planned;
  const auto& rows = world_.load.data.rows;
  // A user is one row for ever; an arrival takes the next.
  if (!rows.empty()) visit.row = &rows[(world_.load.model == Model::Closed ? user : ordinal) % rows.size()];
  if (world_.load.slots > 0) visit.saved.assign(world_.load.slots, {});
  prepare(visit);
  dispatch(visit);
}

void Lane::prepare(Visit& visit) {
  visit.retried = false;
  ++tally_of(visit).planned;
  if (!visit.request().octets.fixed()) visit.request().octets.fill(visit.row, visit.saved, visit.made);
}

void Lane::dispatch(Visit& visit) {
  while (!idle_.empty()) {
    Connection& connection = *idle_.back();
    idle_.pop_back();
    if (!connection.usable()) {
      connection.close("closed");
      continue;
    }
    depart(visit, connection);
    return connection.send(visit);
  }
  if (connections_.size() < world_.connections) return open(visit);
  ++round_.resources.waits;
  if (waiting_.size() < kMostWaiting) return waiting_.push_back(&visit);
  give_up_waiting(visit, loop().now());
}

// It is under way from now on, whether it has to connect first or not.
void Lane::depart(Visit& visit, Connection& connection) {
  visit.on = &connection;
  visit.sent = loop().now();
  visit.deadline = visit.sent + world_.load.timeout;
  flight_.add(visit);
  if (visit.deadline < wake_at_) wake_.signal();
  if (visit.retried) return;
  Tally& tally = tally_of(visit);
  tally.late.add(visit.sent - visit.planned);
  ++tally.sent;
  if (visit.sent <= std::max(end_, visit.planned + kPrompt)) ++tally.in_time;
  ++recent_.sent;
}

void Lane::open(Visit& visit) {
  graveyard_.clear();
  connections_.push_back(std::make_unique<Connection>(*this));
  Connection& connection = *connections_.back();
  depart(visit, connection);
  connection.expect(visit);
  scope_.spawn(connection.run(visit.deadline));
}

Instant Lane::first_deadline() const noexcept {
  const Instant flight = flight_.first() != nullptr ? flight_.first()->deadline : Instant::max();
  return waiting_.empty() ? flight : std::min(flight, waiting_.front()->planned + world_.load.timeout);
}

void Lane::give_up_late_ones(Instant now) {
  while (flight_.first() != nullptr && flight_.first()->deadline <= now) {
    Visit& visit = *flight_.first();
    Connection& connection = *visit.on;
    connection.take_visit();
    flight_.remove(visit);
    connection.close("timeout");
    Tally& tally = tally_of(visit);
    tally.latency.add(now - visit.planned);
    tally.service.add(now - visit.sent);
    failed(visit, "timeout");
  }
  while (!waiting_.empty() && waiting_.front()->planned + world_.load.timeout <= now) {
    Visit& visit = *waiting_.front();
    waiting_.pop_front();
    give_up_waiting(visit, now);
  }
}

// It was owed and got no connection: who it stands for has waited for all that time.
void Lane::give_up_waiting(Visit& visit, Instant now) {
  Tally& tally = tally_of(visit);
  const Duration waited = now - visit.planned;
  // Of one that the longest queue has no room for nobody knows how long it would have waited.
  if (waited >= world_.load.timeout) tally.latency.add(waited);
  if (visit.retried) return failed(visit, "timeout");
  if (waited >= world_.load.timeout) tally.late.add(waited);
  ++tally.unsent;
  failed(visit, "unsent");
}

void Lane::failed(Visit& visit, std::string_view word) {
  count_error(visit, word);
  slice(visit, false, Duration{});
  over(visit);
}

void Lane::count_error(const Visit& visit, std::string_view word) {
  auto& errors = tally_of(visit).errors;
  const auto known = errors.find(word);
  if (known != errors.end()) ++known->second;
  else errors.emplace(word, 1);
}

void Lane::slice(const Visit& visit, bool good, Duration latency) {
  const auto index = static_cast<std::size_t>(std::max<std::int64_t>(0, (visit.planned - start_) / round_.slice));
  if (index < round_.slices.size()) {
    Slice& slice = round_.slices[index];
    if (good) slice.latency.add(latency);
    ++(good ? slice.answered : slice.failed);
  }
  if (world_.progress == nullptr) return;
  if (good) recent_.latency.add(latency);
  ++(good ? recent_.answered : recent_.failed);
}

void Lane::answered(Connection& connection, Reply reply, const std::string& body) {
  Visit& visit = *connection.take_visit();
  if (stopped_) return;
  flight_.remove(visit);
  const Instant now = loop().now();
  Tally& tally = tally_of(visit);
  ++tally.answered;
  tally.octets += reply.octets;
  ++tally.statuses[reply.status];
  const bool usable = connection.usable();
  if (usable && !waiting_.empty()) {
    Visit& next = *waiting_.front();
    waiting_.pop_front();
    depart(next, connection);
    connection.send(next);
  } else if (usable) {
    idle_.push_back(&connection);
  }
  if (!expected(visit.request(), reply.status)) return failed(visit, status_word(reply.status));
  if (!visit.request().saves.empty() && !save(visit, body)) return failed(visit, "nothing to save");
  tally.latency.add(now - visit.planned);
  tally.service.add(now - visit.sent);
  slice(visit, true, now - visit.planned);
  next_step_or_over(visit);
}

void Lane::next_step_or_over(Visit& visit) {
  if (visit.step + 1 == visit.flow->requests.size()) return over(visit);
  ++visit.step;
  visit.planned = loop().now();
  prepare(visit);
  dispatch(visit);
}

void Lane::save_headers(Visit& visit, const http::ResponseHead& head) {
  for (const Capture& capture : visit.request().saves)
    if (!capture.header.empty()) {
      const auto* field = head.fields.find(capture.header);
      visit.saved[capture.slot] = field != nullptr ? text_cell(std::string(field->value)) : Cell{};
    }
}

// False: the answer does not hold what a later request needs.
bool Lane::save(Visit& visit, const std::string& body) {
  nlohmann::json json;
  bool parsed = false;
  for (const Capture& capture : visit.request().saves) {
    if (capture.path) {
      if (!std::exchange(parsed, true)) json = parse_json_text(body);
      if (json.is_discarded()) return false;
      const auto found = capture.path->select(json);
      if (found.empty()) return false;
      visit.saved[capture.slot] = {found.front()->is_string() ? found.front()->get<std::string>() : found.front()->dump(), found.front()->dump()};
    } else if (visit.saved[capture.slot].json.empty()) {
      return false;
    }
  }
  return true;
}

void Lane::over(Visit& visit) {
  --under_way_;
  spare_.push_back(&visit);
  if (world_.load.model == Model::Closed) schedule(visit.user, visit.turn + 1, loop().now() + world_.load.think);
  else if (finished()) wake_.signal();
}

void Lane::lost(Connection& connection, std::string_view word) {
  const bool stale = connection.stale();
  Visit* visit = connection.take_visit();
  const auto at = std::find_if(connections_.begin(), connections_.end(), [&](const auto& c) { return c.get() == &connection; });
  std::unique_ptr<Connection> gone = std::move(*at);
  *at = std::move(connections_.back());
  connections_.pop_back();
  if (const auto idle = std::find(idle_.begin(), idle_.end(), &connection); idle != idle_.end()) idle_.erase(idle);
  if (visit != nullptr && !stopped_) {
    flight_.remove(*visit);
    if (stale && !visit->retried && http::is_idempotent(visit->request().method)) {
      visit->retried = true;
      ++tally_of(*visit).retried;
      dispatch(*visit);
    } else {
      if (word == "timeout") {
        tally_of(*visit).latency.add(loop().now() - visit->planned);
        tally_of(*visit).service.add(loop().now() - visit->sent);
      }
      failed(*visit, word);
    }
  }
  if (!waiting_.empty() && !stopped_ && connections_.size() < world_.connections) {
    Visit& next = *waiting_.front();
    waiting_.pop_front();
    open(next);
  }
  // Its coroutine is at its end, but not behind it.
  graveyard_.push_back(std::move(gone));
}

void Lane::flush(Instant now) {
  world_.progress->add(recent_);
  flush_at_ = now + kFlush;
}

}  // namespace gatelab::harness::load
