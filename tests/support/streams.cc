// SPDX-License-Identifier: Apache-2.0
// A peer for WebSocket (RFC 6455) and server-sent events that shares no line with the gateway.
//
// streams serve: listens on a free port of 127.0.0.1, prints it, then what happens, a line each.
//   WebSocket, any path: every message is echoed. What arrives in pieces goes back in pieces, so that the frames of
//     the two directions are never the same.
//   GET /events?stream=S&count=N: server-sent events 1 to N. Each but the first waits for a POST /release?stream=S, so
//     that who lets the next one go can have had the last. Prints "sent S 1"; "cut S" if the client goes away.
//   POST /result: prints "result BODY".
//
// streams exchange URL: opens ws:// or wss://, sends messages in frames of mixed sizes with pings between them, and
// compares every octet, message and pong that comes back. Prints "messages N octets N pongs N".
//   --octets N: how much to send (default 1 MiB)
//   --for SECONDS: send for so long instead, a message every --pause MILLISECONDS (default 1000)
//   --largest N: of a message (default 1 MiB)
//   --seed N: what octets and sizes are made from; --expect-seed N: what is expected, to see it fail
//   --header "Name: value": in the handshake; --ca FILE: whom to trust for wss
// Exit 1 and a reason on stderr when anything is not as it should be.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int kContinuation = 0, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;
// A peer that says nothing for so long has lost something.
constexpr int kSilenceMilliseconds = 60'000;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "streams: %s\n", why.c_str());
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// splitmix64: sizes are taken from one, octets from another.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_;
};

// An endless row of octets: sender and receiver make the same one, so that nothing need be kept to be compared.
class Octets {
 public:
  explicit Octets(std::uint64_t seed) : dice_(seed) {}
  unsigned char next() {
    if (left_ == 0) {
      word_ = dice_.next();
      left_ = 8;
    }
    const auto octet = static_cast<unsigned char>(word_);
    word_ >>= 8;
    --left_;
    return octet;
  }

 private:
  Dice dice_;
  std::uint64_t word_ = 0;
  int left_ = 0;
};

std::string base64(const unsigned char* data, std::size_t size) {
  std::vector<unsigned char> text(size / 3 * 4 + 5);
  const int length = EVP_EncodeBlock(text.data(), data, static_cast<int>(size));
  return {text.begin(), text.begin() + length};
}

std::string accept_of(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64(digest.data(), size);
}

// field(head, "name"): its value, names without case; empty if it is not there.
std::string field(const std::string& head, std::string_view name) {
  for (std::size_t line = head.find("\r\n"); line != std::string::npos && line + 2 < head.size();
       line = head.find("\r\n", line + 2)) {
    const std::string_view text = std::string_view(head).substr(line + 2, head.find("\r\n", line + 2) - line - 2);
    if (text.size() <= name.size() || text[name.size()] != ':') continue;
    if (::strncasecmp(text.data(), name.data(), name.size()) != 0) continue;
    std::string_view value = text.substr(name.size() + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    return std::string(value);
  }
  return {};
}

std::string frame_head(bool last, int opcode, std::uint64_t size, bool masked) {
  std::string head(1, static_cast<char>((last ? 0x80 : 0) | opcode));
  const int mask = masked ? 0x80 : 0;
  const int bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  head += static_cast<char>(mask | (bytes == 0 ? static_cast<int>(size) : bytes == 2 ? 126 : 127));
  for (int i = bytes - 1; i >= 0; --i) head += static_cast<char>(size >> (8 * i) & 0xff);
  return head;
}

// --- the origin ---

// How many events of a stream may be sent.
class Releases {
 public:
  void add(const std::string& stream) {
    const std::lock_guard lock(mutex_);
    ++count_[stream];
    changed_.notify_all();
  }
  // Waits a little; false if there are not so many yet.
  bool reached(const std::string& stream, int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(20), [&] { return count_[stream] >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> count_;
};

void say(const std::string& what) {
  std::printf("%s\n", what.c_str());
  std::fflush(stdout);
}

// The value of a parameter in a target's query, not decoded.
std::string parameter(const std::string& target, const std::string& name) {
  std::size_t at = target.find('?');
  while (at != std::string::npos) {
    const std::size_t next = target.find('&', at + 1);
    const std::string one = target.substr(at + 1, next == std::string::npos ? next : next - at - 1);
    if (one.starts_with(name + "=")) return one.substr(name.size() + 1);
    at = next;
  }
  return {};
}

class Served {
 public:
  Served(int fd, Releases& releases) : fd_(fd), releases_(releases) {}
  Served(const Served&) = delete;
  ~Served() { ::close(fd_); }

  void run() {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      char octet = 0;
      if (head.size() > 16384 || !exactly(&octet, 1)) return;
      head += octet;
    }
    const std::string key = field(head, "Sec-WebSocket-Key");
    if (key.empty()) return plain(head);
    if (!write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
            accept_of(key) + "\r\n\r\n"))
      return;
    while (frame()) {}
  }

 private:
  void plain(const std::string& head) {
    const std::size_t space = head.find(' ');
    const std::string target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    const std::string stream = parameter(target, "stream");
    std::string body(std::strtoull(field(head, "Content-Length").c_str(), nullptr, 10), '\0');
    if (!exactly(body.data(), body.size())) return;
    if (target.starts_with("/events")) return events(stream, std::atoi(parameter(target, "count").c_str()));
    if (target.starts_with("/release")) {
      releases_.add(stream);
    } else if (target.starts_with("/result")) {
      say("result " + body);
    } else {
      write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  }

  void events(const std::string& stream, int count) {
    if (!write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: "
               "chunked\r\nConnection: close\r\n\r\n"))
      return;
    for (int i = 1; i <= count; ++i) {
      while (!releases_.reached(stream, i - 1)) {
        char octet = 0;
        const ssize_t n = ::recv(fd_, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN)) return say("cut " + stream);
      }
      const std::string event =
          "id: " + std::to_string(i) + "\ndata: event " + std::to_string(i) + " of " + stream + "\n\n";
      std::array<char, 16> size{};
      std::snprintf(size.data(), size.size(), "%zx\r\n", event.size());
      say("sent " + stream + " " + std::to_string(i));
      if (!write(size.data() + event + "\r\n")) return say("cut " + stream);
    }
    write("0\r\n\r\n");
  }

  // One frame: its payload goes back as it arrives. False when the connection has ended.
  bool frame() {
    std::array<unsigned char, 8> head{};
    if (!exactly(head.data(), 2)) return false;
    const bool last = (head[0] & 0x80) != 0;
    const int opcode = head[0] & 0x0f;
    std::uint64_t size = head[1] & 0x7f;
    if ((head[1] & 0x80) == 0 || (head[0] & 0x70) != 0) return false;  // clients mask, and no extension was agreed on
    const int bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (bytes != 0) {
      if (!exactly(head.data(), static_cast<std::size_t>(bytes))) return false;
      size = 0;
      for (int i = 0; i < bytes; ++i) size = size << 8 | head[static_cast<std::size_t>(i)];
    }
    std::array<char, 4> mask{};
    if (!exactly(mask.data(), mask.size())) return false;
    if (opcode >= kClose) {
      std::string payload(size, '\0');
      if (size > 125 || !exactly(payload.data(), size)) return false;
      for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
      const int answer = opcode == kPing ? kPong : opcode;
      return (opcode == kPong || write(frame_head(true, answer, size, false) + payload)) && opcode != kClose;
    }
    int as = opcode;
    std::uint64_t done = 0;
    do {
      ssize_t n = 0;
      if (size > 0 && (n = ::recv(fd_, block_.data(), std::min<std::uint64_t>(block_.size(), size - done), 0)) <= 0)
        return false;
      for (ssize_t i = 0; i < n; ++i)
        block_[static_cast<std::size_t>(i)] =
            static_cast<char>(block_[static_cast<std::size_t>(i)] ^ mask[(done + static_cast<std::uint64_t>(i)) % 4]);
      done += static_cast<std::uint64_t>(n);
      if (!write(frame_head(last && done == size, as, static_cast<std::uint64_t>(n), false)) ||
          !write({block_.data(), static_cast<std::size_t>(n)}))
        return false;
      as = kContinuation;
    } while (done < size);
    return true;
  }

  bool exactly(void* into, std::size_t size) {
    return size == 0 || ::recv(fd_, into, size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  int fd_;
  Releases& releases_;
  std::array<char, 65536> block_{};
};

int serve() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 1024) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    die(std::string("can't listen: ") + std::strerror(errno));
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  Releases releases;
  while (true) {
    const int client = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread([client, &releases] { Served(client, releases).run(); }).detach();
  }
}

// --- the client ---

struct Plan {
  bool secure = false;
  std::string host, path = "/";
  std::uint16_t port = 0;
  std::string headers, ca;
  std::uint64_t octets = 1 << 20, largest = 1 << 20, seed = 1, expect_seed = 0;
  int seconds = 0, pause = 1000;
};

// A connection to loopback, with TLS or without, that never blocks.
class Line {
 public:
  explicit Line(const Plan& plan) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = loopback(plan.port);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      die(std::string("can't connect: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (plan.secure) handshake(plan);
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  }
  Line(const Line&) = delete;
  ~Line() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(fd_);
  }

  // Octets that came; 0: none now; -1: the peer has finished.
  ssize_t read(char* into, std::size_t size) {
    if (ssl_ == nullptr) {
      const ssize_t n = ::recv(fd_, into, size, 0);
      if (n > 0) return n;
      if (n < 0 && errno == EAGAIN) return 0;
      if (n < 0) die(std::string("the connection broke: ") + std::strerror(errno));
      return -1;
    }
    const int n = SSL_read(ssl_, into, static_cast<int>(size));
    return n > 0 ? n : waits(n);
  }
  ssize_t write(const char* from, std::size_t size) {
    if (ssl_ == nullptr) {
      const ssize_t n = ::send(fd_, from, size, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) die(std::string("the connection broke: ") + std::strerror(errno));
      return std::max<ssize_t>(n, 0);
    }
    const int n = SSL_write(ssl_, from, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
    if (n > 0) return n;
    if (waits(n) < 0) die("the peer finished while it was written to");
    return 0;
  }
  // Reads to the end, which must come, and says the same.
  void end() {
    std::array<char, 256> block{};
    ssize_t n = 0;
    while ((n = read(block.data(), block.size())) >= 0) {
      if (n > 0) die("octets behind the close frame");
      if (!wait(false, kSilenceMilliseconds)) die("the connection was not closed behind the close frame");
    }
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
  }
  // Until something can be read (or written, if that is wanted) or the time is over; false then.
  bool wait(bool to_write, int milliseconds) {
    if (ssl_ != nullptr && SSL_pending(ssl_) > 0) return true;
    pollfd one{fd_, static_cast<short>(POLLIN | (to_write ? POLLOUT : 0)), 0};
    return ::poll(&one, 1, milliseconds) > 0;
  }

 private:
  void handshake(const Plan& plan) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    if (plan.ca.empty() || SSL_CTX_load_verify_locations(context_, plan.ca.c_str(), nullptr) != 1)
      die("wss needs --ca FILE, a readable one");
    ssl_ = SSL_new(context_);
    SSL_set_tlsext_host_name(ssl_, plan.host.c_str());
    SSL_set1_host(ssl_, plan.host.c_str());
    SSL_set_fd(ssl_, fd_);
    if (SSL_connect(ssl_) != 1) die(std::string("the TLS handshake failed: ") + error());
  }
  ssize_t waits(int result) {
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return 0;
      case SSL_ERROR_ZERO_RETURN:
        return -1;
      default:
        die(std::string("the connection broke: ") + error());
    }
  }
  static std::string error() {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    return text.data();
  }

  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
};

class Session {
 public:
  explicit Session(const Plan& plan)
      : plan_(plan), line_(plan), sizes_(~plan.seed), sent_(plan.seed), expected_(plan.expect_seed) {}

  void run() {
    open();
    const auto begin = std::chrono::steady_clock::now();
    auto due = begin;
    const auto end = begin + std::chrono::seconds(plan_.seconds);
    while (!closed_) {
      const auto now = std::chrono::steady_clock::now();
      if (out_.empty() && !closing_) {
        if (left_ > 0 || in_message_) {
          next_frame();
        } else if (plan_.seconds > 0 ? now >= end : total_ >= plan_.octets) {
          // Everything must have come back before the end is said.
          if (messages_.empty() && pings_.empty()) say_close();
        } else if (plan_.seconds == 0 || now >= due) {
          begin_message();
          due += std::chrono::milliseconds(plan_.pause);
          if (due < now) due = now;  // a late start is not made up for by a burst
          next_frame();
        }
      }
      flush();
      if (out_.empty() && !closing_ && (left_ > 0 || in_message_)) {
        receive(0);
        continue;
      }
      const bool idle = plan_.seconds > 0 && out_.empty() && messages_.empty() && pings_.empty() && !closing_;
      const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(std::min(due, end) - now).count();
      if (idle) {
        receive(static_cast<int>(std::clamp<long long>(until + 1, 0, kSilenceMilliseconds)));
      } else if (plan_.seconds == 0 && out_.empty() && !closing_ && total_ < plan_.octets) {
        receive(0);
      } else {
        if (!receive(kSilenceMilliseconds))
          die("nothing came for a minute, and " + std::to_string(messages_.size()) + " messages are not back");
      }
    }
    // The server ends the connection first (RFC 6455 section 7.1.1).
    line_.end();
    std::printf("messages %llu octets %llu pongs %llu\n", static_cast<unsigned long long>(count_),
                static_cast<unsigned long long>(received_), static_cast<unsigned long long>(pongs_));
  }

 private:
  struct Message {
    std::uint64_t size;
  };

  void open() {
    std::array<unsigned char, 16> nonce{};
    for (auto& octet : nonce) octet = static_cast<unsigned char>(sizes_.next());
    const std::string key = base64(nonce.data(), nonce.size());
    out_ = "GET " + plan_.path + " HTTP/1.1\r\nHost: " + plan_.host + ":" + std::to_string(plan_.port) +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key +
           "\r\n" + plan_.headers + "\r\n";
    std::size_t end = std::string::npos;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      flush();
      if (!line_.wait(!out_.empty(), kSilenceMilliseconds)) die("no answer to the handshake");
      if (!fill()) die("the connection ended in the handshake: " + in_);
    }
    const std::string head = in_.substr(0, end + 2);
    in_.erase(0, end + 4);
    if (!head.starts_with("HTTP/1.1 101 "))
      die("the handshake was refused: " + head.substr(0, head.find("\r\n")) + " " + in_);
    if (field(head, "Sec-WebSocket-Accept") != accept_of(key)) die("wrong Sec-WebSocket-Accept: " + head);
  }

  void begin_message() {
    static constexpr std::array<std::uint64_t, 9> kEdges{0, 1, 125, 126, 127, 65535, 65536, 65537, 131072};
    std::uint64_t size = sizes_.below(2) == 0 ? kEdges[sizes_.below(kEdges.size())] : sizes_.below(plan_.largest + 1);
    size = std::min(size, plan_.largest);
    if (plan_.seconds == 0) size = std::min(size, plan_.octets - total_);
    messages_.push_back({size});
    left_ = size;
    total_ += size;
    ++count_;
    in_message_ = true;
    first_ = true;
  }

  void next_frame() {
    static constexpr std::array<std::uint64_t, 8> kEdges{0, 1, 125, 126, 127, 65535, 65536, 65537};
    if (!first_ && sizes_.below(8) == 0) ping();
    std::uint64_t size = sizes_.below(3) == 0   ? left_
                         : sizes_.below(2) == 0 ? kEdges[sizes_.below(kEdges.size())]
                                                : sizes_.below(1 << 18);
    size = std::min(size, left_);
    const bool last = size == left_;
    frame(last, first_ ? kBinary : kContinuation, size, [this] { return sent_.next(); });
    left_ -= size;
    first_ = false;
    in_message_ = !last;
  }

  void ping() {
    std::string payload;
    for (std::uint64_t size = sizes_.below(126); size > 0; --size) payload += static_cast<char>(sizes_.next());
    pings_.push_back(payload);
    std::size_t at = 0;
    frame(true, kPing, payload.size(), [&] { return static_cast<unsigned char>(payload[at++]); });
  }

  void say_close() {
    std::size_t at = 0;
    frame(true, kClose, 2, [&] { return static_cast<unsigned char>("\x03\xe8"[at++]); });
    closing_ = true;
  }

  template <class Next>
  void frame(bool last, int opcode, std::uint64_t size, Next next) {
    out_ += frame_head(last, opcode, size, true);
    std::uint64_t mask = sizes_.next();
    std::array<unsigned char, 4> key{};
    for (auto& octet : key) octet = static_cast<unsigned char>(mask), mask >>= 8;
    out_.append(reinterpret_cast<const char*>(key.data()), key.size());
    const std::size_t at = out_.size();
    out_.resize(at + size);
    for (std::uint64_t i = 0; i < size; ++i) out_[at + i] = static_cast<char>(next() ^ key[i % 4]);
  }

  void flush() {
    std::size_t done = 0;
    while (done < out_.size()) {
      const ssize_t n = line_.write(out_.data() + done, out_.size() - done);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    out_.erase(0, done);
  }

  bool fill() {
    std::array<char, 65536> block{};
    const ssize_t n = line_.read(block.data(), block.size());
    if (n > 0) in_.append(block.data(), static_cast<std::size_t>(n));
    return n >= 0;
  }

  // Waits for octets and takes what came; false when the time was over before any.
  bool receive(int milliseconds) {
    if (in_.empty() && !line_.wait(!out_.empty(), milliseconds)) return false;
    if (!fill() && !closed_) {
      take();
      if (!closed_) die("the connection ended without a close frame");
    }
    take();
    return true;
  }

  void take() {
    while (!closed_) {
      if (in_frame_) {
        const std::uint64_t n = std::min<std::uint64_t>(in_.size(), frame_left_);
        for (std::uint64_t i = 0; i < n; ++i) {
          if (static_cast<unsigned char>(in_[i]) != expected_.next())
            die("octet " + std::to_string(received_ + i) + " is not what was sent");
        }
        in_.erase(0, n);
        received_ += n;
        message_ += n;
        frame_left_ -= n;
        if (frame_left_ > 0) return;
        in_frame_ = false;
        if (frame_last_) end_message();
        continue;
      }
      if (in_.size() < 2) return;
      const auto octet = [this](std::size_t i) { return static_cast<unsigned char>(in_[i]); };
      if ((octet(0) & 0x70) != 0 || (octet(1) & 0x80) != 0) die("a frame that a server must not send");
      std::uint64_t size = octet(1) & 0x7f;
      const std::size_t bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
      if (in_.size() < 2 + bytes) return;
      if (bytes != 0) size = 0;
      for (std::size_t i = 0; i < bytes; ++i) size = size << 8 | octet(2 + i);
      const int opcode = octet(0) & 0x0f;
      const bool last = (octet(0) & 0x80) != 0;
      if (opcode >= kClose) {
        if (size > 125 || !last) die("a control frame that is too long or in pieces");
        if (in_.size() < 2 + bytes + size) return;
        const std::string payload = in_.substr(2 + bytes, size);
        in_.erase(0, 2 + bytes + size);
        control(opcode, payload);
        continue;
      }
      if (opcode != (within_ ? kContinuation : kBinary)) die("opcode " + std::to_string(opcode) + " out of turn");
      if (messages_.empty()) die("a message that was never sent");
      in_.erase(0, 2 + bytes);
      within_ = in_frame_ = true;
      frame_last_ = last;
      frame_left_ = size;
    }
  }

  void end_message() {
    if (message_ != messages_.front().size)
      die("a message of " + std::to_string(messages_.front().size) + " octets came back with " +
          std::to_string(message_));
    messages_.pop_front();
    message_ = 0;
    within_ = false;
  }

  void control(int opcode, const std::string& payload) {
    if (opcode == kPong) {
      if (pings_.empty() || pings_.front() != payload) die("a pong without its ping");
      pings_.pop_front();
      ++pongs_;
      return;
    }
    const int code = payload.size() < 2
                         ? 1005
                         : static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
    if (opcode != kClose || !closing_ || code != 1000)
      die("the peer ends it with opcode " + std::to_string(opcode) + ", code " + std::to_string(code));
    closed_ = true;
  }

  const Plan& plan_;
  Line line_;
  Dice sizes_;
  Octets sent_, expected_;
  std::string in_, out_;
  std::deque<Message> messages_;  // sent, not back yet
  std::deque<std::string> pings_;
  std::uint64_t left_ = 0, total_ = 0, count_ = 0, received_ = 0, pongs_ = 0, message_ = 0, frame_left_ = 0;
  bool first_ = false, in_message_ = false, closing_ = false, closed_ = false, in_frame_ = false, frame_last_ = false,
       within_ = false;
};

Plan parse(int argc, char** argv) {
  Plan plan;
  std::string url = argc > 2 ? argv[2] : "";
  plan.secure = url.starts_with("wss://");
  if (!plan.secure && !url.starts_with("ws://")) die("no ws:// or wss:// URL");
  url.erase(0, plan.secure ? 6 : 5);
  const std::size_t slash = url.find('/'), colon = url.find(':');
  if (colon == std::string::npos) die("the URL names no port");
  if (slash != std::string::npos) plan.path = url.substr(slash);
  plan.host = url.substr(0, colon);
  plan.port = static_cast<std::uint16_t>(std::atoi(url.c_str() + colon + 1));
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const char* value = argv[i + 1];
    if (flag == "--octets")
      plan.octets = std::strtoull(value, nullptr, 10);
    else if (flag == "--largest")
      plan.largest = std::strtoull(value, nullptr, 10);
    else if (flag == "--seed")
      plan.seed = std::strtoull(value, nullptr, 10);
    else if (flag == "--expect-seed")
      plan.expect_seed = std::strtoull(value, nullptr, 10);
    else if (flag == "--for")
      plan.seconds = std::atoi(value);
    else if (flag == "--pause")
      plan.pause = std::atoi(value);
    else if (flag == "--ca")
      plan.ca = value;
    else if (flag == "--header")
      plan.headers += std::string(value) + "\r\n";
    else
      die("unknown flag " + std::string(flag));
  }
  if (plan.expect_seed == 0) plan.expect_seed = plan.seed;
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "serve") return serve();
  if (what == "exchange") {
    const Plan plan = parse(argc, argv);
    Session(plan).run();
    return 0;
  }
  std::fprintf(stderr, "usage: streams serve | streams exchange URL [FLAG VALUE]…\n");
  return 2;
}
