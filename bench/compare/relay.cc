// SPDX-License-Identifier: Apache-2.0
// The floor under every proxy: moves bytes between a client and an origin without looking at them. One thread, bare
// epoll, level-triggered, try first. Two reads and two writes a request; what a gateway takes above it is its own doing.
//   relay ORIGIN_PORT [PROCESSES]     listens on a free port of 127.0.0.1 and prints it
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr std::size_t kBlock = 16 * 1024;

struct Side {
  int socket = -1;
  Side* other = nullptr;
  std::string pending;  // read from `other`, not yet taken by this socket
};

int poller = -1;

void watch(Side& side, int operation, bool write_too) {
  epoll_event event{};
  event.events = EPOLLIN | (write_too ? EPOLLOUT : 0U);
  event.data.ptr = &side;
  epoll_ctl(poller, operation, side.socket, &event);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void close_pair(Side* side) {
  for (Side* one : {side, side->other}) {
    if (one->socket >= 0) close(one->socket);
    one->socket = -1;  // freed once this round of events is through
  }
}

// False when the pair is at its end.
bool flush(Side& side) {
  while (!side.pending.empty()) {
    const ssize_t n = send(side.socket, side.pending.data(), side.pending.size(), MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    side.pending.erase(0, static_cast<std::size_t>(n));
  }
  watch(side, EPOLL_CTL_MOD, false);
  return true;
}

bool pump(Side& from) {
  if (!from.other->pending.empty()) return true;  // backpressure: the other side writes first
  char block[kBlock];
  const ssize_t n = recv(from.socket, block, sizeof block, 0);
  if (n < 0) return errno == EAGAIN;
  if (n == 0) return false;
  const ssize_t sent = send(from.other->socket, block, static_cast<std::size_t>(n), MSG_NOSIGNAL);
  if (sent == n) return true;
  if (sent < 0 && errno != EAGAIN) return false;
  from.other->pending.assign(block + (sent < 0 ? 0 : sent), block + n);
  watch(*from.other, EPOLL_CTL_MOD, true);
  return true;
}

void accept_all(int listener, int origin_port) {
  while (true) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    const int origin = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(origin_port);
    if (connect(origin, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(client);
      close(origin);
      continue;
    }
    fcntl(origin, F_SETFL, O_NONBLOCK);
    no_delay(client);
    no_delay(origin);
    auto* near = new Side{client, nullptr, {}};
    auto* far = new Side{origin, near, {}};
    near->other = far;
    watch(*near, EPOLL_CTL_ADD, false);
    watch(*far, EPOLL_CTL_ADD, false);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return std::fprintf(stderr, "usage: relay ORIGIN_PORT [PROCESSES]\n"), 2;
  const int origin_port = std::atoi(argv[1]);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 1024) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return std::perror("relay"), 4;
  }
  const int processes = argc == 3 ? std::atoi(argv[2]) : 1;
  const pid_t parent = getpid();
  for (int i = 1; i < processes && getpid() == parent; ++i) {
    if (fork() == 0) prctl(PR_SET_PDEATHSIG, SIGTERM);
  }
  poller = epoll_create1(EPOLL_CLOEXEC);
  Side door{listener, nullptr, {}};
  watch(door, EPOLL_CTL_ADD, false);
  if (getpid() == parent) {
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  epoll_event events[256];
  while (true) {
    const int n = epoll_wait(poller, events, 256, -1);
    Side* dead[256];
    int dead_count = 0;
    for (int i = 0; i < n; ++i) {
      Side& side = *static_cast<Side*>(events[i].data.ptr);
      if (&side == &door) {
        accept_all(listener, origin_port);
        continue;
      }
      if (side.socket < 0) continue;
      bool alive = (events[i].events & EPOLLOUT) == 0 || flush(side);
      if (alive && (events[i].events & ~static_cast<unsigned>(EPOLLOUT)) != 0) alive = pump(side);
      if (alive) continue;
      close_pair(&side);
      dead[dead_count++] = &side;
    }
    for (int i = 0; i < dead_count; ++i) {
      delete dead[i]->other;
      delete dead[i];
    }
  }
}
