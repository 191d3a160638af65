// SPDX-License-Identifier: Apache-2.0
// A request's octets with places in them for what differs from one to the next: `$(data.NAME)`, a column of the data, and
// `$(user.NAME)`, what an earlier request of the same flow has saved. Most have none and are sent as they stand. Immutable
// once made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatelab::harness::load {

// A value, as text and as JSON.
struct Cell {
  std::string text, json;
};
Cell text_cell(std::string text);

// Rows that arrivals take in turn. Bounded by who reads them.
struct Data {
  std::vector<std::string> names;
  std::vector<std::vector<Cell>> rows;
};
// `name` ends with .csv (the first line names the columns; RFC 4180 quoting), .jsonl or .ndjson (an object a line). A
// byte order mark in front is skipped. ids: bad-data, with the line: also of a column that is named twice.
Result<Data> read_data(std::string_view name, std::string_view text);

class Template {
 public:
  Template() = default;
  // `octets` as on the wire. Content-Length, if there is one, follows the body. `saved`: names of slots, which grow by those
  // that are new. ids: unknown-data; bad-data: a value stands in a header, which can't hold it.
  static Result<Template> make(std::string octets, const Data& data, const std::vector<std::string>& saved);

  // A digest of method, target, names of headers and body, as they were written. Values of headers are left out: credentials
  // may be of one machine.
  std::uint64_t shape() const noexcept { return shape_; }
  bool fixed() const noexcept { return pieces_.empty(); }
  const std::string& octets() const noexcept { return octets_; }  // of a fixed one
  // `row` may be null if the data has no rows; then it is not asked for.
  void fill(const std::vector<Cell>* row, const std::vector<Cell>& saved, std::string& out) const;

 private:
  enum class From : std::uint8_t { Text, Row, Saved };
  enum class As : std::uint8_t { Target, Field, Body, JsonText, JsonValue };
  struct Piece {
    From from = From::Text;
    As as = As::Field;
    std::size_t index = 0;
    std::string text;
  };
  static Result<Unit> split(std::string_view part, As as, const Data& data, const std::vector<std::string>& saved, std::vector<Piece>& out);
  static void append(const Piece& piece, const std::vector<Cell>* row, const std::vector<Cell>& saved, std::string& out);

  std::string octets_;
  std::vector<Piece> pieces_;     // of the head, without its Content-Length and the empty line
  std::vector<Piece> body_;
  bool has_length_ = false;
  std::uint64_t shape_ = 0;
};

}  // namespace gatelab::harness::load
