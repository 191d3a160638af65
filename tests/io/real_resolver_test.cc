// SPDX-License-Identifier: Apache-2.0
// What real DNS servers may answer, from one that says what a test wants.
#include "io/real_resolver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

namespace gatelab::io {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kA = 1, kAaaa = 28;
constexpr std::uint8_t kNoError = 0, kServFail = 2, kNxDomain = 3;

// RFC 1035 §4 over UDP, one question a message. Whatever it hasn't been told of doesn't exist.
class DnsServer {
 public:
  struct Says {
    std::uint8_t rcode = kNoError;
    std::string address;  // none: there is no record of this type
    std::uint32_t ttl = 0;
    bool silent = false;
  };

  DnsServer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in here = address_of({});
    socklen_t size = sizeof here;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&here), size), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &size), 0);
    address_ = *parse_address("127.0.0.1:" + std::to_string(ntohs(here.sin_port)));
  }
  ~DnsServer() {
    if (thread_.joinable()) {
      const auto to = address_of(address_);
      ::sendto(fd_, "", 0, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);  // nothing at all ends it
      thread_.join();
    }
    ::close(fd_);
  }
  void say(const std::string& name, std::uint16_t type, Says says) { says_[{name, type}] = std::move(says); }
  void start() {
    thread_ = std::thread([this] { serve(); });
  }
  const Address& address() const { return address_; }

 private:
  static sockaddr_in address_of(const Address& address) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    out.sin_port = htons(address.port);
    return out;
  }
  void serve() {
    std::array<std::uint8_t, 1500> block;
    sockaddr_in from{};
    for (;;) {
      socklen_t size = sizeof from;
      const ssize_t n = ::recvfrom(fd_, block.data(), block.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n <= 0) return;
      const std::string reply = answer({reinterpret_cast<const char*>(block.data()), static_cast<std::size_t>(n)});
      if (!reply.empty()) ::sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
    }
  }
  std::string answer(const std::string& query) const {
    std::size_t at = 12;
    std::string name;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
      at += 1 + length;
    }
    if (at + 5 > query.size()) return {};
    const auto type = static_cast<std::uint16_t>(static_cast<std::uint8_t>(query[at + 1]) << 8 | static_cast<std::uint8_t>(query[at + 2]));
    const auto known = says_.find({name, type});
    const Says says = known == says_.end() ? Says{kNxDomain, "", 0, false} : known->second;
    if (says.silent) return {};
    std::string out = query.substr(0, 2) + '\x81' + static_cast<char>(0x80 | says.rcode) + std::string("\0\1\0", 3) + (says.address.empty() ? '\0' : '\1') + std::string(4, '\0');
    out += query.substr(12, at + 5 - 12);
    if (!says.address.empty()) out += "\xc0\x0c" + query.substr(at + 1, 4) + record(says);
    return out;
  }
  static std::string record(const Says& says) {
    const IpAddress ip = *parse_ip(says.address);
    const std::size_t size = ip.family == IpAddress::Family::V4 ? 4 : 16;
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(says.ttl >> shift);
    out += '\0';
    out += static_cast<char>(size);
    return out + std::string(reinterpret_cast<const char*>(ip.octets.data()), size);
  }

  int fd_;
  Address address_;
  std::map<std::pair<std::string, std::uint16_t>, Says> says_;
  std::thread thread_;
};

struct World {
  World() {
    ways.timeout_ms = 50;
    ways.tries = 2;
    ways.servers = {server.address()};
    ways.other_ways = [this](const std::string&, Resolved& out) {
      ++others_asked;
      if (others_say == Code::Ok) out.addresses = {*parse_ip("192.0.2.99")};
      return others_say;
    };
  }
  // "192.0.2.1 10s", or why not.
  std::string ask(const std::string& host, bool of_its_own = false) {
    Question question{host, {}};
    if (of_its_own) question.servers = {server.address()};
    const auto found = ask_dns(question, ways);
    if (!found) return std::string(name(found.error()));
    std::string out;
    for (const IpAddress& ip : found->addresses) out += format(ip) + " ";
    return out + (found->ttl ? std::to_string(found->ttl->count() / 1'000'000'000) + "s" : "unknown");
  }
  DnsServer server;
  DnsWays ways;
  int others_asked = 0;
  Code others_say = Code::NotFound;
};

TEST(RealResolver, ATtlOfNothingIsSaidAndAHostsFileSaysNone) {
  World w;
  w.server.say("long.test", kA, {kNoError, "192.0.2.1", 10, false});
  w.server.say("long.test", kAaaa, {kNoError, "", 0, false});
  w.server.say("zero.test", kA, {kNoError, "192.0.2.2", 0, false});
  w.server.say("zero.test", kAaaa, {kNoError, "", 0, false});
  w.server.start();
  EXPECT_EQ(w.ask("long.test"), "192.0.2.1 10s");
  EXPECT_EQ(w.ask("zero.test"), "192.0.2.2 0s");
  EXPECT_EQ(w.ask("zero.test", true), "192.0.2.2 0s");
  // Every system's hosts file has this one.
  const std::string local = w.ask("localhost");
  EXPECT_NE(local.find("127.0.0.1 "), std::string::npos) << local;
  EXPECT_TRUE(local.ends_with("unknown")) << local;
}

// A name of the hosts file that isn't localhost, which has a meaning of its own; empty: there is none.
std::string name_in_hosts_file() {
  std::ifstream file("/etc/hosts");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address, name;
    words >> address >> name;
    if (address.starts_with("127.") && !name.empty() && !name.starts_with("localhost")) return name;
  }
  return {};
}

TEST(RealResolver, ServersOfAQuestionsOwnAreAskedAndNotTheHostsFile) {
  std::string name = name_in_hosts_file();
  const bool there = !name.empty();
  if (!there) name = "elsewhere.test";
  World w;
  w.server.say(name, kA, {kNoError, "192.0.2.3", 5, false});
  w.server.say(name, kAaaa, {kNoError, "", 0, false});
  w.server.start();
  EXPECT_EQ(w.ask(name, true), "192.0.2.3 5s");
  EXPECT_EQ(w.ask(name).ends_with("unknown"), there);
}

TEST(RealResolver, NoSuchNameIsToldFromSilenceAndFromServersThatDoNotKnow) {
  World w;
  w.server.say("silent.test", kA, {kNoError, "", 0, true});
  w.server.say("silent.test", kAaaa, {kNoError, "", 0, true});
  w.server.say("failing.test", kA, {kServFail, "", 0, false});
  w.server.say("failing.test", kAaaa, {kServFail, "", 0, false});
  w.server.say("empty.test", kA, {kNoError, "", 0, false});
  w.server.say("empty.test", kAaaa, {kNoError, "", 0, false});
  w.server.start();
  for (const bool of_its_own : {false, true}) {
    EXPECT_EQ(w.ask("nobody.test", of_its_own), "not-found");
    EXPECT_EQ(w.ask("empty.test", of_its_own), "not-found");
    EXPECT_EQ(w.ask("silent.test", of_its_own), "timed-out");
    EXPECT_EQ(w.ask("failing.test", of_its_own), "other");
  }
}

// Names of one family are the rule: the other family's answer is no answer.
TEST(RealResolver, NoAddressOfOneFamilySaysNothingOfTheOther) {
  World w;
  w.server.say("failing.test", kA, {kServFail, "", 0, false});
  w.server.say("failing.test", kAaaa, {kNoError, "", 0, false});
  w.server.say("silent.test", kA, {kNoError, "", 0, true});
  w.server.say("silent.test", kAaaa, {kNoError, "", 0, false});
  w.server.say("reverse.test", kA, {kNoError, "", 0, false});
  w.server.say("reverse.test", kAaaa, {kServFail, "", 0, false});
  w.server.start();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(w.ask("failing.test"), "other");
    EXPECT_EQ(w.ask("reverse.test"), "other");
  }
  EXPECT_EQ(w.ask("silent.test"), "timed-out");
}

TEST(RealResolver, TheSystemsOtherWaysAreAskedForWhatDnsDoesNotKnowAndNotAfterSilence) {
  World w;
  w.server.say("silent.test", kA, {kNoError, "", 0, true});
  w.server.say("silent.test", kAaaa, {kNoError, "", 0, true});
  w.server.start();
  EXPECT_EQ(w.ask("silent.test"), "timed-out");
  EXPECT_EQ(w.ask("nobody.test", true), "not-found");
  EXPECT_EQ(w.others_asked, 0);
  EXPECT_EQ(w.ask("nobody.test"), "not-found");
  EXPECT_EQ(w.others_asked, 1);
  w.others_say = Code::TimedOut;
  EXPECT_EQ(w.ask("printer.local"), "not-found") << "DNS has answered";
  w.others_say = Code::Ok;
  EXPECT_EQ(w.ask("printer.local"), "192.0.2.99 unknown");
}

TEST(RealResolver, WhereNobodyListensTheSystemMayHaveOtherWays) {
  World w;
  w.others_say = Code::Ok;
  {
    DnsServer gone;
    w.ways.servers = {gone.address()};
  }
  EXPECT_EQ(w.ask("printer.local"), "192.0.2.99 unknown");
  w.others_say = Code::TimedOut;
  EXPECT_EQ(w.ask("printer.local"), "timed-out");
}

}  // namespace
}  // namespace gatelab::io
