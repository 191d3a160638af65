// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/tap.h"

#include <algorithm>
#include <utility>

namespace gatelab::harness {
namespace {

constexpr std::size_t kMostAsked = 4096;

std::size_t octets_of(const RecordedHeaders& headers, const RecordedBody& body) noexcept {
  constexpr std::size_t kOfALine = 64;  // of the containers
  std::size_t out = body.octets ? body.octets->size() : 0;
  for (const auto& [name, value] : headers) out += kOfALine + name.size() + value.size();
  return out;
}

std::size_t octets_of(const TrafficTap::Asked& one) noexcept {
  const TappedExchange& e = *one.exchange;
  return sizeof e + e.request.target.size() + octets_of(e.request.headers, e.request.body) + octets_of(e.answer.headers, e.answer.body);
}

// Passes everything on, and says what it was.
class TappedTransport : public io::Transport {
 public:
  TappedTransport(io::TransportPtr below, std::shared_ptr<TappedConnection> tapped, bool from_client) noexcept : below_(std::move(below)), tapped_(std::move(tapped)), from_client_(from_client) {}

  io::Count try_read(std::span<char> into) noexcept override {
    const io::Count count = below_->try_read(into);
    if (count.code == io::Code::Ok) passed({into.data(), count.octets}, from_client_);
    else if (count.code == io::Code::Eof && !from_client_) tapped_->answers_end(loop().now());
    return count;
  }
  io::Count try_peek(std::span<char> into) noexcept override { return below_->try_peek(into); }
  io::Count try_write(std::span<const io::ConstBuffer> from) noexcept override {
    const io::Count count = below_->try_write(from);
    std::size_t left = count.code == io::Code::Ok ? count.octets : 0;
    for (const io::ConstBuffer& buffer : from) {
      const std::size_t n = std::min(left, buffer.size);
      if (n > 0) passed({buffer.data, n}, !from_client_);
      left -= n;
    }
    return count;
  }
  void shutdown_write() noexcept override { below_->shutdown_write(); }
  void close() noexcept override { below_->close(); }
  void reset() noexcept override { below_->reset(); }
  void break_off() noexcept override { below_->break_off(); }
  Peer peer_state() noexcept override { return below_->peer_state(); }
  bool may_have_news() const noexcept override { return below_->may_have_news(); }
  Address local() const noexcept override { return below_->local(); }
  Address peer() const noexcept override { return below_->peer(); }
  io::Loop& loop() noexcept override { return below_->loop(); }
  const crypto::TlsFacts* tls() const noexcept override { return below_->tls(); }
  crypto::TlsFailure tls_failure() const noexcept override { return below_->tls_failure(); }
  void wait_readable(io::Waiter& w) noexcept override { below_->wait_readable(w); }
  void wait_writable(io::Waiter& w) noexcept override { below_->wait_writable(w); }

 protected:
  TappedConnection& tapped() noexcept { return *tapped_; }
  virtual void answered() noexcept {}

 private:
  void passed(std::string_view octets, bool is_request) noexcept {
    if (is_request) tapped_->requests(octets, loop().now());
    else tapped_->answers(octets, loop().now());
    answered();
  }

  io::TransportPtr below_;
  std::shared_ptr<TappedConnection> tapped_;
  bool from_client_;
};

class TappedClient final : public TappedTransport {
 public:
  TappedClient(io::TransportPtr below, std::shared_ptr<TappedConnection> tapped, TrafficTap& tap, std::uint64_t connection) noexcept
      : TappedTransport(std::move(below), std::move(tapped), true), tap_(tap), connection_(connection) {}
  ~TappedClient() override { tap_.gone(connection_); }

 private:
  TrafficTap& tap_;
  std::uint64_t connection_;
};

class TappedUpstream final : public TappedTransport {
 public:
  TappedUpstream(io::TransportPtr below, std::shared_ptr<TappedConnection> tapped, TrafficTap& tap, std::string_view upstream, std::string_view target)
      : TappedTransport(std::move(below), std::move(tapped), false), tap_(tap), upstream_(upstream), target_(target) {}
  ~TappedUpstream() override { tell_rest(); }
  void close() noexcept override {
    TappedTransport::close();
    tell_rest();
  }

 private:
  void answered() noexcept override {
    while (tapped().front_is_whole()) tap_.asked({upstream_, target_, tapped().take()});
  }
  // Those that never got a whole answer.
  void tell_rest() noexcept {
    while (auto exchange = tapped().take()) tap_.asked({upstream_, target_, std::move(exchange)});
  }

  TrafficTap& tap_;
  std::string upstream_, target_;
};

RecordedAttempt attempt_of(TrafficTap::Asked asked, Instant began) {
  RecordedAttempt out;
  out.upstream = std::move(asked.upstream);
  out.target = std::move(asked.target);
  out.reason = asked.exchange->answer_whole ? "completed" : "upstream-closed";
  out.at = std::max(asked.exchange->began - began, Duration{});
  out.took = asked.exchange->ended - asked.exchange->began;
  out.request = std::move(asked.exchange->request);
  out.answer = std::move(asked.exchange->answer);
  return out;
}

// A try that never got to a connection has left no octets.
RecordedAttempt unseen(const observe::Attempt& said, const RecordedRequest& request) {
  RecordedAttempt out;
  out.upstream = said.upstream;
  out.target = said.target;
  out.reason = said.reason;
  out.at = said.started;
  out.took = said.connected;
  out.request = request;
  return out;
}

// Those that fit best come first: by name and by how they ended, then by name.
void tell_by_name(std::vector<const observe::Attempt*>& left, bool by_status, std::vector<RecordedAttempt>& out, std::vector<char>& told) {
  std::erase_if(left, [&](const observe::Attempt* said) {
    if (said->played) return false;
    std::size_t i = 0;
    while (i < out.size() && (told[i] != 0 || out[i].upstream != said->upstream || out[i].target != said->target || (by_status && out[i].answer.status != said->status))) ++i;
    if (i == out.size()) return false;
    told[i] = 1;
    out[i].reason = said->reason;
    return true;
  });
}

// What passed, with what the gateway says of its tries. Upstreams at one place share connections: those whose names do not fit
// are taken in their order. What a fault has answered did not pass. `lost`: answers that were not among what passed.
std::vector<RecordedAttempt> attempts_of(const observe::Record& record, std::vector<TrafficTap::Asked> asked, const TappedExchange& client, std::uint64_t& lost) {
  std::vector<RecordedAttempt> out;
  for (TrafficTap::Asked& one : asked) out.push_back(attempt_of(std::move(one), client.began));
  std::stable_sort(out.begin(), out.end(), [](const RecordedAttempt& a, const RecordedAttempt& b) { return a.at < b.at; });
  std::vector<char> told(out.size(), 0);
  std::vector<const observe::Attempt*> left;
  for (const observe::Attempt& said : record.attempts) left.push_back(&said);
  tell_by_name(left, true, out, told);
  tell_by_name(left, false, out, told);
  const RecordedRequest request = out.empty() ? client.request : out.front().request;
  for (const observe::Attempt* said : left) {
    const auto free = std::find(told.begin(), told.end(), 0);
    if (said->status == 0 || said->played || free == told.end()) {
      if (said->status != 0 && !said->played) ++lost;
      out.push_back(unseen(*said, request));
      told.push_back(1);
      continue;
    }
    *free = 1;
    RecordedAttempt& attempt = out[static_cast<std::size_t>(free - told.begin())];
    attempt.upstream = said->upstream;
    attempt.target = said->target;
    attempt.reason = said->reason;
  }
  std::stable_sort(out.begin(), out.end(), [](const RecordedAttempt& a, const RecordedAttempt& b) { return a.at < b.at; });
  return out;
}

}  // namespace

io::TransportPtr TrafficTap::client(io::TransportPtr transport, std::uint64_t connection, std::string_view early) {
  auto tapped = std::make_shared<TappedConnection>(max_body_);
  if (!early.empty()) tapped->requests(early, transport->loop().now());
  {
    const std::lock_guard lock(mutex_);
    clients_[connection] = tapped;
  }
  return std::make_unique<TappedClient>(std::move(transport), std::move(tapped), *this, connection);
}

io::TransportPtr TrafficTap::upstream(io::TransportPtr transport, std::string_view upstream, std::string_view target) {
  return std::make_unique<TappedUpstream>(std::move(transport), std::make_shared<TappedConnection>(max_body_), *this, upstream, target);
}

void TrafficTap::gone(std::uint64_t connection) {
  const std::lock_guard lock(mutex_);
  clients_.erase(connection);
}

void TrafficTap::asked(Asked one) {
  const std::lock_guard lock(mutex_);
  waiting_ += octets_of(one);
  asked_.push_back(std::move(one));
  while (!asked_.empty() && (asked_.size() > kMostAsked || waiting_ > max_waiting_)) {
    waiting_ -= octets_of(asked_.front());
    asked_.pop_front();
  }
}

// Whatever header says whose request it is (`request_id_name` of the listener).
std::vector<TrafficTap::Asked> TrafficTap::of_request(std::string_view request_id) {
  std::vector<Asked> out;
  if (request_id.empty()) return out;
  const auto is_its = [request_id](const Asked& one) {
    return std::any_of(one.exchange->request.headers.begin(), one.exchange->request.headers.end(), [request_id](const auto& h) { return h.second == request_id; });
  };
  const auto rest = std::stable_partition(asked_.begin(), asked_.end(), [&is_its](const Asked& one) { return !is_its(one); });
  for (auto one = rest; one != asked_.end(); ++one) waiting_ -= octets_of(*one);
  std::move(rest, asked_.end(), std::back_inserter(out));
  asked_.erase(rest, asked_.end());
  return out;
}

void TrafficTap::finished(const observe::Record& record) {
  std::shared_ptr<TappedExchange> client;
  std::vector<Asked> asked;
  {
    const std::lock_guard lock(mutex_);
    const auto known = clients_.find(record.connection);
    if (known != clients_.end()) client = known->second->take();
    asked = of_request(record.request_id);
  }
  // What was no request is not recorded: nobody could send it again.
  if (client == nullptr) return;
  RecordedExchange out;
  out.id = record.request_id;
  out.began = record.began;
  out.took = std::max(client->ended - client->began, Duration{});
  out.scheme = record.tls.version.empty() ? "http" : "https";
  std::uint64_t lost = 0;
  out.attempts = attempts_of(record, std::move(asked), *client, lost);
  if (lost > 0) {
    const std::lock_guard lock(mutex_);
    lost_answers_ += lost;
  }
  out.request = std::move(client->request);
  out.answer = std::move(client->answer);
  done_(std::move(out));
}

std::uint64_t TrafficTap::lost_answers() const {
  const std::lock_guard lock(mutex_);
  return lost_answers_;
}

}  // namespace gatelab::harness
