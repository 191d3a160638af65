// SPDX-License-Identifier: Apache-2.0
// Sockets before they listen: addresses for the system, unix sockets with their files, sockets that were inherited, and who
// holds an address. Private to the real world; any thread.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>

#include <string>

#include "base/endpoint.h"
#include "io/code.h"

namespace gatelab::io {

Code code_of(int error) noexcept;
socklen_t to_system(const Address& a, sockaddr_storage& out) noexcept;
// IPv4 that came through an IPv6 socket is IPv4.
Address from_system(const sockaddr_storage& in) noexcept;
bool bind_to(int fd, const Address& address) noexcept;

// A unix socket's file, to be removed by whoever made it.
struct SocketFile {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
  // Only if it is still the same file: another program may have taken the name.
  void remove() noexcept;
};

// Connecting to a path; -1 with errno, EINPROGRESS and EAGAIN included.
int connect_unix_socket(int fd, const std::string& path) noexcept;

// A listening descriptor, or why there is none.
struct Opened {
  int fd = -1;
  SocketFile file;
};
Result<Opened> open_listener(const Endpoint& endpoint);

// " by nginx (pid 812)" where /proc tells; empty where it does not, as for another user's program.
std::string holder_of(const Address& address);

}  // namespace gatelab::io
