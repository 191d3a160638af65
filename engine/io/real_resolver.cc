// SPDX-License-Identifier: Apache-2.0
#include "io/real_resolver.h"

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

namespace gatelab::io {
namespace {

constexpr int kLongestWait = 2;  // seconds, where c-ares has no wish of its own

bool to_ip(const sockaddr* from, IpAddress& to) noexcept {
  if (from->sa_family == AF_INET) {
    to.family = IpAddress::Family::V4;
    std::memcpy(to.octets.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
  } else if (from->sa_family == AF_INET6) {
    to.family = IpAddress::Family::V6;
    std::memcpy(to.octets.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
  } else {
    return false;
  }
  return true;
}

void add(Resolved& out, const sockaddr* from) {
  IpAddress ip;
  if (to_ip(from, ip) && std::find(out.addresses.begin(), out.addresses.end(), ip) == out.addresses.end()) out.addresses.push_back(ip);
}

// Once a process, before its first use; c-ares counts.
class Library {
 public:
  Library() noexcept : ready_(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS) {}
  bool ready() const noexcept { return ready_; }

 private:
  bool ready_;
};

struct CloseChannel {
  void operator()(ares_channel channel) const noexcept { ares_destroy(channel); }
};
using Channel = std::unique_ptr<std::remove_pointer_t<ares_channel>, CloseChannel>;

Channel open_channel(const Question& question, const DnsWays& ways) {
  static const Library library;
  if (!library.ready()) return nullptr;
  ares_options options{};
  options.timeout = ways.timeout_ms;
  options.tries = ways.tries;
  int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  char dns_alone[] = "b";
  if (!question.servers.empty()) {
    options.lookups = dns_alone;
    mask |= ARES_OPT_LOOKUPS;
  }
  ares_channel channel = nullptr;
  if (ares_init_options(&channel, &options, mask) != ARES_SUCCESS) return nullptr;
  Channel out(channel);
  std::string servers;
  for (const Address& server : question.servers.empty() ? ways.servers : question.servers) servers += (servers.empty() ? "" : ",") + format(server);
  if (!servers.empty() && ares_set_servers_ports_csv(channel, servers.c_str()) != ARES_SUCCESS) return nullptr;
  return out;
}

struct Answer {
  Resolved resolved;
  int status = ARES_ECONNREFUSED;  // as c-ares itself says where nobody was asked
};

// The least of all: an alias's end is a node's too.
void on_answer(void* into, int status, int, ares_addrinfo* answer) {
  auto& out = *static_cast<Answer*>(into);
  out.status = status;
  if (status == ARES_SUCCESS && answer != nullptr) {
    int ttl = std::numeric_limits<int>::max();
    for (const ares_addrinfo_node* node = answer->nodes; node != nullptr; node = node->ai_next) {
      add(out.resolved, node->ai_addr);
      ttl = std::min(ttl, node->ai_ttl);
    }
    for (const ares_addrinfo_cname* name = answer->cnames; name != nullptr; name = name->next) ttl = std::min(ttl, name->ttl);
    out.resolved.ttl = std::chrono::seconds(std::max(ttl, 0));
    if (out.resolved.addresses.empty()) out.status = ARES_ENODATA;
  }
  if (answer != nullptr) ares_freeaddrinfo(answer);
}

// Until nothing is asked any more. c-ares keeps the time. With poll: a busy gateway has more descriptors than select knows.
void run(ares_channel channel) noexcept {
  for (;;) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const auto wanted = static_cast<unsigned>(ares_getsock(channel, sockets.data(), static_cast<int>(sockets.size())));
    std::array<pollfd, ARES_GETSOCK_MAXNUM> polled{};
    nfds_t count = 0;
    for (unsigned i = 0; i < sockets.size(); ++i) {
      const bool reads = ARES_GETSOCK_READABLE(wanted, i) != 0, writes = ARES_GETSOCK_WRITABLE(wanted, i) != 0;
      if (reads || writes) polled[count++] = {sockets[i], static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0};
    }
    if (count == 0) return;
    timeval longest{kLongestWait, 0}, next{};
    const timeval* wait = ares_timeout(channel, &longest, &next);
    ::poll(polled.data(), count, static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
    bool any = false;
    for (nfds_t i = 0; i < count; ++i) {
      if (polled[i].revents == 0) continue;
      any = true;
      const bool reads = (polled[i].revents & ~POLLOUT) != 0, writes = (polled[i].revents & (POLLOUT | POLLERR)) != 0;
      ares_process_fd(channel, reads ? polled[i].fd : ARES_SOCKET_BAD, writes ? polled[i].fd : ARES_SOCKET_BAD);
    }
    if (!any) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }
}

void ask(ares_channel channel, const std::string& host, int family, Answer& out) {
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, on_answer, &out);
}

bool says_no(int status) noexcept { return status == ARES_ENOTFOUND || status == ARES_ENODATA; }

Answer ask_both_families(ares_channel channel, const std::string& host) {
  Answer out;
  ask(channel, host, AF_UNSPEC, out);
  run(channel);
  if (out.status != ARES_ENODATA) return out;
  // c-ares asks twice and tells how the last question ended: that there are no addresses of one family doesn't say that
  // anybody has answered for the other.
  Answer v4, v6;
  ask(channel, host, AF_INET, v4);
  ask(channel, host, AF_INET6, v6);
  run(channel);
  for (Answer* one : {&v4, &v6})
    if (one->status == ARES_SUCCESS || !says_no(one->status)) return std::move(*one);
  return out;
}

// c-ares has no TTL for a line of the hosts file: it looks like an answer that holds for no time at all.
bool in_hosts_file(ares_channel channel, const std::string& host) {
  for (const int family : {AF_INET, AF_INET6}) {
    hostent* found = nullptr;
    const bool there = ares_gethostbyname_file(channel, host.c_str(), family, &found) == ARES_SUCCESS;
    if (found != nullptr) ares_free_hostent(found);
    if (there) return true;
  }
  return false;
}

// Whoever was silent will be so for getaddrinfo too, and the wait would be twice as long. c-ares says ECONNREFUSED where
// nobody was there to be asked, and where all could not say (SERVFAIL).
bool others_may_know(int status) noexcept { return says_no(status) || status == ARES_ECONNREFUSED; }

Code code_of(int status) noexcept {
  if (says_no(status)) return Code::NotFound;
  return status == ARES_ETIMEOUT ? Code::TimedOut : Code::Other;
}

}  // namespace

Code ask_system(const std::string& host, Resolved& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (status == EAI_AGAIN) return Code::TimedOut;
  if (status != 0) return status == EAI_NONAME || status == EAI_NODATA ? Code::NotFound : Code::Other;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) add(out, a->ai_addr);
  ::freeaddrinfo(list);
  return out.addresses.empty() ? Code::NotFound : Code::Ok;
}

IoResult<Resolved> ask_dns(const Question& question, const DnsWays& ways) {
  Answer answer;
  if (const Channel channel = open_channel(question, ways)) {
    answer = ask_both_families(channel.get(), question.host);
    if (answer.status == ARES_SUCCESS) {
      if (question.servers.empty() && answer.resolved.ttl == Duration{} && in_hosts_file(channel.get(), question.host)) answer.resolved.ttl.reset();
      return std::move(answer.resolved);
    }
  }
  if (!question.servers.empty() || !others_may_know(answer.status)) return Failure<Code>{code_of(answer.status)};
  Resolved found;
  const Code code = ways.other_ways(question.host, found);
  if (code == Code::Ok) return found;
  // What DNS has said stands, whoever else was silent; and where it could say nothing nobody else can deny a name.
  if (says_no(answer.status)) return Failure<Code>{Code::NotFound};
  return Failure<Code>{code == Code::NotFound ? Code::Other : code};
}

}  // namespace gatelab::io
