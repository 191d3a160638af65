// SPDX-License-Identifier: Apache-2.0
// An origin that no one here wrote the HTTP of: cpp-httplib. It takes a body of any length without keeping it and says
// how much came and its checksum, which nginx alone can't.
//   origin      listens on a free port of 127.0.0.1 and prints it
//   origin sum  the same answer for standard input
#include <httplib.h>

#include <cstdint>
#include <cstdio>
#include <string>

namespace {

// FNV-1a over octets: order and place count.
struct Sum {
  std::uint64_t octets = 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;

  void add(const char* data, std::size_t size) noexcept {
    octets += size;
    for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(data[i])) * 0x100000001b3ULL;
  }
  std::string text() const { return std::to_string(octets) + " " + std::to_string(hash) + "\n"; }
};

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    Sum sum;
    char block[64 * 1024];
    for (std::size_t n = 0; (n = std::fread(block, 1, sizeof block, stdin)) > 0;) sum.add(block, n);
    return std::fputs(sum.text().c_str(), stdout) < 0 ? 1 : 0;
  }
  httplib::Server server;
  server.set_payload_max_length(std::size_t{1} << 40);
  server.Put(".*", [](const httplib::Request&, httplib::Response& response, const httplib::ContentReader& read) {
    Sum sum;
    read([&sum](const char* data, std::size_t size) {
      sum.add(data, size);
      return true;
    });
    response.set_content(sum.text(), "text/plain");
  });
  server.Get(".*", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.method + " " + request.target + "\n", "text/plain");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  if (port <= 0) return 4;
  std::printf("%d\n", port);
  std::fflush(stdout);
  return server.listen_after_bind() ? 0 : 1;
}
