// SPDX-License-Identifier: Apache-2.0
// The origin for uploads: reads a body of known length to its end, then answers 200 with that length. nginx would answer
// before the body is in. One thread a connection, one request at a time.
//   sink      listens on a free port of 127.0.0.1 and prints it
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBlock = 256 * 1024;
constexpr std::size_t kMostHead = 16 * 1024;

// The body's length, or nothing that can be served: then the connection is closed.
long long content_length(std::string head) {
  for (char& c : head) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const std::size_t field = head.find("\r\ncontent-length:");
  return field == std::string::npos ? -1 : std::strtoll(head.c_str() + field + 17, nullptr, 10);
}

bool serve_one(int socket, std::vector<char>& block) {
  std::string head;
  std::size_t end = std::string::npos;
  while ((end = head.find("\r\n\r\n")) == std::string::npos) {
    const ssize_t n = recv(socket, block.data(), block.size(), 0);
    if (n <= 0 || head.size() > kMostHead) return false;
    head.append(block.data(), static_cast<std::size_t>(n));
  }
  const long long length = content_length(head.substr(0, end));
  if (length < 0) return false;
  for (long long left = length - static_cast<long long>(head.size() - end - 4); left > 0;) {
    const ssize_t n = recv(socket, block.data(), block.size(), 0);
    if (n <= 0) return false;
    left -= n;
  }
  const std::string body = std::to_string(length) + "\n";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  return send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(answer.size());
}

void serve(int socket) {
  std::vector<char> block(kBlock);
  while (serve_one(socket, block)) {
  }
  close(socket);
}

}  // namespace

int main() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 128) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return std::perror("sink"), 4;
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  while (true) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) std::thread(serve, client).detach();
  }
}
