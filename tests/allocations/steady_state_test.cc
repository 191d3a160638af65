// SPDX-License-Identifier: Apache-2.0
// A request in the steady state allocates nothing (design §2): a real gateway on loopback with a key, a limit, metrics and a
// JSON access log, between kept connections, in a program whose every allocation is counted. Client and origin are plain
// blocking sockets that allocate nothing themselves.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>

#include "gateway/gateway.h"
#include "io/real.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::uint64_t> allocations{0};

// A place for a debugger to stop at.
[[gnu::noinline]] void allocated() noexcept { allocations.fetch_add(1, std::memory_order_relaxed); }

void* counted(std::size_t size, std::size_t align) noexcept;

}  // namespace

// What our own libraries ask of malloc themselves; --wrap sends it here.
extern "C" {
void* __real_malloc(std::size_t size) noexcept;
void* __real_calloc(std::size_t n, std::size_t size) noexcept;
void* __real_realloc(void* p, std::size_t size) noexcept;
void* __wrap_malloc(std::size_t size) noexcept {
  if (counting.load(std::memory_order_relaxed)) allocated();
  return __real_malloc(size);
}
void* __wrap_calloc(std::size_t n, std::size_t size) noexcept {
  if (counting.load(std::memory_order_relaxed)) allocated();
  return __real_calloc(n, size);
}
void* __wrap_realloc(void* p, std::size_t size) noexcept {
  if (counting.load(std::memory_order_relaxed)) allocated();
  return __real_realloc(p, size);
}
}

namespace {

void* counted(std::size_t size, std::size_t align) noexcept {
  if (counting.load(std::memory_order_relaxed)) allocated();
  void* p = align <= alignof(std::max_align_t) ? __real_malloc(size) : std::aligned_alloc(align, (size + align - 1) / align * align);
  if (p == nullptr) std::abort();
  return p;
}

}  // namespace

void* operator new(std::size_t n) { return counted(n, 0); }
void* operator new[](std::size_t n) { return counted(n, 0); }
void* operator new(std::size_t n, std::align_val_t a) { return counted(n, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return counted(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 0); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 0); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace gatelab::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(port);
  return a;
}

// Reads until `text` holds a head and `body` octets behind it; the size of it all, or 0 if the peer has closed.
std::size_t read_message(int fd, std::span<char> text, std::size_t body) noexcept {
  std::size_t have = 0;
  for (;;) {
    const std::string_view got(text.data(), have);
    const std::size_t end = got.find("\r\n\r\n");
    if (end != std::string_view::npos && have >= end + 4 + body) return have;
    const ssize_t n = ::recv(fd, text.data() + have, text.size() - have, 0);
    if (n <= 0) return 0;
    have += static_cast<std::size_t>(n);
  }
}

// Answers each request on each connection with the same octets. A request's body, if any, is five octets long.
class Origin {
 public:
  Origin() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in a = loopback(0);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    socklen_t size = sizeof a;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &size);
    port = ntohs(a.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Origin() {
    ::shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    ::close(fd_);
    for (std::thread& t : servers_) t.join();
  }
  std::uint16_t port = 0;

 private:
  void accept_all() {
    for (int fd = ::accept(fd_, nullptr, nullptr); fd >= 0; fd = ::accept(fd_, nullptr, nullptr)) servers_.emplace_back(serve, fd);
  }
  static bool slow(std::string_view request) noexcept { return request.starts_with("GET /orders/slow "); }
  static void serve(int fd) noexcept {
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nX-One: 1\r\nX-Two: 2\r\n\r\nhello";
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::array<char, 4096> text;
    for (;;) {
      std::size_t have = read_message(fd, text, 0);
      if (have == 0) break;
      if (text[0] == 'P' && !std::string_view(text.data(), have).ends_with("hello")) have = 0;
      if (have == 0) {  // the body comes behind the head
        const ssize_t n = ::recv(fd, text.data(), 5, MSG_WAITALL);
        if (n != 5) break;
      }
      // Slow on purpose: long enough for the gateway to begin to watch whether the client is still there.
      if (slow(std::string_view(text.data(), text.size()))) ::poll(nullptr, 0, 10);
      if (::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kAnswer.size())) break;
    }
    ::close(fd);
  }
  int fd_ = -1;
  std::thread acceptor_;
  std::vector<std::thread> servers_;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in a = loopback(port);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Client() { ::close(fd_); }
  // True if the answer was a 200 with the origin's body.
  bool ask(std::string_view request) noexcept {
    std::array<char, 4096> text;
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) return false;
    const std::size_t size = read_message(fd_, text, 5);
    const std::string_view got(text.data(), size);
    return got.starts_with("HTTP/1.1 200") && got.ends_with("hello");
  }

 private:
  int fd_;
};

std::shared_ptr<const gateway::Model> model(const std::string& yaml, policy::StateStore& states) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "gateway.yaml";
  source->text = yaml;
  gateway::ModelInput input;
  input.source = source;
  input.states = &states;
  diag::Sink sink;
  auto built = gateway::build_model(input, sink);
  EXPECT_NE(built, nullptr) << diag::render_all(sink, diag::Colour::Off);
  return built;
}

// Asks as often as it takes to warm up and to measure; `observed`: `log` and `trace` of the configuration. How many lines were logged.
std::uint64_t ask_and_count(const std::string& observed) {
  Origin origin;
  io::RealOptions real;
  real.workers = 1;
  real.seed = 1;
  io::RealWorld world(real);
  std::atomic<std::uint64_t> logged{0};
  gateway::Options options;
  options.ephemeral_listeners = true;
  options.keep_traces = 16;
  options.log_sink = [&logged](std::string_view lines) { logged += static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n')); };
  gateway::Gateway gateway(world.environment(), options);
  const auto built = model("gatelab: 1\nlisteners: [ { name: main, address: 127.0.0.1:0 } ]\n" + observed +
                           "consumers: [ { name: mobile, keys: [ { value: test-key } ] } ]\n"
                           "upstreams: { orders: { url: http://127.0.0.1:" + std::to_string(origin.port) + " } }\n"
                           "routes:\n  - name: orders\n    match: { path: '/orders/{id}', methods: [GET, POST] }\n    policies:\n      - api-key: { header: X-Api-Key }\n"
                           "      - rate-limit: { rate: 1000000/s, algorithm: gcra, key: consumer }\n    upstream: orders\n", gateway.states());
  if (built == nullptr || !gateway.start(built)) {
    ADD_FAILURE() << observed;
    return 0;
  }
  const std::uint16_t port = gateway.listeners().front().address.port;
  world.start();
  const std::pair<const char*, std::string> requests[] = {
      {"GET", "GET /orders/17?x=y HTTP/1.1\r\nHost: api.local\r\nUser-Agent: test/1\r\nAccept: */*\r\nX-Api-Key: test-key\r\n\r\n"},
      {"a trace", "GET /orders/17?x=y HTTP/1.1\r\nHost: api.local\r\nX-Api-Key: test-key\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\ntracestate: rojo=1\r\n\r\n"},
      {"POST", "POST /orders/17 HTTP/1.1\r\nHost: api.local\r\nContent-Length: 5\r\nX-Api-Key: test-key\r\n\r\nhello"},
  };
  {
    constexpr int kWarmUp = 2'000, kMeasured = 2'000;
    Client one(port), two(port);
    for (const auto& [name, request] : requests) {
      const std::string_view slow = "GET /orders/slow HTTP/1.1\r\nHost: api.local\r\nX-Api-Key: test-key\r\n\r\n";
      bool fine = one.ask(slow) && two.ask(slow);
      for (int i = 0; i < kWarmUp && fine; ++i) fine = one.ask(request) && two.ask(request);
      EXPECT_TRUE(fine) << name;
      allocations = 0;
      counting = true;
      for (int i = 0; i < kMeasured / 2 && fine; ++i) fine = one.ask(request) && two.ask(request);
      counting = false;
      EXPECT_TRUE(fine) << name;
      EXPECT_EQ(allocations, 0U) << "in " << kMeasured << " requests with " << name << " and\n" << observed;
    }
  }
  std::atomic<bool> drained{false};
  world.environment().loops[0]->post_remote([&] { gateway.drain(std::chrono::seconds(5), [&] { drained = true; world.stop(); }); });
  world.join();
  EXPECT_TRUE(drained);
  return logged;
}

TEST(SteadyState, ARequestAllocatesNothing) { EXPECT_EQ(ask_and_count("log: { access: stdout, format: json }\n"), 18'006U) << "the access log was on"; }

TEST(SteadyState, NeitherDoesOneThatIsLoggedInAFormOfItsOwn) {
  const std::uint64_t logged = ask_and_count(
      "log: { access: stdout, format: '${time} ${client} ${target} ${status} ${consumer:nobody} ${duration_ms}', sample: 50%, redact: { hash: [ client ], query: [ x ] } }\n");
  EXPECT_GT(logged, 8'000U);
  EXPECT_LT(logged, 10'000U);
}

TEST(SteadyState, NeitherDoesOneWhoseFieldsAreLeftOut) { EXPECT_EQ(ask_and_count("log: { access: stdout, format: json, redact: { drop: [ user_agent ], hash: [ consumer ] } }\n"), 18'006U); }

TEST(SteadyState, NeitherDoesOneThatIsPartOfATrace) { EXPECT_EQ(ask_and_count("log: { access: stdout, format: logfmt }\ntrace: { sample: 0% }\n"), 18'006U); }

// The counter itself: were it blind, the test above would pass for nothing.
TEST(SteadyState, TheCounterSeesEveryKindOfAllocation) {
  allocations = 0;
  counting = true;
  // volatile: or the compiler leaves out what it sees to be of no use.
  int* volatile a = new int(1);
  char* volatile b = new char[100];
  void* volatile c = std::malloc(10);
  std::string text(100, 'x');
  counting = false;
  EXPECT_EQ(allocations, 4U) << text;
  delete a;
  delete[] b;
  std::free(c);
}

}  // namespace
}  // namespace gatelab::test
