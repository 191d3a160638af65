// SPDX-License-Identifier: Apache-2.0
#include "support/socket_world.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace gatelab::test {
namespace {

constexpr int kPatience = 10'000;  // ms

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void send_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t n = ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
}

void reset_socket(int fd) {
  const linger hard{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd);
}

io::RealOptions one_worker() {
  io::RealOptions options;
  options.workers = 1;
  options.seed = 7;
  return options;
}

}  // namespace

void SocketClient::write(std::string_view octets) { send_all(fd_, octets); }
void SocketClient::finish() { ::shutdown(fd_, SHUT_WR); }
void SocketClient::reset() { reset_socket(std::exchange(fd_, -1)); }
void SocketClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool SocketClient::read_until(const std::function<bool()>& done) {
  while (!ended && !done()) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, kPatience) <= 0) return false;
    std::array<char, 16384> block;
    const ssize_t n = ::recv(fd_, block.data(), block.size(), 0);
    if (n > 0) received.append(block.data(), static_cast<std::size_t>(n));
    ended = n <= 0;
    broken = n < 0;
  }
  return true;
}

SocketWorld::SocketWorld(std::vector<Reply> replies) : replies_(std::move(replies)), world_(one_worker()) {
  listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening_, plain, size) != 0 || ::listen(listening_, 64) != 0 || ::getsockname(listening_, plain, &size) != 0 || ::pipe(wake_) != 0)
    throw std::runtime_error("no origin can listen");
  origin_ = std::thread([this] { serve(); });
  gateway::Options options;
  options.ephemeral_listeners = true;
  options.log_sink = [](std::string_view) {};
  options.targets["target/target"] = {parse_address("127.0.0.1:0")->ip, ntohs(address.sin_port)};
  options.on_record = [this](const observe::Record& record) {
    const std::lock_guard lock(mutex_);
    reasons_.emplace_back(record.ended.reason);
    recorded_.notify_all();
  };
  gateway_ = std::make_unique<gateway::Gateway>(world_.environment(), options);
  const Status started = gateway_->start(build(*gateway_, plain_gateway()));
  if (!started) throw std::runtime_error(started.error().message);
  world_.start();
}

SocketWorld::~SocketWorld() {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  world_.environment().loops.front()->post_remote([&] {
    gateway_->drain(Duration{}, [&] {
      const std::lock_guard lock(mutex);
      done = true;
      changed.notify_all();
    });
  });
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::milliseconds(kPatience), [&done] { return done; })) << "the gateway did not drain";
  }
  world_.stop();
  world_.join();
  ::close(wake_[1]);
  origin_.join();
  ::close(wake_[0]);
  ::close(listening_);
}

std::unique_ptr<SocketClient> SocketWorld::connect() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(gateway_->listeners().front().address.port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("the gateway does not accept");
  no_delay(fd);
  return std::make_unique<SocketClient>(fd);
}

std::string SocketWorld::reason(std::size_t count) {
  std::unique_lock lock(mutex_);
  const bool there = recorded_.wait_for(lock, std::chrono::milliseconds(kPatience), [this, count] { return reasons_.size() >= count; });
  return there ? reasons_[count - 1] : "(no record)";
}

std::vector<std::string> SocketWorld::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}
std::string SocketWorld::target_octets() {
  const std::lock_guard lock(mutex_);
  return target_octets_;
}
std::size_t SocketWorld::target_connections() {
  const std::lock_guard lock(mutex_);
  return target_connections_;
}

// The origin's thread: until the pipe is closed.
void SocketWorld::serve() {
  std::vector<Peer> peers;
  for (;;) {
    std::vector<pollfd> waiting{{wake_[0], POLLIN, 0}, {listening_, POLLIN, 0}};
    for (const Peer& peer : peers) waiting.push_back({peer.fd, POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0) break;
    for (std::size_t i = 0; i < peers.size(); ++i)
      if (waiting[i + 2].revents != 0 && !read(peers[i])) peers[i].fd = -1;
    std::erase_if(peers, [](const Peer& peer) { return peer.fd < 0; });
    if (waiting[1].revents == 0) continue;
    Peer& fresh = peers.emplace_back();
    fresh.fd = ::accept(listening_, nullptr, nullptr);
    no_delay(fresh.fd);
    const std::lock_guard lock(mutex_);
    ++target_connections_;
  }
  for (const Peer& peer : peers) ::close(peer.fd);
}

// False: the connection is over.
bool SocketWorld::read(Peer& peer) {
  std::array<char, 16384> block;
  const ssize_t n = ::recv(peer.fd, block.data(), block.size(), 0);
  if (n <= 0) {
    ::close(peer.fd);
    return false;
  }
  peer.text.append(block.data(), static_cast<std::size_t>(n));
  {
    const std::lock_guard lock(mutex_);
    target_octets_.append(block.data(), static_cast<std::size_t>(n));
  }
  while (true) {
    const Reply reply = replies_[std::min(next_, replies_.size() - 1)];
    const std::size_t size = whole_request(peer.text, reply.at_head);
    if (size == 0 && wants_continue(peer.text, peer.continued)) send_all(peer.fd, "HTTP/1.1 100 Continue\r\n\r\n");
    if (size == 0) return true;
    if (!answer(peer)) return false;
  }
}

bool SocketWorld::answer(Peer& peer) {
  const Reply reply = replies_[std::min(next_++, replies_.size() - 1)];
  const std::size_t size = whole_request(peer.text, reply.at_head);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(peer.text.substr(0, size));
  }
  peer.text.erase(0, size);
  peer.continued = false;
  send_all(peer.fd, reply.text);
  if (reply.reset) reset_socket(peer.fd);
  else if (reply.close) ::close(peer.fd);
  return !reply.reset && !reply.close;
}

}  // namespace gatelab::test
