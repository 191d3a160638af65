// SPDX-License-Identifier: Apache-2.0
// One HTTP/1 message as our parser reads it, and as llhttp does; and what is to be said where they differ. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatelab::test {

struct Reading {
  enum class End { Refused, Unfinished, Whole };
  End end = End::Unfinished;
  std::string why;    // Refused: our rule's word, or llhttp's error
  std::string start;  // "GET /path" or "200"
  std::vector<std::pair<std::string, std::string>> fields;  // trailers behind them
  std::string body;
  std::size_t size = 0;  // octets of the whole message
  std::string plain;     // ours alone, if chunked: the same message without chunk extensions
};

Reading our_request(std::string_view octets);
// `head`: it answers a HEAD request. Nothing comes behind `octets`.
Reading our_response(std::string_view octets, bool head);

// Empty if llhttp bears our reading out: what it refuses we refuse, and what both take they read alike, to the same last
// octet. Else what differs; differences that an RFC decides in our favour (docs/llhttp-differences.md) begin with "known: ".
std::string request_difference(std::string_view octets);
std::string response_difference(std::string_view octets, bool head);

}  // namespace gatelab::test
