// SPDX-License-Identifier: Apache-2.0
#include "io/real_network.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "io/real_sockets.h"

namespace gatelab::io {
namespace {

Address local_of(int fd) noexcept {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return from_system(storage);
}

void no_delay(int fd) noexcept {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

class RealTransport final : public Transport {
 public:
  RealTransport(RealLoop& loop, int fd, Watched* watched, const Address& peer) noexcept : loop_(loop), fd_(fd), watched_(watched), peer_(peer) {}
  ~RealTransport() override { close(); }

  Count try_read(std::span<char> into) noexcept override {
    if (fd_ < 0) return {Code::Reset, 0};
    ssize_t n = 0;
    do n = ::recv(fd_, into.data(), into.size(), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
      if (errno == EAGAIN) watched_->readable = false;
      return {code_of(errno), 0};
    }
    if (n == 0) return {into.empty() ? Code::Ok : Code::Eof, 0};
    // Fewer than asked for: the socket is empty now and the next octet makes an edge. All that was asked for: there may be
    // more, of which no edge will tell, for the wait before this read has used it up.
    watched_->readable = static_cast<std::size_t>(n) == into.size();
    return {Code::Ok, static_cast<std::size_t>(n)};
  }

  Count try_peek(std::span<char> into) noexcept override {
    if (fd_ < 0) return {Code::Reset, 0};
    const ssize_t n = ::recv(fd_, into.data(), into.size(), MSG_PEEK);
    if (n < 0) return {code_of(errno), 0};
    watched_->readable = true;  // no further edge will tell of what stays where it is
    if (n == 0) return {into.empty() ? Code::Ok : Code::Eof, 0};
    return {Code::Ok, static_cast<std::size_t>(n)};
  }

  Count try_write(std::span<const ConstBuffer> from) noexcept override {
    if (fd_ < 0) return {Code::Reset, 0};
    const ssize_t n = from.size() == 1 ? send_one(from.front()) : send_all(from);
    if (n >= 0) return {Code::Ok, static_cast<std::size_t>(n)};
    if (errno == EAGAIN) watched_->writable = false;
    return {code_of(errno), 0};
  }

  void shutdown_write() noexcept override {
    if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
  }
  void close() noexcept override { end(Code::Cancelled); }
  void reset() noexcept override {
    no_linger();
    end(Code::Cancelled);
  }
  void break_off() noexcept override {
    no_linger();
    end(Code::Ok);
  }

  Peer peer_state() noexcept override {
    if (fd_ < 0) return Peer::Reset;
    char octet = 0;
    const ssize_t n = ::recv(fd_, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0) watched_->readable = true;  // as with try_peek
    if (n > 0) return Peer::Data;
    if (n == 0) return Peer::Eof;
    return errno == EAGAIN || errno == EINTR ? Peer::Quiet : Peer::Reset;
  }

  bool may_have_news() const noexcept override { return fd_ < 0 || watched_->readable || watched_->read_over; }

  Address local() const noexcept override { return fd_ < 0 ? Address{} : local_of(fd_); }
  Address peer() const noexcept override { return peer_; }
  Loop& loop() noexcept override { return loop_; }

  // What was closed may be asked still, and nobody watches it any more.
  void wait_readable(Waiter& w) noexcept override { fd_ < 0 ? w.complete(Code::Ok) : hold(watched_->reader, watched_->readable, watched_->read_over, w); }
  void wait_writable(Waiter& w) noexcept override { fd_ < 0 ? w.complete(Code::Ok) : hold(watched_->writer, watched_->writable, watched_->broken, w); }

 private:
  void no_linger() noexcept {
    const linger hard{1, 0};
    if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  // `waits`: how those end that are under way.
  void end(Code waits) noexcept {
    if (fd_ < 0) return;
    loop_.forget(watched_, fd_);
    ::close(std::exchange(fd_, -1));
    if (watched_->reader != nullptr) watched_->reader->complete(waits);
    if (watched_->writer != nullptr) watched_->writer->complete(waits);
  }
  // Most writes are one buffer: send() is the shorter way into the kernel.
  ssize_t send_one(const ConstBuffer& buffer) noexcept {
    if (buffer.size == 0) return 0;
    for (;;) {
      const ssize_t n = ::send(fd_, buffer.data, buffer.size, MSG_NOSIGNAL);
      if (n >= 0 || errno != EINTR) return n;
    }
  }
  ssize_t send_all(std::span<const ConstBuffer> from) noexcept {
    // A short message is copied together: that costs less than the longer way.
    char flat[1024];
    std::size_t total = 0;
    for (const ConstBuffer& b : from) total += b.size;
    if (total <= sizeof flat) {
      char* at = flat;
      for (const ConstBuffer& b : from) at = put(at, {b.data, b.size});
      return send_one({flat, total});
    }
    iovec parts[64];
    std::size_t count = 0;
    for (const ConstBuffer& b : from.subspan(0, std::min<std::size_t>(from.size(), 64)))
      if (b.size > 0) parts[count++] = {const_cast<char*>(b.data), b.size};
    if (count == 0) return 0;
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    for (;;) {
      const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
      if (n >= 0 || errno != EINTR) return n;
    }
  }

  void hold(Waiter*& place, bool& edge, bool over, Waiter& w) noexcept {
    if (edge || over) {
      edge = false;
      return w.complete(Code::Ok);
    }
    assert(place == nullptr && "one waiter a direction");
    place = &w;
    w.slot = &place;
  }

  RealLoop& loop_;
  int fd_;
  Watched* watched_;
  Address peer_;
};

TransportPtr adopt(RealLoop& loop, int fd, const Address& peer) noexcept {
  Watched* watched = loop.watch(fd);
  if (watched == nullptr) {
    ::close(fd);
    return nullptr;
  }
  return std::make_unique<RealTransport>(loop, fd, watched, peer);
}

class RealListener final : public Listener {
 public:
  RealListener(RealLoop& loop, int fd, SocketFile file) noexcept : loop_(loop), fd_(fd), file_(std::move(file)), local_(local_of(fd)), spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}
  ~RealListener() override {
    close();
    if (spare_ >= 0) ::close(spare_);
  }

  Address local() const noexcept override { return local_; }

  void start(std::vector<Loop*> workers, OnAccept on_accept) override {
    workers_ = std::move(workers);
    on_accept_ = std::make_shared<OnAccept>(std::move(on_accept));
    no_delay(fd_);  // each accepted socket inherits it
    // May be called from the thread that sets things up, before the loop runs.
    watched_ = loop_.watch(fd_, true);
    if (watched_ != nullptr) watched_->on_readable = [this] { accept_all(); };
  }

  void close() noexcept override {
    if (fd_ < 0) return;
    if (on_accept_) accept_all();
    if (watched_ != nullptr) loop_.forget(watched_, fd_);
    ::close(std::exchange(fd_, -1));
    file_.remove();
  }

 private:
  void accept_all() noexcept {
    for (;;) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        hand_out(fd, from_system(from));
        continue;
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if ((errno == EMFILE || errno == ENFILE) && spare_ >= 0) {
        shed();
        continue;
      }
      return;
    }
  }

  // No descriptor is left: the spare one makes it possible to take the connection and close it, instead of being told
  // about it for ever.
  void shed() noexcept {
    ::close(spare_);
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) ::close(fd);
    spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }

  void hand_out(int fd, const Address& peer) {
    const auto worker = static_cast<std::uint32_t>(next_++ % workers_.size());
    auto& loop = static_cast<RealLoop&>(*workers_[worker]);
    const auto deliver = [&loop, fd, peer, worker, call = on_accept_] {
      if (TransportPtr transport = adopt(loop, fd, peer)) (*call)(worker, std::move(transport));
    };
    if (&loop == &loop_) deliver();
    else loop.post_remote(deliver);
  }

  RealLoop& loop_;
  int fd_;
  SocketFile file_;
  Address local_;
  int spare_;
  Watched* watched_ = nullptr;
  std::vector<Loop*> workers_;
  std::shared_ptr<OnAccept> on_accept_;
  std::size_t next_ = 0;
};

int open_socket(const Address& address) noexcept {
  const int family = address.ip.family == IpAddress::Family::V6 ? AF_INET6 : AF_INET;
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

}  // namespace

Result<std::unique_ptr<Listener>> RealNetwork::listen(Loop& loop, const Endpoint& endpoint) {
  auto opened = open_listener(endpoint);
  if (!opened) return Failure<Error>{opened.error()};
  return std::unique_ptr<Listener>(std::make_unique<RealListener>(static_cast<RealLoop&>(loop), opened->fd, std::move(opened->file)));
}

Task<IoResult<TransportPtr>> RealNetwork::connect(Loop& loop, Address to, Wait wait) {
  Task<IoResult<TransportPtr>> connecting = connect_from(loop, IpAddress{}, to, wait);
  auto connected = co_await connecting;
  co_return connected;
}

namespace {

Task<IoResult<TransportPtr>> finish_connect(Loop& loop, int fd, Address to, bool connected, Wait wait) {
  TransportPtr transport = adopt(static_cast<RealLoop&>(loop), fd, to);
  if (!transport) co_return Failure<Code>{Code::TooMany};
  if (connected) co_return transport;
  const Code ready = co_await transport->writable(wait);
  if (ready != Code::Ok) co_return Failure<Code>{ready};
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) co_return Failure<Code>{code_of(error)};
  co_return transport;
}

}  // namespace

Task<IoResult<TransportPtr>> RealNetwork::connect_from(Loop& loop, IpAddress from, Address to, Wait wait) {
  const int fd = open_socket(to);
  if (fd < 0) co_return Failure<Code>{code_of(errno)};
  if (from.family != IpAddress::Family::None && !bind_to(fd, {from, 0})) {
    const Code code = code_of(errno);
    ::close(fd);
    co_return Failure<Code>{code};
  }
  no_delay(fd);
  sockaddr_storage storage{};
  const socklen_t size = to_system(to, storage);
  const int connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&storage), size);
  if (connected != 0 && errno != EINPROGRESS) {
    const Code code = code_of(errno);
    ::close(fd);
    co_return Failure<Code>{code};
  }
  Task<IoResult<TransportPtr>> finishing = finish_connect(loop, fd, to, connected == 0, wait);
  auto transport = co_await finishing;
  co_return transport;
}

// A unix socket connects at once, or its queue is full: then it is asked again after a moment.
Task<IoResult<TransportPtr>> RealNetwork::connect_unix(Loop& loop, std::string path, Wait wait) {
  constexpr Duration kMoment = std::chrono::milliseconds(10);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return Failure<Code>{code_of(errno)};
  Code code = Code::Ok;
  while (connect_unix_socket(fd, path) != 0) {
    code = code_of(errno);
    if (code != Code::WouldBlock) break;
    Wait moment = wait;
    moment.deadline = std::min(wait.deadline, loop.now() + kMoment);
    code = co_await sleep_until(loop, moment);
    if (code != Code::TimedOut || loop.now() >= wait.deadline) break;
    code = Code::Ok;
  }
  if (code != Code::Ok) {
    ::close(fd);
    co_return Failure<Code>{code};
  }
  TransportPtr transport = adopt(static_cast<RealLoop&>(loop), fd, {});
  if (!transport) co_return Failure<Code>{Code::TooMany};
  co_return transport;
}

}  // namespace gatelab::io
