// SPDX-License-Identifier: Apache-2.0
// What shells can't do with sockets. `sockets activate NAME PROGRAM…`: listens on 127.0.0.1:0 and becomes the program, with
// the socket handed over as systemd does it. `sockets slow PORT COUNT`: opens that many connections, says "open N", then sends an
// octet of a head on each now and then until it is told to end by the end of its input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int activate(const char* name, char** program) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in any = loopback(0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 || ::listen(fd, 16) != 0) die("listen");
  if (fd != 3 && ::dup2(fd, 3) < 0) die("dup2");
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_FDNAMES", name, 1);
  ::execv(program[0], program);
  die(program[0]);
}

int slow(std::uint16_t port, std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const sockaddr_in to = loopback(port);
  constexpr char kHead[] = "GET /slow HTTP/1.1\r\nHost: a\r\nX-Slow: ";
  std::vector<int> open;
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) die("connect");
    if (::send(fd, kHead, sizeof kHead - 1, MSG_NOSIGNAL) < 0) die("send");
    open.push_back(fd);
  }
  std::printf("open %zu\n", open.size());
  std::fflush(stdout);
  pollfd input{0, POLLIN, 0};
  char octet = 'x';
  while (::poll(&input, 1, 500) == 0) {
    for (const int fd : open) ::send(fd, &octet, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  std::size_t answered = 0;
  for (const int fd : open) {
    char block[64];
    if (::recv(fd, block, sizeof block, MSG_DONTWAIT) > 12 && std::strncmp(block, "HTTP/1.1 408", 12) == 0) ++answered;
  }
  std::printf("answered %zu\n", answered);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 4 && std::strcmp(argv[1], "activate") == 0) return activate(argv[2], argv + 3);
  if (argc == 4 && std::strcmp(argv[1], "slow") == 0) return slow(static_cast<std::uint16_t>(std::atoi(argv[2])), static_cast<std::size_t>(std::atoi(argv[3])));
  std::fprintf(stderr, "usage: sockets activate NAME PROGRAM… | sockets slow PORT COUNT\n");
  return 2;
}
