// SPDX-License-Identifier: Apache-2.0
// The client for what wrk cannot do: nothing but TLS 1.3 handshakes, and connections that idle after one request.
//   shaker handshakes PORT SECONDS THREADS full|resumed    prints how many were made
//   shaker idle PORT COUNT plain|tls                       prints `ready` once all are idle; at SIGTERM: are they all still open?
// Exit 1 with a message if the server at 127.0.0.1:PORT does anything else than expected.
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tls_client.h"

namespace {

constexpr int kMostConnections = 1'000'000;
constexpr std::string_view kRequest = "GET /items/1 HTTP/1.1\r\nHost: localhost\r\n\r\n";

// Says goodbye and reads until the server has too, so that neither side sees a reset.
void part(Tls tls, int socket) {
  SSL_shutdown(tls.get());
  shutdown(socket, SHUT_WR);
  char rest[4096];
  ssize_t n = 0;
  while ((n = recv(socket, rest, sizeof rest, 0)) > 0) {
  }
  if (n < 0) fail("the server did not close after close_notify");
  close(socket);
}

Session first_ticket(int port) {
  const Context context = client_context(true);
  const int socket = connected(port);
  Session ticket{nullptr, &SSL_SESSION_free};
  Tls tls = shaken(context.get(), socket, nullptr, &ticket);
  char byte = 0;
  while (!ticket) {
    const int n = SSL_read(tls.get(), &byte, 1);
    if (!ticket && (n >= 0 || SSL_get_error(tls.get(), n) != SSL_ERROR_WANT_READ || errno == EAGAIN)) fail("the server sends no session ticket");
  }
  part(std::move(tls), socket);
  return ticket;
}

long shake(int port, std::chrono::steady_clock::time_point end, bool resumed) {
  const Context context = client_context(false);
  Session ticket{nullptr, &SSL_SESSION_free};
  if (resumed) ticket = first_ticket(port);
  long count = 0;
  while (std::chrono::steady_clock::now() < end) {
    const int socket = connected(port);
    part(shaken(context.get(), socket, ticket.get(), nullptr), socket);
    ++count;
  }
  return count;
}

int handshakes(int port, int seconds, int threads, bool resumed) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::atomic<long> total = 0;
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back([&] { total += shake(port, end, resumed); });
  for (std::thread& one : running) one.join();
  std::printf("%ld\n", total.load());
  return 0;
}

bool is_whole(const std::string& answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  if (!answer.starts_with("HTTP/1.1 200")) fail("the answer is not 200");
  std::string lower = answer.substr(0, head);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const std::size_t field = lower.find("\r\ncontent-length:");
  if (field == std::string::npos) fail("the answer has no Content-Length");
  return answer.size() - head - 4 >= std::strtoul(lower.c_str() + field + 17, nullptr, 10);
}

// One request; the connection stays open. What the client needed for TLS is freed: only the server's side is of interest.
int idle_connection(SSL_CTX* context, int port) {
  const int socket = connected(port);
  Tls tls{nullptr, &SSL_free};
  if (context != nullptr) tls = shaken(context, socket, nullptr, nullptr);
  const int sent = tls ? SSL_write(tls.get(), kRequest.data(), static_cast<int>(kRequest.size()))
                       : static_cast<int>(send(socket, kRequest.data(), kRequest.size(), MSG_NOSIGNAL));
  if (sent != static_cast<int>(kRequest.size())) fail("the request can't be sent");
  std::string answer;
  char block[4096];
  while (!is_whole(answer)) {
    errno = 0;
    const int n = tls ? SSL_read(tls.get(), block, sizeof block) : static_cast<int>(recv(socket, block, sizeof block, 0));
    const bool only_a_ticket = tls && n <= 0 && SSL_get_error(tls.get(), n) == SSL_ERROR_WANT_READ && errno != EAGAIN;
    if (n <= 0 && !only_a_ticket) fail("no whole answer");
    if (n > 0) answer.append(block, static_cast<std::size_t>(n));
  }
  return socket;
}

bool is_open(int socket) {
  char rest[4096];
  ssize_t n = 0;
  while ((n = recv(socket, rest, sizeof rest, MSG_DONTWAIT)) > 0) {
  }
  return n < 0 && errno == EAGAIN;
}

int idle(int port, int count, bool with_tls) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  const Context context = client_context(false);
  std::vector<int> sockets;
  for (int i = 0; i < count; ++i) sockets.push_back(idle_connection(with_tls ? context.get() : nullptr, port));
  std::printf("ready\n");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&end, &signal);
  int closed = 0;
  for (const int socket : sockets) closed += is_open(socket) ? 0 : 1;
  errno = 0;
  if (closed != 0) fail("the server closed " + std::to_string(closed) + " of " + std::to_string(count) + " idle connections");
  return 0;
}

std::optional<int> number(std::string_view text, int most) {
  int value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size() || value < 1 || value > most) return std::nullopt;
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.size() == 5 && words[0] == "handshakes" && (words[4] == "full" || words[4] == "resumed")) {
    const auto port = number(words[1], 65535), seconds = number(words[2], 3600), threads = number(words[3], 64);
    if (port && seconds && threads) return handshakes(*port, *seconds, *threads, words[4] == "resumed");
  }
  if (words.size() == 4 && words[0] == "idle" && (words[3] == "plain" || words[3] == "tls")) {
    const auto port = number(words[1], 65535), count = number(words[2], kMostConnections);
    if (port && count) return idle(*port, *count, words[3] == "tls");
  }
  std::fprintf(stderr, "usage: shaker handshakes PORT SECONDS THREADS full|resumed\n       shaker idle PORT COUNT plain|tls\n");
  return 2;
}
