// SPDX-License-Identifier: Apache-2.0
// A second reading of HTTP/1, for the fuzz targets that run the whole proxy: read off RFC 9112, naive and without mercy. It
// knows nothing of engine/http and must not: what both get wrong in the same way, no fuzzer finds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatelab::fuzz::strict {

// Received: what strangers send, with the few freedoms that the RFC leaves them. Written: what a gateway writes has none.
enum class Mode : std::uint8_t { Received, Written };
enum class Got : std::uint8_t { Whole, Part, Bad };
enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

struct Field {
  std::string name, value;  // the name in small letters
};

struct Message {
  Got got = Got::Part;
  std::string why;            // it is Bad
  bool has_head = false;      // all above the body was read
  std::size_t octets = 0;     // of a whole one
  std::string method, target;
  int status = 0;
  bool http10 = false;
  std::vector<Field> fields, trailers;
  Framing framing = Framing::None;
  std::string body;           // without its framing; what there is of it

  std::size_t count(std::string_view name) const {
    std::size_t n = 0;
    for (const Field& f : fields) n += f.name == name ? 1 : 0;
    return n;
  }
  std::string value(std::string_view name) const {
    for (const Field& f : fields)
      if (f.name == name) return f.value;
    return {};
  }
  bool lists(std::string_view name, std::string_view element) const;
  // May another message follow on its connection (RFC 9112 §9.3)?
  bool keeps() const {
    if (lists("connection", "close") || framing == Framing::UntilClose) return false;
    return !http10 || lists("connection", "keep-alive");
  }
};

inline std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

inline std::vector<std::string> elements(const std::vector<Field>& fields, std::string_view name) {
  std::vector<std::string> out;
  for (const Field& f : fields) {
    if (f.name != name) continue;
    std::string_view rest = f.value;
    for (;;) {
      const std::size_t comma = rest.find(',');
      const std::string_view one = trimmed(rest.substr(0, comma));
      if (!one.empty()) out.push_back(small(one));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return out;
}

inline bool Message::lists(std::string_view name, std::string_view element) const {
  for (const std::string& one : elements(fields, name))
    if (one == element) return true;
  return false;
}

inline bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return false;
  }
  return true;
}

// Everything that is no control octet, and the tab.
inline bool is_text(std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet < 32 && c != '\t') || octet == 127) return false;
  }
  return true;
}

// At most 18 digits; false: it is no number.
inline bool number(std::string_view text, std::uint64_t& out, int base = 10) {
  out = 0;
  if (text.empty() || text.size() > 18) return false;
  for (const char c : text) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(small({&c, 1}));
    if (digit >= static_cast<std::size_t>(base)) return false;
    out = out * static_cast<std::uint64_t>(base) + digit;
  }
  return true;
}

namespace detail {

inline void bad(Message& m, std::string why) {
  m.got = Got::Bad;
  m.why = std::move(why);
}

// Takes one line off `text`; false: its end is not there.
inline bool take_line(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return true;
}

inline bool field(std::string_view line, Mode mode, std::vector<Field>& out, Message& m) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bad(m, "a field line without a colon"), false;
  const std::string_view name = line.substr(0, colon), raw = line.substr(colon + 1);
  if (!is_token(name)) return bad(m, "a field name that is no token"), false;
  if (!is_text(raw)) return bad(m, "a control octet in a field value"), false;
  const std::string_view value = trimmed(raw);
  if (mode == Mode::Written && raw != " " + std::string(value)) return bad(m, "spaces around a field value"), false;
  out.push_back({small(name), std::string(value)});
  return true;
}

// The field lines up to the empty one. False: bad, or not all there.
inline bool section(std::string_view& text, Mode mode, std::vector<Field>& out, Message& m) {
  for (;;) {
    std::string_view line;
    if (!take_line(text, line)) return false;
    if (line.empty()) return true;
    if (!field(line, mode, out, m)) return false;
  }
}

// RFC 9112 §6.3, as far as it is the same for requests and answers. False: bad.
inline bool choose_framing(Message& m, Mode mode, std::uint64_t& length) {
  const std::size_t lengths = m.count("content-length"), encodings = m.count("transfer-encoding");
  if (lengths + encodings > 1) return bad(m, "more than one framing"), false;
  if (encodings == 1) {
    if (m.http10) return bad(m, "Transfer-Encoding in HTTP/1.0"), false;
    const std::string coding = m.value("transfer-encoding");
    if ((mode == Mode::Written ? coding : small(coding)) != "chunked") return bad(m, "a Transfer-Encoding that is not chunked"), false;
    m.framing = Framing::Chunked;
  }
  if (lengths == 1) {
    const std::string text = m.value("content-length");
    if (!number(text, length)) return bad(m, "a Content-Length that is no number"), false;
    if (mode == Mode::Written && text != std::to_string(length)) return bad(m, "a Content-Length with zeros in front"), false;
    m.framing = Framing::Length;
  }
  return true;
}

inline void chunked(std::string_view& text, Mode mode, Message& m) {
  for (;;) {
    std::string_view line;
    if (!take_line(text, line)) return;
    const std::string_view size_text = line.substr(0, line.find(';'));
    std::uint64_t size = 0;
    if (!is_text(line) || size_text.size() > 15 || !number(size_text, size, 16)) return bad(m, "a chunk size that is no number");
    if (mode == Mode::Written && (size_text != line || size_text != small(size_text) || (size_text.size() > 1 && size_text.front() == '0')))
      return bad(m, "a chunk size with more than its digits");
    if (size == 0) {
      if (section(text, mode, m.trailers, m)) m.got = Got::Whole;
      return;
    }
    m.body += text.substr(0, size);
    if (text.size() < size) return;
    text.remove_prefix(size);
    if (text.size() >= 2 && text.substr(0, 2) != "\r\n") return bad(m, "no line end behind a chunk");
    if (text.size() < 2) return;
    text.remove_prefix(2);
  }
}

inline void take_body(std::string_view& text, Mode mode, std::uint64_t length, bool closed, Message& m) {
  switch (m.framing) {
    case Framing::None: m.got = Got::Whole; break;
    case Framing::Chunked: chunked(text, mode, m); break;
    case Framing::Length:
      m.body = text.substr(0, length);
      text.remove_prefix(m.body.size());
      if (m.body.size() == length) m.got = Got::Whole;
      break;
    case Framing::UntilClose:
      m.body = text;
      text = {};
      if (closed) m.got = Got::Whole;
      break;
  }
}

inline bool version(std::string_view text, Message& m) {
  m.http10 = text == "HTTP/1.0";
  if (text != "HTTP/1.1" && text != "HTTP/1.0") return bad(m, "a version that is not HTTP/1.1"), false;
  return true;
}

}  // namespace detail

// The first request in `octets`.
inline Message request(std::string_view octets, Mode mode) {
  Message m;
  std::string_view text = octets, line;
  // RFC 9112 §2.2: one empty line may stand in front.
  if (mode == Mode::Received && text.starts_with("\r\n")) text.remove_prefix(2);
  if (!detail::take_line(text, line)) return m;
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return detail::bad(m, "a request line of fewer than three words"), m;
  m.method = line.substr(0, first);
  m.target = line.substr(first + 1, last - first - 1);
  if (!is_token(m.method)) return detail::bad(m, "a method that is no token"), m;
  for (const char c : m.target)
    if (c <= ' ' || c > '~' || c == '#') return detail::bad(m, "a target with an octet that has no business there"), m;
  if (m.target.empty() || !detail::version(line.substr(last + 1), m)) return detail::bad(m, "no target, or no version"), m;
  if (mode == Mode::Written && m.http10) return detail::bad(m, "HTTP/1.0"), m;
  if (!detail::section(text, mode, m.fields, m)) return m;
  std::uint64_t length = 0;
  if (m.count("host") > 1 || (m.count("host") == 0 && !m.http10)) return detail::bad(m, "not exactly one Host"), m;
  if (m.count("host") == 1) {
    const std::string host = m.value("host");
    if (host.empty() || host.find_first_of(", \t/\\@?#\"") != std::string::npos) return detail::bad(m, "a Host that is none"), m;
  }
  if (!detail::choose_framing(m, mode, length)) return m;
  m.has_head = true;
  detail::take_body(text, mode, length, false, m);
  m.octets = octets.size() - text.size();
  return m;
}

// The first answer in `octets`, to a request of that method. `closed`: nothing comes behind them.
inline Message response(std::string_view octets, std::string_view method, Mode mode, bool closed) {
  Message m;
  std::string_view text = octets, line;
  if (!detail::take_line(text, line)) return m;
  std::uint64_t status = 0;
  const bool three_words = line.size() >= 13 && line[12] == ' ', two_words = line.size() == 12 && mode == Mode::Received;
  if (line.size() < 12 || line[8] != ' ' || !(three_words || two_words) || !is_text(line)) return detail::bad(m, "a status line that is none"), m;
  if (!detail::version(line.substr(0, 8), m)) return m;
  if (mode == Mode::Written && m.http10) return detail::bad(m, "HTTP/1.0"), m;
  if (!number(line.substr(9, 3), status) || status < 100) return detail::bad(m, "a status that is none"), m;
  m.status = static_cast<int>(status);
  if (!detail::section(text, mode, m.fields, m)) return m;
  std::uint64_t length = 0;
  if (!detail::choose_framing(m, mode, length)) return m;
  const bool bodiless = m.status < 200 || m.status == 204;
  if (mode == Mode::Written && bodiless && m.framing != Framing::None) return detail::bad(m, "a framing where no body can be"), m;
  if (bodiless || m.status == 304 || method == "HEAD") m.framing = Framing::None;
  else if (m.framing == Framing::None) m.framing = Framing::UntilClose;
  m.has_head = true;
  detail::take_body(text, mode, length, closed, m);
  m.octets = octets.size() - text.size();
  return m;
}

}  // namespace gatelab::fuzz::strict
