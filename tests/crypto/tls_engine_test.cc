// SPDX-License-Identifier: Apache-2.0
// Two engines back to back, without a network: what they agree on, and by whose clock.
#include "crypto/tls_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace gatelab::crypto {
namespace {

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);

// One direction of a wire each; `chop`: at most so many octets at once.
class Ends final : public Wire {
 public:
  Ends(std::string& in, std::string& out, std::size_t chop) : in_(in), out_(out), chop_(chop) {}
  Moved wire_read(std::span<char> into) noexcept override {
    if (in_.empty()) return {closed ? State::Eof : State::WouldBlock, 0};
    const std::size_t n = std::min({into.size(), in_.size(), chop_});
    std::memcpy(into.data(), in_.data(), n);
    in_.erase(0, n);
    return {State::Ok, n};
  }
  Moved wire_write(std::string_view first, std::string_view then) noexcept override {
    if (out_.size() >= room) return {State::WouldBlock, 0};
    ++writes;
    const std::string from = std::string(first).append(then);
    const std::size_t n = std::min({from.size(), chop_, room - out_.size()});
    out_.append(from, 0, n);
    return {State::Ok, n};
  }
  bool closed = false;
  int writes = 0;
  std::size_t room = 1 << 20;

 private:
  std::string& in_;
  std::string& out_;
  std::size_t chop_;
};

struct Pair {
  Pair(std::shared_ptr<const TlsContext> s, std::shared_ptr<const TlsContext> c, std::size_t chop = 1 << 20)
      : server_end(up, down, chop), client_end(down, up, chop), server(std::move(s), server_end), client(std::move(c), client_end) {}

  bool shake(Instant now, const std::string& name = "localhost", TlsSessions* sessions = nullptr) {
    client.call(name, sessions, now);
    auto a = TlsEngine::State::WantRead, b = a;
    for (int i = 0; i < 10'000; ++i) {
      if (a != TlsEngine::State::Ok && a != TlsEngine::State::Failed) a = client.handshake(now);
      if (b != TlsEngine::State::Ok && b != TlsEngine::State::Failed) b = server.handshake(now);
      if (a == TlsEngine::State::Failed || b == TlsEngine::State::Failed) return false;
      if (a == TlsEngine::State::Ok && b == TlsEngine::State::Ok) break;
    }
    server.flush();
    client.peek();  // takes the tickets off the wire
    return a == TlsEngine::State::Ok && b == TlsEngine::State::Ok;
  }
  void close() {
    client.close_notify();
    server.close_notify();
  }
  std::string up, down;
  Ends server_end, client_end;
  TlsEngine server, client;
};

std::shared_ptr<const TlsContext> server(Duration life = std::chrono::hours(24 * 365), TlsVersion max = TlsVersion::V13) {
  LocalAuthority::Request request;
  request.names = {"localhost", "127.0.0.1"};
  request.from = kNow + -std::chrono::hours(1);
  request.until = kNow + life;
  TlsServerOptions options;
  options.certificates.push_back({LocalAuthority::simulation()->issue(request), {"localhost"}, {}});
  options.tickets = std::make_shared<TicketKeys>(std::chrono::hours(12));
  options.max = max;
  return *TlsContext::server(std::move(options));
}

std::shared_ptr<const TlsContext> client(TlsVersion max = TlsVersion::V13) {
  TlsClientOptions options;
  options.authorities = *Authorities::load(LocalAuthority::simulation()->pem(), {});
  options.max = max;
  return *TlsContext::client(std::move(options));
}

TEST(TlsEngine, AgreesAndCarriesOctetsHoweverTheWireCutsThem) {
  for (const std::size_t chop : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
    Pair pair(server(), client(), chop);
    ASSERT_TRUE(pair.shake(kNow)) << chop;
    EXPECT_EQ(pair.client.facts().version, "1.3");
    EXPECT_EQ(pair.client.facts().group, "x25519");
    EXPECT_EQ(pair.server.facts().sni, "localhost");
    EXPECT_EQ(pair.server.facts().alpn, "http/1.1");
    EXPECT_EQ(pair.client.facts().peer_subject, "CN=localhost,O=gatelab");
    EXPECT_EQ(pair.client.facts().peer_names, (std::vector<std::string>{"localhost", "127.0.0.1"}));
    const std::string text(40'000, 'x');
    std::string got;
    std::size_t sent = 0;
    for (int i = 0; i < 200'000 && got.size() < text.size(); ++i) {
      if (sent < text.size()) {
        const auto moved = pair.client.write(std::string_view(text).substr(sent));
        if (moved.state == TlsEngine::State::Ok) sent += moved.octets;
      }
      char block[5000];
      const auto moved = pair.server.read(block);
      if (moved.state == TlsEngine::State::Ok) got.append(block, moved.octets);
    }
    EXPECT_EQ(got, text);
  }
}

TEST(TlsEngine, ResumesUntilItsKeysAreGoneByTheTimeItIsTold) {
  for (const TlsVersion version : {TlsVersion::V12, TlsVersion::V13}) {
    const auto s = server(std::chrono::hours(24 * 365), version), c = client(version);
    TlsSessions sessions;
    const auto resumed = [&](Instant now) {
      Pair pair(s, c);
      EXPECT_TRUE(pair.shake(now, "localhost", &sessions));
      EXPECT_EQ(pair.client.facts().resumed, pair.server.facts().resumed);
      pair.close();
      return pair.client.facts().resumed;
    };
    EXPECT_FALSE(resumed(kNow));
    EXPECT_TRUE(resumed(kNow));
    EXPECT_TRUE(resumed(kNow + std::chrono::hours(11)));
    EXPECT_FALSE(resumed(kNow + std::chrono::hours(40)));
  }
}

TEST(TlsEngine, SendsItsTicketsTogetherWithWhatFollows) {
  Pair pair(server(), client());
  TlsSessions sessions;
  pair.client.call("localhost", &sessions, kNow);
  EXPECT_EQ(pair.client.handshake(kNow), TlsEngine::State::WantRead);
  EXPECT_EQ(pair.server.handshake(kNow), TlsEngine::State::WantRead);
  EXPECT_EQ(pair.client.handshake(kNow), TlsEngine::State::Ok);
  EXPECT_EQ(pair.server.handshake(kNow), TlsEngine::State::Ok);
  EXPECT_EQ(pair.server_end.writes, 1);
  EXPECT_EQ(pair.server.write("answer").octets, 6U);
  EXPECT_EQ(pair.server_end.writes, 2);
  pair.server.flush();
  EXPECT_EQ(pair.server_end.writes, 2);
  char block[16];
  EXPECT_EQ(pair.client.read(block).octets, 6U);
  pair.server.close_notify();
  EXPECT_EQ(pair.client.peek(), TlsEngine::State::Closed);
}

// Whatever the wire takes at once, what a handshake must send gets there.
TEST(TlsEngine, ShakesHandsOverAWireThatIsOftenFull) {
  for (const TlsVersion version : {TlsVersion::V12, TlsVersion::V13}) {
    Pair pair(server(std::chrono::hours(24 * 365), version), client(version));
    pair.server_end.room = pair.client_end.room = 100;
    ASSERT_TRUE(pair.shake(kNow));
    EXPECT_EQ(pair.client.write("request").octets, 7U);
    char block[16];
    EXPECT_EQ(pair.server.read(block).octets, 7U);
  }
}

TEST(TlsEngine, SaysWhyItRefuses) {
  struct Row {
    Instant now;
    const char* name;
    TlsFailure failure;
  };
  for (const Row& row : {Row{kNow + std::chrono::hours(2), "localhost", TlsFailure::Expired}, Row{kNow + -std::chrono::hours(2), "localhost", TlsFailure::NotYetValid},
                         Row{kNow, "other.local", TlsFailure::Hostname}, Row{kNow, "127.0.0.2", TlsFailure::Hostname}}) {
    Pair pair(server(std::chrono::hours(1)), client());
    EXPECT_FALSE(pair.shake(row.now, row.name));
    EXPECT_EQ(pair.client.failure(), row.failure) << row.name;
    // The other side hears of it.
    while (pair.server.handshake(row.now) == TlsEngine::State::WantRead && !pair.up.empty()) {
    }
    EXPECT_EQ(pair.server.failure(), TlsFailure::PeerAlert);
  }
  Pair literal(server(), client());
  EXPECT_TRUE(literal.shake(kNow, "127.0.0.1"));
  Pair apart(server(std::chrono::hours(1), TlsVersion::V12), *TlsContext::client({nullptr, false, nullptr, TlsVersion::V13}));
  EXPECT_FALSE(apart.shake(kNow));
  EXPECT_EQ(apart.server.failure(), TlsFailure::Version);
}

TEST(TlsEngine, TellsAnEndFromACutWire) {
  Pair clean(server(), client());
  ASSERT_TRUE(clean.shake(kNow));
  clean.server.close_notify();
  char block[10];
  EXPECT_EQ(clean.client.read(block).state, TlsEngine::State::Closed);
  Pair cut(server(), client());
  ASSERT_TRUE(cut.shake(kNow));
  cut.client_end.closed = true;
  EXPECT_EQ(cut.client.read(block).state, TlsEngine::State::Truncated);
}

TEST(TlsContext, ChoosesCertificatesByName) {
  TlsServerOptions options;
  const auto identity = LocalAuthority::simulation()->identity_for("a.local", kNow);
  options.certificates = {{identity, {"a.local"}, {}}, {identity, {"*.wild.local", "x.wild.local.net"}, {}}};
  const auto context = *TlsContext::server(std::move(options));
  EXPECT_EQ(context->certificate_for("A.local"), 0);
  EXPECT_EQ(context->certificate_for("b.wild.local"), 1);
  EXPECT_EQ(context->certificate_for("b.b.wild.local"), -1);
  EXPECT_EQ(context->certificate_for("wild.local"), -1);
  EXPECT_EQ(context->certificate_for(""), -1);
  EXPECT_EQ(context->certificate_for(".wild.local"), -1);
}

TEST(TicketKeys, OpenWhatTheOneBeforeHasSealedAndNoOlder) {
  TicketKeys keys(std::chrono::hours(1));
  const TicketKey first = keys.current(kNow);
  bool stale = true;
  ASSERT_TRUE(keys.find(first.name.data(), kNow, stale));
  EXPECT_FALSE(stale);
  ASSERT_TRUE(keys.find(first.name.data(), kNow + std::chrono::hours(1), stale));
  EXPECT_TRUE(stale);
  EXPECT_NE(keys.current(kNow + std::chrono::hours(1)).name, first.name);
  EXPECT_FALSE(keys.find(first.name.data(), kNow + std::chrono::hours(2), stale));
}

TEST(LocalAuthority, MakesTheSameForTheSameNameAndRemembersIt) {
  const auto one = LocalAuthority::simulation(), other = LocalAuthority::simulation();
  EXPECT_EQ(one->pem(), other->pem());
  EXPECT_EQ(one->identity_for("a.localhost", kNow)->facts().fingerprint, other->identity_for("a.localhost", kNow)->facts().fingerprint);
  EXPECT_EQ(one->identity_for("a.localhost", kNow), one->identity_for("a.localhost", kNow));
  EXPECT_EQ(one->identity_for("evil\n.local", kNow), nullptr);
  const auto real = LocalAuthority::create("test", kNow);
  EXPECT_EQ(real->facts().key, "EC 256");
  const auto again = LocalAuthority::load(real->pem(), real->key_pem().reveal());
  ASSERT_TRUE(again);
  const auto leaf = (*again)->identity_for("a.localhost", kNow);
  EXPECT_LT(leaf->facts().not_after, kNow + std::chrono::hours(24 * 398));
  EXPECT_NE((*again)->identity_for("a.localhost", kNow + std::chrono::hours(24 * 90)), leaf) << "made again before it ends";
}

}  // namespace
}  // namespace gatelab::crypto
