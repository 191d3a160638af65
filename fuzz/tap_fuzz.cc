// SPDX-License-Identifier: Apache-2.0
// What passes on a connection is told the same however it is cut into pieces. The input: a length octet, so many octets of
// requests for each of it, the rest are answers.
#include <algorithm>
#include <cstdint>
#include <string>

#include "harness/replay/tapped_connection.h"

using namespace gatelab;

namespace {

void add(std::string& out, const harness::RecordedHeaders& headers, const harness::RecordedBody& body) {
  for (const auto& [name, value] : headers) out += name + ":" + value + "\n";
  out += std::to_string(body.size) + body.left_out + (body.octets ? *body.octets : "") + "\n";
}

std::string told(std::string_view requests, std::string_view answers, std::size_t piece) {
  harness::TappedConnection tapped(64);
  for (std::size_t i = 0; i < requests.size(); i += piece) tapped.requests(requests.substr(i, piece), Instant{});
  for (std::size_t i = 0; i < answers.size(); i += piece) tapped.answers(answers.substr(i, piece), Instant{});
  tapped.answers_end(Instant{});
  std::string out;
  while (const auto e = tapped.take()) {
    out += e->request.method + e->request.target + std::to_string(e->answer.status) + (e->request_whole ? "w" : "-") + (e->answer_whole ? "w" : "-");
    add(out, e->request.headers, e->request.body);
    add(out, e->answer.headers, e->answer.body);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = std::min<std::size_t>(all.size(), data[0]);
  const std::string whole = told(all.substr(0, cut), all.substr(cut), all.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}})
    if (told(all.substr(0, cut), all.substr(cut), piece) != whole) __builtin_trap();
  return 0;
}
