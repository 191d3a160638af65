// SPDX-License-Identifier: Apache-2.0
#include "harness/load/template.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "base/utf8.h"
#include "harness/match/json_text.h"
#include "http/chars.h"

namespace gatelab::harness::load {
namespace {

constexpr std::size_t kMostRows = 1'000'000;

std::string json_text(std::string_view text) { return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

Failure<Error> bad_line(std::string_view name, std::size_t line, const std::string& why) {
  return fail("bad-data", "`" + std::string(name) + "` line " + std::to_string(line) + ": " + why);
}

// One record of RFC 4180, from `at` on. False: a quote is not closed.
bool csv_record(std::string_view text, std::size_t& at, std::size_t& line, std::vector<std::string>& out) {
  out.assign(1, {});
  bool quote = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (quote) {
      if (c != '"') out.back() += c;
      else if (at + 1 < text.size() && text[at + 1] == '"') out.back() += text[++at];
      else quote = false;
    } else if (c == '"' && out.back().empty()) {
      quote = true;
    } else if (c == ',') {
      out.emplace_back();
    } else if (c == '\n') {
      ++at;
      return true;
    } else if (c != '\r') {
      out.back() += c;
    }
  }
  return !quote;
}

// A column that is there twice; null: none.
const std::string* twice(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) != names.begin() + static_cast<std::ptrdiff_t>(i)) return &names[i];
  return nullptr;
}

Result<Data> read_csv(std::string_view name, std::string_view text) {
  Data out;
  std::size_t at = 0, line = 1;
  std::vector<std::string> record;
  while (at < text.size()) {
    const std::size_t began = line;
    if (!csv_record(text, at, line, record)) return bad_line(name, began, "a quoted value has no end: close it with \"");
    if (record.size() == 1 && record.front().empty()) continue;
    if (out.names.empty()) {
      // What stands behind ", " is the name all the same.
      for (const std::string& column : record) out.names.emplace_back(trim_ows(column));
      if (const std::string* column = twice(out.names)) return bad_line(name, began, "two columns are named `" + *column + "`: $(data." + *column + ") could be either; rename one");
      continue;
    }
    if (record.size() != out.names.size()) return bad_line(name, began, std::to_string(record.size()) + " values for " + std::to_string(out.names.size()) + " columns");
    std::vector<Cell> row;
    for (std::string& value : record) row.push_back(text_cell(std::move(value)));
    out.rows.push_back(std::move(row));
    if (out.rows.size() > kMostRows) return bad_line(name, began, "more than a million rows: split the file, and the load by --shard");
  }
  return out;
}

// A member's name that is there twice; empty: none. Null: the text is no JSON object.
std::optional<std::string> parse_object(std::string_view text, nlohmann::json& out) {
  std::set<std::string> seen;
  std::string again;
  const auto look = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1 && !seen.insert(value.get<std::string>()).second) again = value.get<std::string>();
    return true;
  };
  if (is_nested_too_deep(text)) return std::nullopt;
  out = nlohmann::json::parse(text, look, false);
  if (!out.is_object()) return std::nullopt;
  return again;
}

Result<Data> read_json_lines(std::string_view name, std::string_view text) {
  Data out;
  std::size_t line = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view one = trim_ows(text.substr(0, end));
    if (one.ends_with("\r")) one.remove_suffix(1);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line;
    if (one.empty()) continue;
    nlohmann::json json;
    const auto again = parse_object(one, json);
    if (!again) return bad_line(name, line, "not a JSON object: write one a line");
    if (!again->empty()) return bad_line(name, line, "two members are named `" + *again + "`: $(data." + *again + ") could be either; take one out");
    if (json.empty()) return bad_line(name, line, "the object has no members, which would be the columns: {\"id\":7}");
    if (out.names.empty())
      for (const auto& [key, value] : json.items()) out.names.push_back(key);
    std::vector<Cell> row;
    for (const std::string& key : out.names) {
      if (!json.contains(key)) return bad_line(name, line, "there is no `" + key + "`, which the first line has");
      const auto& value = json.at(key);
      row.push_back({value.is_string() ? value.get<std::string>() : value.dump(), value.dump()});
    }
    out.rows.push_back(std::move(row));
    if (out.rows.size() > kMostRows) return bad_line(name, line, "more than a million rows: split the file, and the load by --shard");
  }
  return out;
}

// The end of the text: all of it is.
std::size_t first_not_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_sequence(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return at;
}

bool is_control(char c) noexcept { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// A column's values as parts of a header.
Status fits_field(const Data& data, std::size_t column) {
  for (std::size_t row = 0; row < data.rows.size(); ++row) {
    const std::string& text = data.rows[row][column].text;
    if (std::any_of(text.begin(), text.end(), is_control)) return fail("bad-data", "`" + data.names[column] + "` of row " + std::to_string(row + 1) + " of the data has a line break or another control character, and stands in a header, which can't hold one");
  }
  return success();
}

std::uint64_t shape_of(std::string_view octets) noexcept {
  const std::size_t end = octets.find("\r\n\r\n");
  std::string_view head = octets.substr(0, end);
  std::uint64_t out = hash64(octets.substr(std::min(octets.size(), end)));
  for (bool first = true; !head.empty(); first = false) {
    const std::size_t next = head.find("\r\n");
    const std::string_view line = head.substr(0, next);
    out = hash64(first ? line : line.substr(0, line.find(':')), out);
    head.remove_prefix(next == std::string_view::npos ? head.size() : next + 2);
  }
  return out;
}

}  // namespace

Cell text_cell(std::string text) {
  std::string json = json_text(text);
  return {std::move(text), std::move(json)};
}

Result<Data> read_data(std::string_view name, std::string_view text) {
  const bool csv = name.ends_with(".csv");
  if (!csv && !name.ends_with(".jsonl") && !name.ends_with(".ndjson")) return fail("bad-data", "`" + std::string(name) + "` is neither .csv nor .jsonl: rows are read from CSV, or from JSON lines");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return fail("bad-data", "`" + std::string(name) + "` is UTF-16: save it as UTF-8");
  if (const std::size_t at = first_not_utf8(text); at != text.size()) return bad_line(name, 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')), "not UTF-8 from here on: save it as UTF-8");
  // Spreadsheets begin what they export with it.
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  auto out = csv ? read_csv(name, text) : read_json_lines(name, text);
  if (out && out->rows.empty()) return fail("bad-data", "`" + std::string(name) + "` has no rows");
  return out;
}

Result<Unit> Template::split(std::string_view part, As as, const Data& data, const std::vector<std::string>& saved, std::vector<Piece>& out) {
  const auto text = [&out](std::string_view t) {
    if (t.empty()) return;
    if (!out.empty() && out.back().from == From::Text) out.back().text += t;
    else out.push_back({From::Text, As::Field, 0, std::string(t)});
  };
  std::size_t at = 0;
  for (;;) {
    const std::size_t of_data = part.find("$(data.", at), of_user = part.find("$(user.", at), begin = std::min(of_data, of_user);
    const std::size_t end = begin == std::string_view::npos ? begin : part.find(')', begin);
    if (end == std::string_view::npos) return text(part.substr(at)), Unit{};
    const std::string_view name = part.substr(begin + 7, end - begin - 7);
    const auto& names = begin == of_data ? data.names : saved;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      std::string known;
      for (const std::string& n : names) known += (known.empty() ? "" : ", ") + n;
      if (begin == of_data) return fail("unknown-data", "`$(data." + std::string(name) + ")`: " + (known.empty() ? "there is no data: name a file of it" : "the data has no such column; it has " + known));
      return fail("unknown-data", "`$(user." + std::string(name) + ")`: no earlier request of the flow saves that" + (known.empty() ? "" : "; saved are " + known));
    }
    const auto column = static_cast<std::size_t>(found - names.begin());
    if (begin == of_data && as == As::Field)
      if (const Status fit = fits_field(data, column); !fit) return Failure<Error>{fit.error()};
    As here = as;
    std::size_t from = begin, to = end + 1;
    if (as == As::JsonText && from > at && part[from - 1] == '"' && to < part.size() && part[to] == '"') {
      // A whole string: the value keeps its type.
      here = As::JsonValue;
      --from;
      ++to;
    }
    text(part.substr(at, from - at));
    out.push_back({begin == of_data ? From::Row : From::Saved, here, column, {}});
    at = to;
  }
}

Result<Template> Template::make(std::string octets, const Data& data, const std::vector<std::string>& saved) {
  Template out;
  out.shape_ = shape_of(octets);
  if (octets.find("$(data.") == std::string::npos && octets.find("$(user.") == std::string::npos) {
    out.octets_ = std::move(octets);
    return out;
  }
  const std::string_view all = octets;
  const std::size_t line = all.find("\r\n"), end = all.find("\r\n\r\n");
  if (line == std::string_view::npos || end == std::string_view::npos) return fail("unknown-data", "a request without an end of its head can't hold `$(…)`");
  if (auto done = split(all.substr(0, line), As::Target, data, saved, out.pieces_); !done) return Failure<Error>{done.error()};
  bool json = false;
  for (std::string_view fields = all.substr(line, end - line); !fields.empty();) {
    const std::size_t next = fields.find("\r\n", 2);
    const std::string_view field = fields.substr(0, next);
    fields.remove_prefix(std::min(next, fields.size()));
    const std::string_view name = field.substr(2, field.find(':') - 2);
    if (iequals(name, "content-length")) {
      out.has_length_ = true;
      continue;
    }
    if (iequals(name, "content-type") && field.find("json") != std::string_view::npos) json = true;
    if (auto done = split(field, As::Field, data, saved, out.pieces_); !done) return Failure<Error>{done.error()};
  }
  if (auto done = split(all.substr(end + 4), json ? As::JsonText : As::Body, data, saved, out.body_); !done) return Failure<Error>{done.error()};
  return out;
}

void Template::append(const Piece& piece, const std::vector<Cell>* row, const std::vector<Cell>& saved, std::string& out) {
  if (piece.from == From::Text) {
    out += piece.text;
    return;
  }
  const Cell& cell = piece.from == From::Row ? (*row)[piece.index] : saved[piece.index];
  switch (piece.as) {
    case As::Target: return append_percent_encoded(out, cell.text, [](char c) { return http::is(c, http::kUnreserved); });
    case As::Field:
      // What would end the field is left out: a value must not make a second request of one.
      for (const char c : cell.text)
        if (!is_control(c)) out += c;
      return;
    case As::Body: out += cell.text; return;
    case As::JsonValue: out += cell.json.empty() ? "null" : cell.json; return;
    case As::JsonText: {
      const std::string text = json_text(cell.text);
      out.append(text, 1, text.size() - 2);
      return;
    }
  }
}

void Template::fill(const std::vector<Cell>* row, const std::vector<Cell>& saved, std::string& out) const {
  out.clear();
  for (const Piece& piece : pieces_) append(piece, row, saved, out);
  std::string body;
  for (const Piece& piece : body_) append(piece, row, saved, body);
  if (has_length_) out += "\r\nContent-Length: " + std::to_string(body.size());
  out += "\r\n\r\n" + body;
}

}  // namespace gatelab::harness::load
