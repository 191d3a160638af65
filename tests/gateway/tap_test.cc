// SPDX-License-Identifier: Apache-2.0
// What whoever listens in hears of a target that is made to suffer: what is truly on the wire.
#include "io/tap.h"

#include <gtest/gtest.h>

#include "support/raw_world.h"

namespace gatelab::test {
namespace {

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// Passes everything on.
class Heard final : public io::Transport {
 public:
  Heard(io::TransportPtr below, std::string& written, std::string& read) noexcept : below_(std::move(below)), written_(written), read_(read) {}
  io::Count try_read(std::span<char> into) noexcept override {
    const io::Count count = below_->try_read(into);
    read_.append(into.data(), count.octets);
    return count;
  }
  io::Count try_peek(std::span<char> into) noexcept override { return below_->try_peek(into); }
  io::Count try_write(std::span<const io::ConstBuffer> from) noexcept override {
    const io::Count count = below_->try_write(from);
    std::string all;
    for (const io::ConstBuffer& buffer : from) all.append(buffer.data, buffer.size);
    written_ += all.substr(0, count.octets);
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

 private:
  io::TransportPtr below_;
  std::string &written_, &read_;
};

struct Ears : io::Tap {
  io::TransportPtr client(io::TransportPtr transport, std::uint64_t, std::string_view) override { return transport; }
  io::TransportPtr upstream(io::TransportPtr transport, std::string_view upstream, std::string_view target) override {
    names.push_back(std::string(upstream) + "/" + std::string(target));
    return std::make_unique<Heard>(std::move(transport), asked, answered);
  }
  std::vector<std::string> names;
  std::string asked, answered;
};

struct World : Ears, RawWorld {
  World() : RawWorld(plain_gateway(), 1, 1, static_cast<Ears*>(this)) {}
  void suffer(upstream::Fault::Kind kind) {
    upstream::Fault fault;
    fault.kind = kind;
    fault.count = 1;
    EXPECT_TRUE(gateway->fault("target", fault));
  }
};

TEST(Taps, HearNothingOfWhatAFaultKeepsFromTheTargetOrSaysInItsPlace) {
  for (const upstream::Fault::Kind kind : {upstream::Fault::Kind::Status, upstream::Fault::Kind::Garbage, upstream::Fault::Kind::Reset}) {
    World w;
    w.suffer(kind);
    EXPECT_TRUE(w.talk(kGet).starts_with("HTTP/1.1 50"));
    EXPECT_EQ(w.names, std::vector<std::string>{"target/target"});
    EXPECT_EQ(w.target_octets, "");
    EXPECT_EQ(w.asked, "");
    EXPECT_EQ(w.answered, "");
  }
}

// A fault is for one request, whoever listens.
TEST(Taps, AFaultDoesNotStayOnAConnectionThatIsKept) {
  World w;
  w.suffer(upstream::Fault::Kind::Status);
  EXPECT_TRUE(w.talk(kGet).starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(w.talk(kGet).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(w.target_connections, 1U);
  EXPECT_EQ(w.asked, w.target_octets);
  EXPECT_TRUE(w.answered.starts_with("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace gatelab::test
