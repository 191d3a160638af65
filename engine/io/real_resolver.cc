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
#include <memory>

namespace gatelab::io {
namespace {

constexpr int kTimeoutMs = 2000, kTries = 2;  // of each server; doubles with each try

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

Channel open_channel(const Question& question) {
  static const Library library;
  if (!library.ready()) return nullptr;
  ares_options options{};
  options.timeout = kTimeoutMs;
  options.tries = kTries;
  ares_channel channel = nullptr;
  if (ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS) return nullptr;
  Channel out(channel);
  if (question.servers.empty()) return out;
  std::string servers;
  for (const Address& server : question.servers) servers += (servers.empty() ? "" : ",") + format(server);
  if (ares_set_servers_ports_csv(channel, servers.c_str()) != ARES_SUCCESS) return nullptr;
  return out;
}

void on_answer(void* into, int status, int, ares_addrinfo* answer) {
  auto& out = *static_cast<Resolved*>(into);
  if (status == ARES_SUCCESS && answer != nullptr) {
    int ttl = 0;
    for (const ares_addrinfo_node* node = answer->nodes; node != nullptr; node = node->ai_next) {
      add(out, node->ai_addr);
      if (node->ai_ttl > 0) ttl = ttl == 0 ? node->ai_ttl : std::min(ttl, node->ai_ttl);
    }
    for (const ares_addrinfo_cname* name = answer->cnames; name != nullptr; name = name->next)
      if (name->ttl > 0) ttl = ttl == 0 ? name->ttl : std::min(ttl, name->ttl);
    out.ttl = std::chrono::seconds(ttl);
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
    timeval longest{kTimeoutMs / 1000, 0}, next{};
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

void ask_system(const std::string& host, Resolved& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) add(out, a->ai_addr);
  ::freeaddrinfo(list);
}

}  // namespace

Resolved ask_dns(const Question& question) {
  Resolved out;
  if (const Channel channel = open_channel(question)) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel.get(), question.host.c_str(), nullptr, &hints, on_answer, &out);
    run(channel.get());
  }
  if (out.addresses.empty() && question.servers.empty()) ask_system(question.host, out);
  return out;
}

}  // namespace gatelab::io
