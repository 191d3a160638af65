// SPDX-License-Identifier: Apache-2.0
// Bodies that are many values: JSON lines (RFC 7464 sequences too) and server-sent events (WHATWG HTML, "Server-sent events").
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "harness/replay/redact.h"

namespace gatelab::harness {
namespace {

struct Line {
  std::string_view text, end;  // `end`: CR, LF, both or nothing
};

// `cr`: a CR alone ends a line too.
Line next_line(std::string_view& rest, bool cr) noexcept {
  Line out;
  const std::size_t at = std::min(rest.find_first_of(cr ? "\r\n" : "\n"), rest.size());
  const bool both = rest.substr(at).starts_with("\r\n");
  const std::size_t end = std::min(rest.size(), at + (both ? 2 : 1));
  out.text = rest.substr(0, at);
  out.end = rest.substr(at, end - at);
  if (!cr && out.text.ends_with('\r')) {
    out.end = rest.substr(at - 1, end - at + 1);
    out.text.remove_suffix(1);
  }
  rest.remove_prefix(end);
  return out;
}

bool is_json(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin != std::string_view::npos && (text[begin] == '{' || text[begin] == '[') && nlohmann::json::accept(text);
}

// What an event's line says as data; nullopt: it is another line.
std::optional<std::string_view> data_of(std::string_view line) noexcept {
  if (line == "data") return std::string_view();
  if (!line.starts_with("data:")) return std::nullopt;
  line.remove_prefix(5);
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

}  // namespace

// Lines that are no JSON go together: a key of several lines is seen by its looks only.
std::string Redactor::lines(std::string_view text) const {
  std::string out;
  const char* other = text.data();
  for (std::string_view rest = text; !rest.empty();) {
    const char* const begin = rest.data();
    Line line = next_line(rest, false);
    std::string_view mark;
    if (line.text.starts_with('\x1e')) {
      mark = line.text.substr(0, 1);
      line.text.remove_prefix(1);
    }
    if (!is_json(line.text)) continue;
    out += this->text({other, static_cast<std::size_t>(begin - other)});
    other = rest.data();
    out.append(mark).append(json(line.text)).append(line.end);
  }
  return out += this->text({other, static_cast<std::size_t>(text.data() + text.size() - other)});
}

std::string Redactor::events(std::string_view text) const {
  std::string out, other;  // `other`: fields that are no data, which go together as long as no data is between them
  const auto put = [this, &out, &other](std::string_view data) {
    out += this->text(other);
    other.clear();
    out += data;
  };
  for (std::string_view rest = text; !rest.empty();) {
    std::vector<Line> event;
    std::string data;
    std::size_t said = 0;  // lines of data
    do {
      event.push_back(next_line(rest, true));
      const auto value = data_of(event.back().text);
      if (!value) continue;
      if (said++ > 0) data += '\n';
      data += *value;
    } while (!event.back().text.empty() && !rest.empty());
    const std::string shown = nlohmann::json::accept(data) ? json(data) : lines(data);
    bool first = true;
    for (const Line& line : event) {
      if (!data_of(line.text)) {
        other.append(line.text).append(line.end);
      } else if (shown == data) {
        put(std::string(line.text) + std::string(line.end));
      } else if (first) {
        first = false;
        // All of it stands where its first line stood.
        for (std::string_view left = shown; !left.empty();) {
          const std::size_t n = std::min(left.find('\n'), left.size());
          put("data: " + std::string(left.substr(0, n)) + std::string(line.end));
          left.remove_prefix(std::min(left.size(), n + 1));
        }
      }
    }
  }
  put({});
  return out;
}

}  // namespace gatelab::harness
