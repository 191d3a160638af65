// SPDX-License-Identifier: Apache-2.0
#include "io/real_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/cidr.h"
#include "base/text.h"

namespace gatelab::io {
namespace {

constexpr int kBacklog = 4096;
constexpr int kFirstInherited = 3;

socklen_t to_system(const std::string& path, sockaddr_un& out) noexcept {
  std::memset(&out, 0, sizeof out);
  out.sun_family = AF_UNIX;
  std::memcpy(out.sun_path, path.data(), std::min(path.size(), sizeof out.sun_path - 1));
  return sizeof out;
}

Failure<Error> failed(const Endpoint& endpoint, int fd, int error, const std::string& who = {}) {
  if (fd >= 0) ::close(fd);
  const Code code = code_of(error);
  const std::string what = "the address " + format(endpoint);
  if (code == Code::AddressInUse) return fail(std::string(name(code)), what + " is in use" + (who.empty() ? " by another program" : who));
  return fail(std::string(name(code)), what + " can't be bound: " + std::strerror(error));
}

// A file that nobody listens behind was left by a program that was killed. Anything else there stays.
bool remove_stale(const std::string& path) noexcept {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return true;
  if (!S_ISSOCK(found.st_mode)) return false;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool refused = connect_unix_socket(probe, path) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused && ::unlink(path.c_str()) == 0;
}

Result<Opened> open_unix(const Endpoint& endpoint) {
  if (!remove_stale(endpoint.name)) return failed(endpoint, -1, EADDRINUSE);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(endpoint, fd, errno);
  sockaddr_un name{};
  const socklen_t size = to_system(endpoint.name, name);
  // The socket's own mode becomes the file's: nobody can connect in between.
  ::fchmod(fd, endpoint.mode);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), size) != 0) return failed(endpoint, fd, errno);
  Opened out{fd, {endpoint.name, 0, 0}};
  struct stat made {};
  const bool known = ::lstat(endpoint.name.c_str(), &made) == 0;
  out.file.device = made.st_dev;
  out.file.inode = made.st_ino;
  if (known && ::chmod(endpoint.name.c_str(), endpoint.mode) == 0 && ::listen(fd, kBacklog) == 0) return out;
  const int error = errno;
  out.file.remove();
  return failed(endpoint, fd, error);
}

Result<Opened> open_ip(const Endpoint& endpoint) {
  const Address& address = endpoint.address;
  const bool v6 = address.ip.family == IpAddress::Family::V6;
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  // A machine without IPv6 still has the other half of "every address".
  if (fd < 0 && endpoint.both && errno == EAFNOSUPPORT) return open_ip(Address{*parse_ip("0.0.0.0"), address.port});
  if (fd < 0) return failed(endpoint, fd, errno);
  const int on = 1, one_family = endpoint.both ? 0 : 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (v6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one_family, sizeof one_family);
  if (bind_to(fd, address) && ::listen(fd, kBacklog) == 0) return Opened{fd, {}};
  const int error = errno;
  return failed(endpoint, fd, error, error == EADDRINUSE ? holder_of(address) : "");
}

// The descriptor of that name, by the protocol of systemd's sd_listen_fds(3); -1 if there is none.
int inherited(std::string_view wanted) {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  const char* names = std::getenv("LISTEN_FDNAMES");
  std::uint64_t process = 0, descriptors = 0;
  if (pid == nullptr || count == nullptr || !parse_decimal(pid, process) || !parse_decimal(count, descriptors)) return -1;
  if (process != static_cast<std::uint64_t>(::getpid()) || descriptors > 1024) return -1;
  std::string_view rest = names == nullptr ? "" : names;
  for (std::uint64_t i = 0; i < descriptors; ++i) {
    const std::size_t colon = rest.find(':');
    // Whoever names none means "unknown" (sd_listen_fds_with_names(3)).
    const std::string_view name = names == nullptr ? "unknown" : rest.substr(0, colon);
    if (name == wanted) return kFirstInherited + static_cast<int>(i);
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return -1;
}

Result<Opened> open_inherited(const Endpoint& endpoint) {
  const int given = inherited(endpoint.name);
  if (given < 0) return fail("not-found", "no socket `" + endpoint.name + "` was handed over: LISTEN_FDS and LISTEN_FDNAMES name none for this process");
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(given, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
    return fail("not-found", "what was handed over as `" + endpoint.name + "` is no listening stream socket");
  // A copy: a listener that a reload takes away and another brings back finds the original still open.
  const int fd = ::fcntl(given, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return failed(endpoint, fd, errno);
  ::fcntl(given, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return Opened{fd, {}};
}

}  // namespace

Code code_of(int error) noexcept {
  switch (error) {
    case 0: return Code::Ok;
    case EAGAIN: return Code::WouldBlock;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED: return Code::Reset;
    case ECONNREFUSED: return Code::Refused;
    case ETIMEDOUT: return Code::TimedOut;
    case EADDRINUSE: return Code::AddressInUse;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL: return Code::Unreachable;
    case ENOENT: return Code::NotFound;
    case EACCES:
    case EPERM: return Code::Denied;
    case EMFILE:
    case ENFILE: return Code::TooMany;
    default: return Code::Other;
  }
}

socklen_t to_system(const Address& a, sockaddr_storage& out) noexcept {
  std::memset(&out, 0, sizeof out);
  if (a.ip.family == IpAddress::Family::V6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(a.port);
    std::memcpy(&v6.sin6_addr, a.ip.octets.data(), 16);
    return sizeof(sockaddr_in6);
  }
  auto& v4 = reinterpret_cast<sockaddr_in&>(out);
  v4.sin_family = AF_INET;
  v4.sin_port = htons(a.port);
  std::memcpy(&v4.sin_addr, a.ip.octets.data(), 4);
  return sizeof(sockaddr_in);
}

Address from_system(const sockaddr_storage& in) noexcept {
  Address a;
  if (in.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(in);
    a.ip.family = IpAddress::Family::V6;
    std::memcpy(a.ip.octets.data(), &v6.sin6_addr, 16);
    a.ip = without_mapping(a.ip);
    a.port = ntohs(v6.sin6_port);
  } else if (in.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(in);
    a.ip.family = IpAddress::Family::V4;
    std::memcpy(a.ip.octets.data(), &v4.sin_addr, 4);
    a.port = ntohs(v4.sin_port);
  }
  return a;
}

bool bind_to(int fd, const Address& address) noexcept {
  sockaddr_storage storage{};
  const socklen_t size = to_system(address, storage);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

void SocketFile::remove() noexcept {
  struct stat now {};
  if (path.empty()) return;
  if (::lstat(path.c_str(), &now) == 0 && now.st_dev == device && now.st_ino == inode) ::unlink(path.c_str());
  path.clear();
}

int connect_unix_socket(int fd, const std::string& path) noexcept {
  sockaddr_un name{};
  const socklen_t size = to_system(path, name);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&name), size);
}

Result<Opened> open_listener(const Endpoint& endpoint) {
  switch (endpoint.kind) {
    case Endpoint::Kind::Ip: return open_ip(endpoint);
    case Endpoint::Kind::Unix: return open_unix(endpoint);
    case Endpoint::Kind::Inherited: break;
  }
  return open_inherited(endpoint);
}

}  // namespace gatelab::io
