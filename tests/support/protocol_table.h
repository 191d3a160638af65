// SPDX-License-Identifier: Apache-2.0
// The rows of docs/errors.md as cases: what is received, octet by octet, and what gatelab makes of it. Tests read the page
// itself, so that a row which the code disagrees with fails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatelab::test {

// A stretch of octets that a peer sends, and what it does then.
struct Piece {
  enum class Then { Nothing, Wait, Close, Reset };
  std::string octets;
  Then then = Then::Nothing;
};

struct Row {
  bool is_response = false;
  std::string id;
  std::string version;
  std::string to;  // responses: the request that is answered, as octets
  std::vector<Piece> received;
  std::string rule;    // responses: the parser's word, or "-"
  std::string status;  // of every answer that the client gets: "100 200"; "-": none
  std::string reason;
  std::string connection;  // requests: keep, close; responses: "keep/keep", client's and upstream's; "cut" breaks off
  std::string forwarded;   // octets; or nothing, incomplete, problem
  std::string section;
  int line = 0;  // of the page

  std::string octets() const;       // of all pieces
  std::string method() const;       // of the request: it says whether an answer has a body
};

// Throws std::runtime_error with the line of what can't be read.
std::vector<Row> read_protocol_table();
// "{3*ab}\r\n" and friends, as the page explains them.
std::vector<Piece> decode_pieces(std::string_view cell);

// Messages one after another, read by other code than the engine's. `ended`: the stream is over.
struct Message {
  std::string start;
  std::vector<std::string> fields;  // lines
  std::string body;
  std::vector<std::string> trailers;
  bool chunked = false;
  bool complete = false;
  int status() const;
};
std::vector<Message> split_requests(std::string_view octets);
std::vector<Message> split_answers(std::string_view octets, std::string_view method, bool ended);
// Without the fields that the gateway adds to every message, and a chunked body as one chunk.
std::string canonical(const std::vector<Message>& messages);

}  // namespace gatelab::test
