// SPDX-License-Identifier: Apache-2.0
// What a gateway does to every message: reading its head, making its path canonical.
#include <benchmark/benchmark.h>

#include <string>

#include "http/parser.h"
#include "http/uri.h"

namespace gatelab::http {
namespace {

const std::string kSmall = "GET /orders/17?x=y HTTP/1.1\r\nHost: api.local\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n";
const std::string kBrowser =
    "GET /orders/17?page=2&sort=name HTTP/1.1\r\nHost: api.local:8080\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\nCookie: session=0123456789abcdef; theme=dark\r\n\r\n";

void request_head(benchmark::State& state, const std::string& text) {
  Arena arena;
  for (auto _ : state) {
    RequestHead head(arena);
    RequestParser parser(head, {});
    benchmark::DoNotOptimize(parser.parse(text));
    arena.reset();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(request_head, small, kSmall);
BENCHMARK_CAPTURE(request_head, browser, kBrowser);

void response_head(benchmark::State& state) {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: x\r\n\r\n";
  Arena arena;
  for (auto _ : state) {
    ResponseHead head(arena);
    ResponseParser parser(head, Method::Get, {});
    benchmark::DoNotOptimize(parser.parse(text));
    arena.reset();
  }
}
BENCHMARK(response_head);

void chunked_body(benchmark::State& state) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += "400\r\n" + std::string(1024, 'x') + "\r\n";
  text += "0\r\n\r\n";
  for (auto _ : state) {
    BodyDecoder decoder({Framing::Chunked, 0});
    std::string_view rest = text;
    while (!decoder.done()) rest.remove_prefix(decoder.next(rest).consumed);
    benchmark::DoNotOptimize(rest);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(chunked_body);

void path(benchmark::State& state, std::string_view raw) {
  Arena arena;
  for (auto _ : state) {
    benchmark::DoNotOptimize(canonical_path(raw, {}, arena));
    arena.reset();
  }
}
BENCHMARK_CAPTURE(path, canonical_already, "/orders/17/lines/3/history");
BENCHMARK_CAPTURE(path, dots_and_octets, "/orders/./17/../17/%6cines/3/h%C3%A9");

}  // namespace
}  // namespace gatelab::http
