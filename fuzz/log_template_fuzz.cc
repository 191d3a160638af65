// SPDX-License-Identifier: Apache-2.0
// Templates of the access log, and what clients put into their fields: whatever both are, a line is one line, and where the template's
// own text is plain it is printable.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "observe/log_shape.h"

using namespace gatelab;

// Input: the template up to the first LF, then values of fields.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view written = text.substr(0, line), value = text.substr(std::min(line + 1, text.size()));
  diag::Sink sink;
  observe::LogShape shape;
  shape.format = observe::LogFormat::Template;
  shape.line = observe::LogTemplate::parse(written, {}, sink);
  Arena arena;
  observe::Record r(arena);
  r.request_id = r.method = r.host = r.target = r.user_agent = r.referer = r.consumer = value;
  for (const bool hashed : {false, true}) {
    if (hashed) shape.redaction.hashed.set();
    std::string out;
    observe::append_line(out, r, shape, false);
    if (!out.ends_with('\n') || std::count(out.begin(), out.end(), '\n') != 1) std::abort();
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::none_of(written.begin(), written.end(), is_control) && std::any_of(out.begin(), out.end() - 1, is_control)) std::abort();
    for (const auto format : {observe::LogFormat::Json, observe::LogFormat::Logfmt, observe::LogFormat::Combined, observe::LogFormat::Pretty}) {
      shape.format = format;
      out.clear();
      observe::append_line(out, r, shape, false);
      if (std::count(out.begin(), out.end(), '\n') != 1) std::abort();
    }
    shape.format = observe::LogFormat::Template;
  }
  return 0;
}
