// SPDX-License-Identifier: Apache-2.0
// Who listens on an address: /proc/net/tcp says which socket, /proc/*/fd says whose it is. What can't be read (another
// user's descriptors, a system without /proc) makes the answer empty, never wrong.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "io/real_sockets.h"

namespace gatelab::io {
namespace {

constexpr int kListening = 10;  // TCP_LISTEN

// A line: " 0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 12345 …". Whoever listens on the
// port at all may be the one in the way: a wildcard holds every address. 0: nobody.
std::string inode_of(const char* table, std::uint16_t port) {
  std::ifstream in(table);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    const std::size_t colon = local.rfind(':');
    unsigned bound = 0, status = 0;
    if (colon == std::string::npos) continue;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), bound, 16);
    std::from_chars(state.data(), state.data() + state.size(), status, 16);
    if (bound == port && status == kListening && inode != "0") return inode;
  }
  return {};
}

struct Close {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};
using Directory = std::unique_ptr<DIR, Close>;

bool holds(const std::string& process, const std::string& socket) {
  const std::string path = process + "/fd";
  const Directory descriptors(::opendir(path.c_str()));
  if (!descriptors) return false;
  while (const dirent* entry = ::readdir(descriptors.get())) {
    char target[64];
    const ssize_t n = ::readlink((path + "/" + entry->d_name).c_str(), target, sizeof target);
    if (n > 0 && socket == std::string_view(target, static_cast<std::size_t>(n))) return true;
  }
  return false;
}

}  // namespace

std::string holder_of(const Address& address) {
  std::string inode = inode_of("/proc/net/tcp", address.port);
  if (inode.empty()) inode = inode_of("/proc/net/tcp6", address.port);
  const Directory processes(inode.empty() ? nullptr : ::opendir("/proc"));
  if (!processes) return {};
  const std::string socket = "socket:[" + inode + "]";
  while (const dirent* entry = ::readdir(processes.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    const std::string process = std::string("/proc/") + entry->d_name;
    if (!holds(process, socket)) continue;
    std::ifstream in(process + "/comm");
    std::string program;
    std::getline(in, program);
    // A program chooses its own name.
    program.erase(std::remove_if(program.begin(), program.end(), [](char c) { return c < 0x20 || c == 0x7f; }), program.end());
    return " by " + (program.empty() ? "a program" : program) + " (pid " + entry->d_name + ")";
  }
  return {};
}

}  // namespace gatelab::io
