// SPDX-License-Identifier: Apache-2.0
#include "upstream/addresses.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

#include "io/scope.h"
#include "io/sim.h"
#include "upstream/upstream.h"

namespace gatelab::upstream {
namespace {

using namespace std::chrono_literals;

std::string text_of(const std::vector<Address>& addresses) {
  std::string out;
  for (const Address& a : addresses) out += (out.empty() ? "" : " ") + format(a);
  return out;
}

std::vector<IpAddress> ips(std::initializer_list<const char*> texts) {
  std::vector<IpAddress> out;
  for (const char* text : texts) out.push_back(*parse_ip(text));
  return out;
}

TEST(Addresses, HoldAsLongAsDnsSaysWithinTheRules) {
  struct Case { std::optional<Duration> said; Duration holds; };
  const NameRules rules;
  for (const Case& c : {Case{10s, 10s}, Case{std::nullopt, 30s}, Case{0s, 1s}, Case{1ms, 1s}, Case{std::chrono::hours(24), 5min}}) {
    Addresses addresses;
    addresses.set({ips({"192.0.2.1"}), c.said}, Instant{});
    EXPECT_TRUE(addresses.fresh(rules, Instant{} + (c.holds - 1ns))) << c.holds.count();
    EXPECT_FALSE(addresses.fresh(rules, Instant{} + c.holds)) << c.holds.count();
  }
  Addresses literal;
  literal.set({ips({"192.0.2.1"}), Duration::max()}, Instant{});
  EXPECT_TRUE(literal.fresh(rules, Instant{} + std::chrono::hours(24 * 365)));
}

TEST(Addresses, HoldForEachWhoAsksByHisOwnRules) {
  NameRules longer;
  longer.min_ttl = 20s;
  Addresses addresses;
  addresses.set({ips({"192.0.2.1"}), 10s}, Instant{});
  EXPECT_EQ(addresses.expire({}), Instant{} + 10s);
  EXPECT_EQ(addresses.expire(longer), Instant{} + 20s);
}

TEST(Addresses, AreUsedForAWhileWhenNobodyAnswersAnyMore) {
  const NameRules rules;
  Addresses addresses;
  EXPECT_FALSE(addresses.usable(rules, Instant{}));
  addresses.set({ips({"192.0.2.1"}), 10s}, Instant{});
  addresses.failed(Instant{} + 10s);
  EXPECT_TRUE(addresses.fresh(rules, Instant{} + 10500ms));
  EXPECT_EQ(addresses.expire(rules), Instant{} + 11s);
  EXPECT_TRUE(addresses.usable(rules, Instant{} + (10s + 5min - 1ns)));
  EXPECT_FALSE(addresses.usable(rules, Instant{} + (10s + 5min)));
  addresses.failed(Instant{} + (10s + 5min));
  EXPECT_FALSE(addresses.fresh(rules, Instant{} + (10s + 5min)));
}

TEST(Addresses, ThatHoldForNoTimeAreRefreshedOnceASecond) {
  NameRules none;
  none.min_ttl = none.max_ttl = none.stale = 0s;
  Addresses addresses;
  EXPECT_EQ(addresses.refresh_at(none), Instant::max());
  addresses.set({ips({"192.0.2.1"}), 10s}, Instant{});
  EXPECT_FALSE(addresses.usable(none, Instant{}));
  EXPECT_EQ(addresses.expire(none), Instant{});
  EXPECT_EQ(addresses.refresh_at(none), Instant{} + 1s);
  EXPECT_EQ(addresses.refresh_at({}), Instant{} + 10s);
}

TEST(Addresses, EndWithTheirName) {
  Addresses addresses;
  EXPECT_FALSE(addresses.forget());
  addresses.set({ips({"192.0.2.1"}), 10s}, Instant{});
  EXPECT_TRUE(addresses.forget());
  EXPECT_FALSE(addresses.usable({}, Instant{}));
  EXPECT_FALSE(addresses.holds(*parse_ip("192.0.2.1")));
  EXPECT_EQ(addresses.expire({}), Instant::max());
}

TEST(Addresses, TakeTheFamiliesInTurnAndEachConnectionAnotherFirst) {
  Addresses addresses;
  EXPECT_TRUE(addresses.set({ips({"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2", "192.0.2.3"}), 10s}, Instant{}));
  EXPECT_EQ(text_of(addresses.in_order(80, 0, Instant{})), "[2001:db8::1]:80 192.0.2.1:80 [2001:db8::2]:80 192.0.2.2:80 192.0.2.3:80");
  EXPECT_EQ(text_of(addresses.in_order(80, 1, Instant{})), "[2001:db8::2]:80 192.0.2.2:80 [2001:db8::1]:80 192.0.2.3:80 192.0.2.1:80");
  EXPECT_FALSE(addresses.set({ips({"192.0.2.3", "192.0.2.2", "192.0.2.1", "2001:db8::2", "2001:db8::1"}), 10s}, Instant{})) << "the same in another order";
  EXPECT_TRUE(addresses.set({ips({"192.0.2.3"}), 10s}, Instant{}));
}

TEST(Addresses, BeginWithTheFamilyThatAnsweredLastForAWhile) {
  Addresses addresses;
  addresses.set({ips({"2001:db8::1", "192.0.2.1"}), 10s}, Instant{});
  addresses.answered(ips({"192.0.2.1"}).front(), Instant{});
  EXPECT_EQ(text_of(addresses.in_order(80, 0, Instant{} + 599s)), "192.0.2.1:80 [2001:db8::1]:80");
  addresses.answered(ips({"192.0.2.1"}).front(), Instant{} + 599s);
  EXPECT_EQ(text_of(addresses.in_order(80, 0, Instant{} + 600s)), "[2001:db8::1]:80 192.0.2.1:80");
  addresses.answered(ips({"192.0.2.1"}).front(), Instant{});
  addresses.set({ips({"2001:db8::1"}), 10s}, Instant{});
  EXPECT_EQ(text_of(addresses.in_order(80, 0, Instant{} + 1s)), "[2001:db8::1]:80") << "of that family there is none";
}

// A target with a name in a simulated world, and what listens there.
struct World {
  io::Simulation sim{io::SimOptions{}};
  io::Scope scope{sim.outside()};
  Questions questions{scope, {}};
  Config config;
  std::optional<Target> target;
  std::shared_ptr<Pool> pool = std::make_shared<Pool>();
  std::vector<std::unique_ptr<io::Listener>> listeners;

  World() {
    config.name = "api";
    TargetConfig one;
    one.name = "api";
    one.url = *http::parse_base_url("http://api.test:80");
    config.targets.push_back(one);
    target.emplace(config, &config.targets.front(), Target::Place{pool, std::nullopt, false, nullptr, nullptr, &questions}, 0);
  }
  ~World() {
    pool->clear();
    scope.cancel();
    sim.drain();
  }
  void listen(const char* address) {
    auto listener = sim.environment().network.listen(sim.outside(), *parse_endpoint(address));
    ASSERT_TRUE(listener);
    (*listener)->start({&sim.outside()}, [](std::uint32_t, io::TransportPtr) {});
    listeners.push_back(std::move(*listener));
  }
  static io::Task<void> open_into(World& world, std::optional<Opened>& out, io::Wait wait = {}) {
    auto opening = world.target->open(world.sim.outside(), world.sim.environment().network, world.sim.environment().resolver, wait);
    auto opened = co_await opening;
    out.emplace(std::move(opened));
  }
  // "192.0.2.1:80 after 250ms", or why not.
  std::string open() {
    const Instant began = sim.now();
    std::optional<Opened> opened;
    scope.spawn(open_into(*this, opened));
    sim.run_until([&] { return opened.has_value(); }, 1min);
    const std::string after = " after " + format(sim.now() - began);
    sim.drain();
    return end_of(opened) + after;
  }
  // The address, or the reason; "pending" if there is neither.
  std::string end_of(std::optional<Opened>& opened) {
    if (!opened) return "pending";
    if (!opened->transport) return std::string(opened->failure->word);
    target->give(std::move(opened->transport), sim.now(), kNobody);
    pool->clear();
    return format(opened->address);
  }
  void refresh() {
    target->refresh_addresses(sim.outside(), sim.environment().resolver);
    sim.drain();
  }
};

TEST(Reach, AsksBesideTheRequestWhenTheAnswersTimeIsOver) {
  World w;
  w.listen("192.0.2.1:80");
  w.listen("192.0.2.2:80");
  w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  w.sim.add_name("api.test", ips({"192.0.2.2"}), 10s);
  w.sim.set_dns("api.test", io::Simulation::Dns::Slow, 1s);
  w.sim.advance(9s);
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  EXPECT_EQ(w.sim.times_asked("api.test"), 1U);
  w.sim.advance(1s);
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  EXPECT_EQ(w.sim.times_asked("api.test"), 2U);
  w.sim.advance(1s);
  EXPECT_EQ(w.open(), "192.0.2.2:80 after 0s");
  EXPECT_EQ(w.sim.times_asked("api.test"), 2U);
}

TEST(Reach, GoesOnWithWhatItKnewWhileDnsFailsOrIsSilent) {
  for (const auto& [dns, in_the_end] : {std::pair{io::Simulation::Dns::Failing, "resolve-failure after 0s"}, {io::Simulation::Dns::Silent, "connect-timeout after 5s"}}) {
    World w;
    w.listen("192.0.2.1:80");
    w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
    EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
    w.sim.set_dns("api.test", dns);
    for (int i = 0; i < 3; ++i) {
      w.sim.advance(20s);
      EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
    }
    EXPECT_EQ(w.sim.times_asked("api.test"), 4U);
    w.sim.advance(5min);
    EXPECT_EQ(w.open(), in_the_end);
    w.sim.set_dns("api.test", io::Simulation::Dns::Normal);
    w.sim.advance(5s);
    EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  }
}

TEST(Reach, ThatThereIsNoSuchNameIsAnAnswerAndEndsWhatWasKnown) {
  World w;
  w.listen("192.0.2.1:80");
  w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
  std::optional<Opened> idle, busy;
  w.scope.spawn(World::open_into(w, idle));
  w.scope.spawn(World::open_into(w, busy));
  w.sim.drain();
  ASSERT_TRUE(idle && idle->transport && busy && busy->transport);
  w.target->give(std::move(idle->transport), w.sim.now(), kNobody);
  w.sim.add_name("api.test", {});
  w.sim.advance(10s);
  w.refresh();
  EXPECT_EQ(w.pool->idle(), 0U);
  w.target->give(std::move(busy->transport), w.sim.now(), kNobody);
  EXPECT_EQ(w.pool->idle(), 0U);
  EXPECT_EQ(w.open(), "resolve-failure after 0s");
}

TEST(Reach, AsksOnceForAllWhoWait) {
  World w;
  w.listen("192.0.2.1:80");
  w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
  w.sim.set_dns("api.test", io::Simulation::Dns::Slow, 1s);
  std::array<std::optional<Opened>, 5> opened;
  for (auto& one : opened) w.scope.spawn(World::open_into(w, one));
  w.sim.advance(1s);
  EXPECT_EQ(w.sim.times_asked("api.test"), 1U);
  for (auto& one : opened) EXPECT_EQ(w.end_of(one), "192.0.2.1:80");
}

TEST(Reach, WhoWaitsForAnAnswerGoesWhenHeMustAndTheOthersAreServed) {
  World w;
  w.listen("192.0.2.1:80");
  w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
  w.sim.set_dns("api.test", io::Simulation::Dns::Slow, 1s);
  io::CancelToken token;
  io::Wait cancelled, hurried;
  cancelled.cancel = &token;
  hurried.deadline = w.sim.now() + 500ms;
  std::optional<Opened> first, second, third;
  w.scope.spawn(World::open_into(w, first, cancelled));
  w.sim.drain();
  w.scope.spawn(World::open_into(w, second, hurried));
  w.scope.spawn(World::open_into(w, third));
  w.sim.advance(200ms);
  token.cancel();
  w.sim.drain();
  EXPECT_EQ(w.end_of(first), "connect-failure");
  EXPECT_EQ(w.end_of(second), "pending");
  w.sim.advance(300ms);
  EXPECT_EQ(w.end_of(second), "connect-timeout");
  EXPECT_EQ(w.end_of(third), "pending");
  w.sim.advance(500ms);
  EXPECT_EQ(w.end_of(third), "192.0.2.1:80");
  EXPECT_EQ(w.sim.times_asked("api.test"), 1U);
}

TEST(Reach, WhereATargetWasAndIsNoMoreItsNewAddressIsTried) {
  for (const auto reach : {io::Simulation::Reach::Hang, io::Simulation::Reach::Refuse}) {
    World w;
    w.listen("192.0.2.1:80");
    w.listen("192.0.2.2:80");
    w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
    EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
    w.sim.add_name("api.test", ips({"192.0.2.2"}), 10s);
    w.sim.set_dns("api.test", io::Simulation::Dns::Slow, 100ms);
    w.sim.set_reach(*parse_address("192.0.2.1:80"), reach);
    w.sim.advance(10s);
    EXPECT_EQ(w.open(), "192.0.2.2:80 after 100ms");
  }
}

TEST(Reach, WhenAllThatIsKnownRefusesDnsIsWaitedForAMomentOnly) {
  World w;
  w.listen("192.0.2.1:80");
  w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  w.sim.set_dns("api.test", io::Simulation::Dns::Silent);
  w.sim.set_reach(*parse_address("192.0.2.1:80"), io::Simulation::Reach::Refuse);
  w.sim.advance(10s);
  EXPECT_EQ(w.open(), "connect-failure after 250ms");
}

TEST(Reach, ASilentAddressCostsAMomentAndARefusalNothing) {
  World w;
  w.listen("192.0.2.1:80");
  w.sim.set_reach(*parse_address("[2001:db8::1]:80"), io::Simulation::Reach::Hang);
  w.sim.set_reach(*parse_address("[2001:db8::2]:80"), io::Simulation::Reach::Refuse);
  w.sim.add_name("api.test", ips({"2001:db8::1", "192.0.2.1"}), 10s);
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 250ms");
  w.sim.add_name("api.test", ips({"2001:db8::2", "192.0.2.1"}), 10s);
  w.refresh();
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  w.sim.add_name("api.test", ips({"2001:db8::2", "192.0.2.9"}), 10s);
  w.refresh();
  EXPECT_EQ(w.open(), "connect-failure after 0s");
  w.sim.set_reach(*parse_address("192.0.2.1:80"), io::Simulation::Reach::Hang);
  w.sim.add_name("api.test", ips({"2001:db8::1", "192.0.2.1"}), 10s);
  w.refresh();
  EXPECT_EQ(w.open(), "connect-timeout after 5s");
}

TEST(Reach, AFamilyThatIsSilentIsWaitedForOnce) {
  World w;
  w.listen("192.0.2.1:80");
  w.listen("[2001:db8::1]:80");
  w.sim.set_reach(*parse_address("[2001:db8::1]:80"), io::Simulation::Reach::Hang);
  w.sim.add_name("api.test", ips({"2001:db8::1", "192.0.2.1"}), 1h);
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 250ms");
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 0s");
  w.sim.advance(10min);
  EXPECT_EQ(w.open(), "192.0.2.1:80 after 250ms") << "it may have come back";
  w.sim.set_reach(*parse_address("[2001:db8::1]:80"), io::Simulation::Reach::Normal);
  w.sim.advance(10min);
  EXPECT_EQ(w.open(), "[2001:db8::1]:80 after 0s");
}

TEST(Reach, ConnectionsToWhereATargetWasAreNotKept) {
  World w;
  w.listen("192.0.2.1:80");
  w.listen("192.0.2.2:80");
  w.sim.add_name("api.test", ips({"192.0.2.1"}), 10s);
  std::optional<Opened> idle, busy;
  w.scope.spawn(World::open_into(w, idle));
  w.scope.spawn(World::open_into(w, busy));
  w.sim.drain();
  ASSERT_TRUE(idle->transport && busy->transport);
  w.target->give(std::move(idle->transport), w.sim.now(), kNobody);
  EXPECT_EQ(w.pool->idle(), 1U);
  w.sim.add_name("api.test", ips({"192.0.2.2"}), 10s);
  w.sim.advance(10s);
  EXPECT_EQ(w.target->addresses_expire(), w.sim.now());
  w.target->refresh_addresses(w.sim.outside(), w.sim.environment().resolver);
  EXPECT_EQ(w.target->addresses_expire(), Instant::max()) << "it is being asked";
  w.sim.drain();
  EXPECT_EQ(w.target->addresses_expire(), w.sim.now() + 10s);
  EXPECT_EQ(w.pool->idle(), 0U);
  w.target->give(std::move(busy->transport), w.sim.now(), kNobody);
  EXPECT_EQ(w.pool->idle(), 0U);
}

}  // namespace
}  // namespace gatelab::upstream
