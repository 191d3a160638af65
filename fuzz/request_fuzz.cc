// SPDX-License-Identifier: Apache-2.0
// HTTP/1 requests: however the octets arrive, they are read the same way; what was read holds what it promises; llhttp bears
// the reading out.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "http/parser.h"
#ifdef GATELAB_LLHTTP
#include "support/llhttp_oracle.h"
#endif

using namespace gatelab;

namespace {

struct Read {
  http::ParseState state = http::ParseState::NeedMore;
  http::Rule rule = http::Rule::Ok;
  std::size_t consumed = 0;
  std::string what;
};

Read read(const char* block, std::size_t size, std::size_t step) {
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {4096, 2048, 64});
  Read out;
  for (std::size_t n = step == 0 ? size : 0; out.state == http::ParseState::NeedMore;) {
    n = step == 0 ? size : std::min(size, n + step);
    out.state = parser.parse({block, n});
    if (n == size) break;
  }
  out.rule = out.state == http::ParseState::Failed ? parser.rule() : http::Rule::Ok;
  if (out.state != http::ParseState::Done) return out;
  out.consumed = parser.consumed();
  out.what.append(head.method_text).append("\n").append(head.target).append("\n").append(head.path).append("\n").append(head.query).append("\n").append(head.host);
  for (const http::Field& f : head.fields) out.what.append("\n").append(f.name).append(":").append(f.value);
  if (head.fields.size() > 64 || out.consumed > 4096) std::abort();
  if (head.version == http::Version::Http11 && head.fields.count(http::FieldId::Host) != 1) std::abort();
  for (const char c : out.what)
    if (c == '\r' || c == '\0') std::abort();
  http::Fields trailers(arena);
  http::BodyDecoder decoder(head.body, &trailers);
  std::string_view rest(block + out.consumed, size - out.consumed);
  for (;;) {
    const auto piece = decoder.next(rest);
    if (piece.consumed > rest.size()) std::abort();
    rest.remove_prefix(piece.consumed);
    out.what += piece.data;
    if (piece.state != http::BodyDecoder::State::Data) break;
    if (piece.data.empty()) std::abort();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const char* block = reinterpret_cast<const char*>(data);
  const Read whole = read(block, size, 0);
  for (const std::size_t step : {1U, 3U, 17U}) {
    const Read parts = read(block, size, step);
    // A broken message may be refused earlier when its octets come one by one, never differently read.
    if (whole.state == http::ParseState::Done && (parts.state != whole.state || parts.what != whole.what)) std::abort();
    if (whole.state != http::ParseState::Done && parts.state == http::ParseState::Done) std::abort();
  }
#ifdef GATELAB_LLHTTP
  const std::string differs = test::request_difference({block, size});
  if (!differs.empty() && !differs.starts_with("known: ")) std::abort();
#endif
  return 0;
}
