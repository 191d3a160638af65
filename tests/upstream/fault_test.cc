// SPDX-License-Identifier: Apache-2.0
// Which fault a connection or a request meets: by share, count, time and condition.
#include "upstream/fault.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/sim.h"
#include "upstream/fault_transport.h"

namespace gatelab::upstream {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart = Instant::from_seconds(1000);
Instant at(Duration d) { return kStart + d; }

Fault fault_of(Fault::Kind kind) {
  Fault out;
  out.kind = kind;
  return out;
}

struct Registry {
  Faults faults{Random(7)};
  TargetFaults& primary = faults.of("orders", "primary");
  TargetFaults& backup = faults.of("orders", "backup");
  void set(const std::string& target, Fault fault, Duration when = {}) { faults.set(target, std::move(fault), at(when)); }
  bool refuses(TargetFaults& target, Duration when = {}) { return target.connect(at(when)).failure == &observe::reason::kConnectFailure; }
};

TEST(Faults, ATargetWithoutFaultIsNotActive) {
  Registry r;
  EXPECT_FALSE(r.primary.active());
  EXPECT_FALSE(r.primary.was_active());
  r.set("orders/primary", fault_of(Fault::Kind::Refuse));
  EXPECT_TRUE(r.primary.active());
  EXPECT_FALSE(r.backup.active());
  EXPECT_TRUE(r.refuses(r.primary));
  EXPECT_EQ(r.faults.clear("orders/primary", "refuse", kStart), 1U);
  EXPECT_FALSE(r.primary.active());
  EXPECT_TRUE(r.primary.was_active());
  EXPECT_FALSE(r.refuses(r.primary));
}

TEST(Faults, EachKindOfConnectionFailsAsItself) {
  Registry r;
  r.set("orders/primary", fault_of(Fault::Kind::Dns));
  EXPECT_EQ(r.primary.connect(kStart).failure, &observe::reason::kResolveFailure);
  EXPECT_TRUE(r.primary.drops_kept(kStart));
  r.faults.clear("orders/primary", "", kStart);
  Fault tls = fault_of(Fault::Kind::Tls);
  tls.delay = 5ms;
  r.set("orders/primary", tls);
  const TargetFaults::Connect suffers = r.primary.connect(kStart);
  EXPECT_EQ(suffers.failure, nullptr);
  EXPECT_TRUE(suffers.distrust);
  EXPECT_EQ(suffers.delay, 5ms);
}

TEST(Faults, AnUpstreamsFaultIsThatOfAllItsTargetsAlsoOfThoseToCome) {
  Registry r;
  r.set("orders", fault_of(Fault::Kind::Refuse));
  EXPECT_TRUE(r.refuses(r.primary));
  EXPECT_TRUE(r.refuses(r.backup));
  EXPECT_TRUE(r.refuses(r.faults.of("orders", "third")));
  EXPECT_FALSE(r.refuses(r.faults.of("order", "s")));
  EXPECT_FALSE(r.refuses(r.faults.of("orders2", "primary")));
  EXPECT_EQ(r.faults.clear("orders", "", kStart), 1U);
  EXPECT_FALSE(r.refuses(r.primary));
}

TEST(Faults, ClearingAnUpstreamClearsItsTargets) {
  Registry r;
  r.set("orders/primary", fault_of(Fault::Kind::Refuse));
  r.set("orders/backup", fault_of(Fault::Kind::Dns));
  EXPECT_EQ(r.faults.clear("orders", "", kStart), 2U);
  EXPECT_FALSE(r.primary.active() || r.backup.active());
}

TEST(Faults, AnotherOfTheSameNameTakesItsPlace) {
  Registry r;
  Fault slow = fault_of(Fault::Kind::Slow);
  slow.name = "mine";
  r.set("orders/primary", slow);
  Fault refuse = fault_of(Fault::Kind::Refuse);
  refuse.name = "mine";
  r.set("orders/primary", refuse);
  r.set("orders/primary", fault_of(Fault::Kind::Refuse));
  const std::vector<FaultState> all = r.faults.all(kStart);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].fault.name, "mine");
  EXPECT_EQ(all[0].fault.kind, Fault::Kind::Refuse);
  EXPECT_EQ(all[1].fault.name, "refuse");
  EXPECT_EQ(r.faults.clear("orders/primary", "mine", kStart), 1U);
  EXPECT_TRUE(r.primary.active());
}

TEST(Faults, CountIsOfAllTargetsTogether) {
  Registry r;
  Fault refuse = fault_of(Fault::Kind::Refuse);
  refuse.count = 3;
  r.set("orders", refuse);
  EXPECT_TRUE(r.refuses(r.primary));
  EXPECT_TRUE(r.refuses(r.backup));
  EXPECT_TRUE(r.refuses(r.primary));
  EXPECT_FALSE(r.refuses(r.primary));
  EXPECT_FALSE(r.refuses(r.backup));
  EXPECT_FALSE(r.primary.active());
  EXPECT_TRUE(r.faults.all(kStart).empty());
}

TEST(Faults, ForATime) {
  Registry r;
  Fault refuse = fault_of(Fault::Kind::Refuse);
  refuse.lasts = 5s;
  r.set("orders/primary", refuse);
  EXPECT_TRUE(r.refuses(r.primary, 4999ms));
  EXPECT_FALSE(r.refuses(r.primary, 5s));
  EXPECT_FALSE(r.primary.active());
}

TEST(Faults, AgainAndAgain) {
  Registry r;
  Fault refuse = fault_of(Fault::Kind::Refuse);
  refuse.lasts = 2s;
  refuse.every = 10s;
  r.set("orders/primary", refuse);
  std::string seen;
  for (int second = 0; second < 24; ++second) seen += r.refuses(r.primary, std::chrono::seconds(second)) ? 'x' : '.';
  EXPECT_EQ(seen, "xx........xx........xx..");
  EXPECT_FALSE(r.primary.drops_kept(at(5s)));
  EXPECT_TRUE(r.primary.drops_kept(at(10s)));
}

TEST(Faults, ShareIsTheSeedsAndAboutRight) {
  const auto run = [](std::uint64_t seed) {
    Faults faults{Random(seed)};
    TargetFaults& target = faults.of("orders", "primary");
    Fault refuse = fault_of(Fault::Kind::Refuse);
    refuse.share = {200'000};
    faults.set("orders/primary", refuse, kStart);
    std::string out;
    for (int i = 0; i < 2000; ++i) out += target.connect(kStart).failure != nullptr ? 'x' : '.';
    return out;
  };
  const std::string once = run(1);
  EXPECT_EQ(once, run(1));
  EXPECT_NE(once, run(2));
  const auto met = std::count(once.begin(), once.end(), 'x');
  EXPECT_GT(met, 330);
  EXPECT_LT(met, 470);
}

TEST(Faults, WhatWasInjectedIsCountedByTargetAndKind) {
  Registry r;
  r.set("orders", fault_of(Fault::Kind::Refuse));
  (void)r.primary.connect(kStart);
  (void)r.primary.connect(kStart);
  (void)r.backup.connect(kStart);
  const auto injected = r.faults.injected();
  ASSERT_EQ(injected.size(), 2U);
  EXPECT_EQ(injected[0].target, "orders/backup");
  EXPECT_EQ(injected[0].count, 1U);
  EXPECT_EQ(injected[1].target, "orders/primary");
  EXPECT_EQ(injected[1].kind, "refuse");
  EXPECT_EQ(injected[1].count, 2U);
  EXPECT_EQ(r.faults.all(kStart).front().met, 3U);
}

TEST(Faults, AWrappedConnectionIsItselfAgainAfterItsRequest) {
  io::Simulation sim{io::SimOptions{}};
  auto listener = sim.environment().network.listen(sim.outside(), *parse_endpoint("127.0.0.1:0"));
  ASSERT_TRUE(listener);
  Registry r;
  EXPECT_EQ(r.primary.wrap(nullptr), nullptr);
  io::LiveTransports live;
  struct Plain final : io::Transport {
    explicit Plain(io::Loop& l) : at(l) {}
    io::Count try_read(std::span<char>) noexcept override { return {io::Code::WouldBlock, 0}; }
    io::Count try_peek(std::span<char>) noexcept override { return {io::Code::WouldBlock, 0}; }
    io::Count try_write(std::span<const io::ConstBuffer>) noexcept override { return {io::Code::WouldBlock, 0}; }
    void shutdown_write() noexcept override {}
    void close() noexcept override {}
    void reset() noexcept override {}
    void break_off() noexcept override { broken = true; }
    Peer peer_state() noexcept override { return Peer::Quiet; }
    Address local() const noexcept override { return {}; }
    Address peer() const noexcept override { return {}; }
    io::Loop& loop() noexcept override { return at; }
    void wait_readable(io::Waiter&) noexcept override {}
    void wait_writable(io::Waiter&) noexcept override {}
    io::Loop& at;
    bool broken = false;
  };
  auto first = std::make_unique<Plain>(sim.outside());
  Plain* const plain = first.get();
  live.add(*plain);
  io::TransportPtr transport = r.primary.wrap(std::move(first));
  EXPECT_EQ(transport.get(), plain) << "nothing is wrapped while nothing can happen";
  r.set("orders/primary", fault_of(Fault::Kind::Hang));
  transport = r.primary.wrap(std::move(transport));
  EXPECT_NE(transport.get(), plain);
  EXPECT_EQ(live.size(), 1U);
  r.faults.clear("orders", "", kStart);
  transport = r.primary.unwrap(std::move(transport));
  EXPECT_EQ(transport.get(), plain);
  EXPECT_EQ(live.size(), 1U);
  live.break_off();
  EXPECT_TRUE(plain->broken);
  transport.reset();
  EXPECT_EQ(live.size(), 0U);
}

}  // namespace
}  // namespace gatelab::upstream
