// SPDX-License-Identifier: Apache-2.0
// HTTP/1 answers: however the octets arrive, they are read the same way, and llhttp bears the reading out.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/parser.h"
#ifdef GATELAB_LLHTTP
#include "support/llhttp_oracle.h"
#endif

using namespace gatelab;

namespace {

std::string read(const char* block, std::size_t size, http::Method method, std::size_t step) {
  Arena arena;
  http::ResponseHead head(arena);
  http::ResponseParser parser(head, method, {4096, 0, 64});
  http::ParseState state = http::ParseState::NeedMore;
  for (std::size_t n = 0; state == http::ParseState::NeedMore;) {
    n = step == 0 ? size : std::min(size, n + step);
    state = parser.parse({block, n});
    if (n == size) break;
  }
  if (state != http::ParseState::Done) return {};
  std::string what = std::to_string(head.status);
  for (const http::Field& f : head.fields) what.append("\n").append(f.name).append(":").append(f.value);
  if (head.status < 100 || head.status > 999) std::abort();
  if (method == http::Method::Head && head.body.kind != http::Framing::None) std::abort();
  http::BodyDecoder decoder(head.body, nullptr);
  std::string_view rest(block + parser.consumed(), size - parser.consumed());
  for (;;) {
    const auto piece = decoder.next(step == 0 ? rest : rest.substr(0, std::max<std::size_t>(1, step)));
    rest.remove_prefix(piece.consumed);
    what += piece.data;
    if (piece.state == http::BodyDecoder::State::Failed) return what;
    if (piece.state == http::BodyDecoder::State::Done || (rest.empty() && piece.state == http::BodyDecoder::State::NeedMore)) break;
  }
  return what + "\n" + (decoder.finish_at_close() ? "whole" : "part");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const char* block = reinterpret_cast<const char*>(data);
  for (const http::Method method : {http::Method::Get, http::Method::Head}) {
    const std::string whole = read(block, size, method, 0);
    for (const std::size_t step : {1U, 5U}) {
      const std::string parts = read(block, size, method, step);
      if (!whole.empty() && parts != whole) std::abort();
    }
  }
#ifdef GATELAB_LLHTTP
  for (const bool head : {false, true}) {
    const std::string differs = test::response_difference({block, size}, head);
    if (!differs.empty() && !differs.starts_with("known: ")) std::abort();
  }
#endif
  return 0;
}
