// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/player.h"

#include <algorithm>
#include <atomic>

#include "base/text.h"
#include "harness/replay/hiding.h"
#include "harness/scenario/expect.h"

namespace gatelab::harness {
namespace {

constexpr std::size_t kShown = 5;  // failures of one kind

std::string host_of(const RecordedExchange& exchange) {
  for (const auto& [name, value] : exchange.request.headers)
    if (iequals(name, "host")) return value;
  return {};
}

void set_host(RecordedRequest& request, const std::string& host) {
  auto& headers = request.headers;
  headers.erase(std::remove_if(headers.begin(), headers.end(), [](const auto& h) { return iequals(h.first, "host"); }), headers.end());
  headers.insert(headers.begin(), {"Host", host});
}

}  // namespace

struct Player::Batch {
  std::shared_ptr<Player> player;
  std::vector<Played> out;
  std::vector<Dial> dials;
  Duration timeout{};
  Instant began;
  std::atomic<std::size_t> open{0};
};

bool Player::dial(const RecordedExchange& exchange, Dial& out) {
  if (bound_.empty()) bound_ = world_.listeners();
  const bool secure = exchange.scheme == "https";
  const auto found = std::find_if(bound_.begin(), bound_.end(), [this, secure](const gateway::Bound& b) { return replay_.listener.empty() ? b.tls == secure : b.name == replay_.listener; });
  if (bound_.empty() || (found == bound_.end() && !replay_.listener.empty())) return problem_ = "the gateway has no listener" + (replay_.listener.empty() ? "" : " `" + replay_.listener + "`"), false;
  const gateway::Bound& to = found == bound_.end() ? bound_.front() : *found;
  out.to = to.address;
  out.path = to.path;
  if (!to.tls) return true;
  ClientTls tls;
  tls.trust = world_.trust();
  auto context = client_context(tls, nullptr, world_.authority(), world_.files(), world_.directory());
  if (!context) return problem_ = context.error().message, false;
  out.tls.context = std::move(*context);
  const std::string host = host_of(exchange);
  // Another gateway has another certificate than the one that was recorded.
  out.tls.name = world_.foreign() != nullptr ? world_.foreign()->url().host : host.substr(0, host.find(':'));
  return true;
}

// As old as it was when it was recorded, and valid for as long.
std::string Player::token(const RecordedToken& token, const RecordedExchange& exchange) {
  const Instant now = world_.driver().now();
  const std::int64_t shift = now.seconds() - exchange.began.seconds();
  TokenSpec spec;
  spec.issuer = replay_.remint;
  spec.claims = token.claims;
  for (const char* name : {"iss", "iat", "exp"})
    if (!spec.claims.contains(name)) spec.claims[name] = nullptr;
  for (const char* name : {"iat", "exp", "nbf"})
    if (auto& claim = spec.claims[name]; claim.is_number_integer()) claim = claim.get<std::int64_t>() + shift;
    else if (claim.is_number()) claim = claim.get<double>() + static_cast<double>(shift);
  spec.typ = token.header.value("typ", "");
  const std::string kid = token.header.value("kid", "");
  if (world_.of().world.issuers.at(replay_.remint).has_key(kid)) spec.kid = kid;
  std::string& known = tokens_[spec.claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" + kid + "\n" + spec.typ];
  ++minted_;
  if (!known.empty()) return known;
  auto made = world_.identities().mint(replay_.remint, spec, now);
  if (made) return known = std::move(*made);
  if (problem_.empty()) problem_ = "no token can be minted again: " + made.error().message;
  return "none";
}

std::string Player::request(const RecordedExchange& exchange, const Dial& dial) {
  RecordedRequest request = exchange.request;
  put_back(request, replay_.secrets, used_secrets_);
  // Who is asked for one name in TLS is not to be asked for another behind it.
  if (dial.tls.context && world_.foreign() != nullptr) set_host(request, world_.foreign()->url().authority);
  if (!replay_.remint.empty()) remint(request, [this, &exchange](const RecordedToken& t) { return token(t, exchange); });
  return octets_of(request, dial.to.ip.family == IpAddress::Family::None ? "localhost" : format(dial.to));
}

std::string Player::play(const std::vector<const RecordedExchange*>& exchanges, std::vector<Played>& out) {
  first_seen_ = world_.mocks().seen_count();
  if (exchanges.empty()) return {};
  // Shared with the tasks, so that a step that is given up leaves nothing hanging.
  auto batch = std::make_shared<Batch>();
  batch->player = shared_from_this();
  batch->timeout = world_.driver().simulated() ? kPatience : kSocketPatience;
  batch->dials.resize(exchanges.size());
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    batch->out.push_back({exchanges[i], {}, {}});
    if (!dial(*exchanges[i], batch->dials[i])) return problem_;
  }
  world_.driver().on(world_.driver().outside(), [this, batch] {
    batch->began = world_.driver().outside().now();
    ++batch->open;
    world_.scope().spawn(run(batch));
  });
  const Duration lasted = exchanges.back()->began - exchanges.front()->began;
  const Duration pace = replay_.speed > 0 ? Duration{static_cast<std::int64_t>(static_cast<double>(lasted.count()) / replay_.speed)} : kPatience;
  const std::string problem = world_.driver().run_until([batch] { return batch->open.load() == 0; }, pace + kPatience);
  if (!problem.empty()) return problem;
  if (!problem_.empty()) return problem_;
  out = std::move(batch->out);
  trace(out);
  return {};
}

io::Task<void> Player::run(std::shared_ptr<Batch> batch) {
  const Instant first = batch->out.front().exchange->began;
  for (std::size_t i = 0; i < batch->out.size() && !world_.scope().token().cancelled(); ++i) {
    if (replay_.speed <= 0) {
      ++batch->open;
      io::Task<void> sending = one(batch, i);
      co_await sending;
      continue;
    }
    const auto offset = static_cast<double>((batch->out[i].exchange->began - first).count()) / replay_.speed;
    io::Wait wait;
    wait.deadline = batch->began + Duration{static_cast<std::int64_t>(offset)};
    wait.cancel = &world_.scope().token();
    wait.what = "the next of a recording";
    if (wait.deadline > world_.driver().outside().now()) co_await io::sleep_until(world_.driver().outside(), wait);
    if (world_.scope().token().cancelled()) break;
    ++batch->open;
    world_.scope().spawn(one(batch, i));
  }
  --batch->open;
}

io::Task<void> Player::one(std::shared_ptr<Batch> batch, std::size_t i) {
  const RecordedExchange& exchange = *batch->out[i].exchange;
  std::string octets = request(exchange, batch->dials[i]);
  io::Task<void> sending = world_.client().send(batch->dials[i], std::move(octets), exchange.request.method, batch->timeout, batch->out[i].answer);
  co_await sending;
  --batch->open;
}

void Player::trace(std::vector<Played>& out) const {
  for (Played& one : out) {
    const RecordBook::Entry* entry = one.answer.request_id.empty() ? nullptr : world_.records().find(one.answer.request_id);
    if (entry == nullptr) continue;
    Observation observation;
    observation.record = &entry->record;
    one.trace = trace_of(observation);
  }
}

void Player::unmatched() {
  const std::vector<SeenRequest> seen = world_.mocks().seen();
  const diag::Span& span = replay_.upstreams_span;
  std::size_t n = 0;
  for (std::size_t i = first_seen_; i < seen.size(); ++i) {
    if (seen[i].matched || ++n > kShown) continue;
    const bool recorded = replay_.upstreams == Replay::Upstreams::Recorded;
    SeenRequest shown = seen[i];
    std::string target = shown.path + (shown.query.empty() ? "" : "?" + shown.query);
    Hiding hiding;
    for (const Replay::Secret& secret : replay_.secrets) hiding.take(secret.text);
    hiding.take(shown.headers, target, shown.body);
    hiding.hide(shown.near_miss);
    for (std::string& miss : shown.misses) hiding.hide(miss);
    world_.result().failures.push_back({span, (recorded ? "nothing recorded of `" : "no stub of `") + shown.upstream + "` answers " + shown.method + " " + target, {}, {}, shown.near_miss, shown.misses});
  }
  if (n > kShown) world_.fail(span, "and " + std::to_string(n - kShown) + " more that nothing answers");
  const std::vector<std::string> misses = world_.take_misses();
  for (std::size_t i = 0; i < std::min(misses.size(), kShown); ++i) world_.fail(span, misses[i]);
  if (misses.size() > kShown) world_.fail(span, "and " + std::to_string(misses.size() - kShown) + " more like these");
}

}  // namespace gatelab::harness
