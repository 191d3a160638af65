// SPDX-License-Identifier: Apache-2.0
#include "support/protocol_table.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace gatelab::test {
namespace {

constexpr std::string_view kRequestColumns = "| id | version | received | status | reason | connection | forwarded | section |";
constexpr std::string_view kResponseColumns = "| id | version | to | received | status | rule | reason | connection | forwarded | section |";

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

std::string_view without_ticks(std::string_view s) {
  s = trimmed(s);
  if (s.size() >= 2 && s.front() == '`' && s.back() == '`') s = s.substr(1, s.size() - 2);
  return s;
}

// One escape at the head of `s`, which it is taken off.
char escape(std::string_view& s) {
  const char kind = s.size() > 1 ? s[1] : '?';
  std::size_t size = 2;
  char out = 0;
  switch (kind) {
    case 'r': out = '\r'; break;
    case 'n': out = '\n'; break;
    case 't': out = '\t'; break;
    case '0': out = '\0'; break;
    case '\\': out = '\\'; break;
    case 'x': out = static_cast<char>(std::stoi(std::string(s.substr(2, 2)), nullptr, 16)); size = 4; break;
    default: throw std::runtime_error("unknown escape in `" + std::string(s) + "`");
  }
  s.remove_prefix(size);
  return out;
}

// Where the brace that `s` begins with is closed; inner ones are skipped.
std::size_t closing(std::string_view s) {
  int depth = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    depth += s[i] == '{' ? 1 : s[i] == '}' ? -1 : 0;
    if (depth == 0) return i;
  }
  throw std::runtime_error("a brace is not closed");
}

// {close}, {reset}, {wait} or {3*ab}, where ab may hold such repeats.
void brace(std::string_view inside, std::vector<Piece>& pieces) {
  const auto then = [&pieces](Piece::Then what) {
    pieces.back().then = what;
    pieces.emplace_back();
  };
  if (inside == "wait") return then(Piece::Then::Wait);
  if (inside == "close") return then(Piece::Then::Close);
  if (inside == "reset") return then(Piece::Then::Reset);
  const std::size_t star = inside.find('*');
  if (star == std::string_view::npos) throw std::runtime_error("unknown {" + std::string(inside) + "}");
  const std::string text = decode_pieces(inside.substr(star + 1)).front().octets;
  for (int n = std::stoi(std::string(inside.substr(0, star))); n > 0; --n) pieces.back().octets += text;
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> out;
  line.remove_prefix(1);
  for (std::size_t end = line.find('|'); end != std::string_view::npos; end = line.find('|')) {
    out.push_back(without_ticks(line.substr(0, end)));
    line.remove_prefix(end + 1);
  }
  return out;
}

Row row_of(const std::vector<std::string_view>& cells, bool is_response, int line) {
  if (cells.size() != (is_response ? 10U : 8U)) throw std::runtime_error("a row has " + std::to_string(cells.size()) + " cells");
  Row row;
  row.is_response = is_response;
  row.line = line;
  std::size_t n = 0;
  row.id = cells[n++];
  row.version = cells[n++];
  if (is_response) row.to = decode_pieces(cells[n++]).front().octets;
  row.received = decode_pieces(cells[n++]);
  row.status = cells[n++];
  if (is_response) row.rule = cells[n++];
  row.reason = cells[n++];
  row.connection = cells[n++];
  const std::string_view forwarded = cells[n++];
  const bool word = forwarded == "nothing" || forwarded == "incomplete" || forwarded == "problem";
  row.forwarded = word ? std::string(forwarded) : decode_pieces(forwarded).front().octets;
  row.section = cells[n];
  return row;
}

std::string_view next_line(std::string_view& rest, bool& whole) {
  const std::size_t end = rest.find("\r\n");
  whole = end != std::string_view::npos;
  const std::string_view line = rest.substr(0, end);
  if (whole) rest.remove_prefix(end + 2);
  return line;
}

// Start line and fields up to the empty line; false if it is not there yet.
bool take_head(std::string_view& rest, Message& out) {
  std::string_view at = rest;
  bool whole = false;
  out.start = next_line(at, whole);
  while (whole) {
    const std::string_view line = next_line(at, whole);
    if (whole && line.empty()) {
      rest = at;
      return true;
    }
    if (whole) out.fields.emplace_back(line);
  }
  return false;
}

void take_chunks(std::string_view& rest, Message& out) {
  bool whole = true;
  out.chunked = true;
  for (;;) {
    const std::string_view line = next_line(rest, whole);
    if (!whole) return;
    std::size_t size = 0;
    std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (size == 0) break;
    out.body += rest.substr(0, size);
    if (rest.size() < size + 2) return;
    rest.remove_prefix(size + 2);
  }
  for (;;) {
    const std::string_view line = next_line(rest, whole);
    if (!whole) return;
    if (line.empty()) break;
    out.trailers.emplace_back(line);
  }
  out.complete = true;
}

// The body by its fields; `rest` of the stream if there is no length and `until_close`.
void take_body(std::string_view& rest, Message& out, bool until_close, bool ended) {
  for (const std::string& field : out.fields) {
    const std::string name = lower(field.substr(0, field.find(':')));
    if (name == "transfer-encoding") return take_chunks(rest, out);
    if (name != "content-length") continue;
    const std::size_t length = std::stoul(field.substr(field.find(':') + 1));
    out.body = rest.substr(0, length);
    out.complete = rest.size() >= length;
    rest.remove_prefix(out.body.size());
    return;
  }
  out.complete = !until_close || ended;
  if (!until_close) return;
  out.body = rest;
  rest = {};
}

// Fields that stand in every message: `evil` in a value marks what came from the other side and must not be hidden.
bool is_added(const std::string& line, bool answer) {
  const std::string name = lower(line.substr(0, line.find(':')));
  if (line.find("evil") != std::string::npos) return false;
  if (name == "via") return line.starts_with("Via: 1.1 gatelab-") && line.size() == 25;
  if (name == "x-request-id") return true;
  return answer ? name == "date" : name == "forwarded" || name.starts_with("x-forwarded-");
}

}  // namespace

std::string Row::octets() const {
  std::string out;
  for (const Piece& piece : received) out += piece.octets;
  return out;
}

std::string Row::method() const {
  const std::string request = is_response ? to : octets();
  return request.substr(0, request.find(' '));
}

std::vector<Piece> decode_pieces(std::string_view cell) {
  std::vector<Piece> pieces(1);
  while (!cell.empty()) {
    if (cell.front() == '\\') {
      pieces.back().octets += escape(cell);
    } else if (cell.front() == '{') {
      const std::size_t end = closing(cell);
      brace(cell.substr(1, end - 1), pieces);
      cell.remove_prefix(end + 1);
    } else {
      pieces.back().octets += cell.front();
      cell.remove_prefix(1);
    }
  }
  if (pieces.size() > 1 && pieces.back().octets.empty()) pieces.pop_back();
  return pieces;
}

std::vector<Row> read_protocol_table() {
  std::ifstream in(std::string(GATELAB_SOURCE_DIR) + "/docs/errors.md");
  std::vector<Row> out;
  bool inside = false, response = false;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line == kRequestColumns || line == kResponseColumns) {
      inside = true;
      response = line == kResponseColumns;
      continue;
    }
    if (!line.starts_with("|")) inside = false;
    if (!inside || line.starts_with("|---")) continue;
    try {
      out.push_back(row_of(cells_of(line), response, number));
    } catch (const std::exception& e) {
      throw std::runtime_error("docs/errors.md:" + std::to_string(number) + ": " + e.what());
    }
  }
  return out;
}

int Message::status() const { return start.size() >= 12 ? std::atoi(start.c_str() + 9) : 0; }

std::vector<Message> split_requests(std::string_view octets) {
  std::vector<Message> out;
  while (!octets.empty()) {
    Message& message = out.emplace_back();
    if (!take_head(octets, message)) break;
    take_body(octets, message, false, false);
    if (!message.complete) break;
  }
  return out;
}

std::vector<Message> split_answers(std::string_view octets, std::string_view method, bool ended) {
  std::vector<Message> out;
  while (!octets.empty()) {
    Message& message = out.emplace_back();
    if (!take_head(octets, message)) break;
    const int status = message.status();
    message.complete = status < 200 || status == 204 || status == 304 || method == "HEAD";
    if (!message.complete) take_body(octets, message, true, ended);
    if (!message.complete) break;
  }
  return out;
}

std::string canonical(const std::vector<Message>& messages) {
  std::string out;
  for (const Message& m : messages) {
    const bool answer = m.start.starts_with("HTTP/");
    out += m.start + "\r\n";
    for (const std::string& field : m.fields)
      if (!is_added(field, answer)) out += field + "\r\n";
    out += "\r\n";
    if (!m.chunked) {
      out += m.body;
      continue;
    }
    char size[20];
    const auto end = std::to_chars(size, size + sizeof size, m.body.size(), 16).ptr;
    if (!m.body.empty()) out += std::string(size, end) + "\r\n" + m.body + "\r\n";
    out += "0\r\n";
    for (const std::string& line : m.trailers) out += line + "\r\n";
    out += "\r\n";
  }
  return out;
}

}  // namespace gatelab::test
