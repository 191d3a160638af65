// SPDX-License-Identifier: Apache-2.0
// Diagnostics as text for people, in the manner of rustc, and as JSON for editors.
#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "base/userinfo.h"
#include "diag/diagnostic.h"

namespace gatelab::diag {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kBlue = "\x1b[1;34m";
constexpr std::size_t kMaxLine = 160;  // octets of a source line that are shown
constexpr std::size_t kBefore = 60;    // of them before the caret, where a line is shown from its middle on

std::string_view name(Severity severity) noexcept {
  switch (severity) {
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
    case Severity::Note: break;
  }
  return "note";
}

class Painter {
 public:
  Painter(std::string& out, Colour colour) : out_(out), colour_(colour == Colour::On) {}
  void plain(std::string_view text) { out_ += text; }
  void paint(std::string_view how, std::string_view text) {
    if (colour_) out_ += how;
    out_ += text;
    if (colour_) out_ += kReset;
  }

 private:
  std::string& out_;
  bool colour_;
};

std::string_view line_at(const SourceFile& file, std::uint32_t offset) noexcept {
  const std::string_view text = file.text;
  const std::size_t at = std::min<std::size_t>(offset, text.size());
  const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  std::size_t end = text.find('\n', begin);
  if (end == std::string_view::npos) end = text.size();
  if (end > begin && text[end - 1] == '\r') --end;
  return text.substr(begin, end - begin);
}

std::size_t code_points(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// A source line as it can be shown: no control reaches the terminal, tabs become one space, cut at a whole character.
std::string shown(std::string_view line) {
  std::string out;
  std::size_t end = std::min(line.size(), kMaxLine);
  while (end > 0 && end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
  for (const char c : line.substr(0, end)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return end < line.size() ? out + " …" : out;
}

// Where a line is shown from, so that what is at `from` is seen: its beginning, or a whole character not far before.
std::size_t shown_from(std::string_view line, std::size_t from) noexcept {
  if (from < kMaxLine) return 0;
  std::size_t at = from - kBefore;
  while (at > 0 && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U) --at;
  return at;
}

// Credentials in URLs, of a line whose octets [from, to) are pointed at.
std::string redacted(std::string_view line, std::size_t& from, std::size_t& to) {
  std::string out(line);
  for (Userinfo one = find_userinfo(out); one; one = find_userinfo(out, one.begin + kNoUserinfo.size())) {
    const std::size_t length = one.end - one.begin;
    const auto moved = [&](std::size_t at, std::size_t within) { return at >= one.end ? at - length + kNoUserinfo.size() : at > one.begin ? one.begin + within : at; };
    from = moved(from, 0);
    to = moved(to, kNoUserinfo.size());
    out.replace(one.begin, length, kNoUserinfo);
  }
  return out;
}

// Where it is, of a line that must not be shown.
void bare_place(Painter& paint, const Span& span, std::string_view arrow) {
  paint.plain("  ");
  paint.paint(kBlue, arrow);
  paint.plain(" " + place_with_column(span) + "\n");
}

// One source line with a caret under the span.
void snippet(Painter& paint, const Span& span, std::string_view note, std::string_view colour, std::string_view arrow) {
  const Position at = position_of(*span.file, span.begin);
  const std::string number = std::to_string(at.line);
  const std::string margin(std::max<std::size_t>(number.size(), 2) + 1, ' ');
  const std::string_view written = line_at(*span.file, span.begin);
  const auto begin = static_cast<std::size_t>(written.data() - span.file->text.data());
  std::size_t from = std::min<std::size_t>(span.begin - std::min<std::size_t>(span.begin, begin), written.size());
  std::size_t to = std::clamp<std::size_t>(span.end > begin ? span.end - begin : 0, from, written.size());
  const std::string told = redacted(written, from, to);
  std::string_view line = told;
  paint.plain(margin);
  paint.paint(kBlue, arrow);
  paint.plain(" " + place_with_column(span) + "\n");
  const std::size_t cut = shown_from(line, from);
  const std::string_view before = cut == 0 ? "" : "… ";
  line.remove_prefix(cut);
  from -= cut;
  to -= cut;
  paint.paint(kBlue, margin + "|\n" + std::string(margin.size() - 1 - number.size(), ' ') + number + " | ");
  paint.plain(std::string(before) + shown(line) + "\n");
  paint.paint(kBlue, margin + "| ");
  const std::size_t carets = std::max<std::size_t>(1, code_points(line.substr(from, std::max(from, std::min(to, kMaxLine)) - from)));
  paint.plain(std::string(code_points(before) + code_points(line.substr(0, from)), ' '));
  paint.paint(colour, std::string(carets, '^') + (note.empty() ? "" : " ") + std::string(note));
  paint.plain("\n");
}

void json_text(std::string& out, std::string_view key, std::string_view value, bool first = false) {
  if (!first) out += ',';
  out += '"';
  out += key;
  out += "\":\"";
  append_json_escaped(out, value);
  out += '"';
}

void json_span(std::string& out, const Span& span) {
  if (!span) return;
  const Position begin = position_of(*span.file, span.begin), end = position_of(*span.file, span.end);
  json_text(out, "file", span.file->name);
  out += ",\"line\":" + std::to_string(begin.line) + ",\"column\":" + std::to_string(begin.column);
  out += ",\"end_line\":" + std::to_string(end.line) + ",\"end_column\":" + std::to_string(end.column);
}

std::vector<const Diagnostic*> sorted(const Sink& sink) {
  // Files in the order in which they were first spoken of: names would put b.yaml's include before b.yaml.
  std::map<const SourceFile*, std::size_t> files;
  std::vector<const Diagnostic*> all;
  for (const Diagnostic& d : sink.all()) {
    files.emplace(d.span.file.get(), files.size());
    all.push_back(&d);
  }
  std::stable_sort(all.begin(), all.end(), [&files](const Diagnostic* a, const Diagnostic* b) {
    return std::pair(files[a->span.file.get()], a->span.begin) < std::pair(files[b->span.file.get()], b->span.begin);
  });
  return all;
}

}  // namespace

std::string render(const Diagnostic& d, Colour colour) {
  std::string out;
  Painter paint(out, colour);
  const std::string_view tint = d.severity == Severity::Error ? kRed : kYellow;
  paint.paint(tint, std::string(name(d.severity)) + "[" + d.id + "]");
  paint.paint(kBold, ": " + d.message);
  paint.plain("\n");
  if (d.span && !d.quoted) bare_place(paint, d.span, "-->");
  else if (d.span) snippet(paint, d.span, d.note, tint, "-->");
  for (const Label& label : d.related)
    if (label.span && d.quoted) snippet(paint, label.span, label.text, kBlue, ":::");
  if (!d.hint.empty()) {
    paint.paint(kBlue, "   = hint: ");
    paint.plain(d.hint + "\n");
  }
  return out;
}

std::string render_all(const Sink& sink, Colour colour) {
  std::string out;
  for (const Diagnostic* d : sorted(sink)) {
    if (!out.empty()) out += '\n';
    out += render(*d, colour);
  }
  return out;
}

std::string render_json(const Sink& sink) {
  std::string out = "[";
  for (const Diagnostic* d : sorted(sink)) {
    out += out.size() > 1 ? ",\n {" : "{";
    json_text(out, "severity", name(d->severity), true);
    json_text(out, "id", d->id);
    json_text(out, "message", d->message);
    json_span(out, d->span);
    if (!d->note.empty()) json_text(out, "note", d->note);
    if (!d->hint.empty()) json_text(out, "hint", d->hint);
    out += ",\"related\":[";
    for (std::size_t i = 0; i < d->related.size(); ++i) {
      out += i == 0 ? "{" : ",{";
      json_text(out, "text", d->related[i].text, true);
      json_span(out, d->related[i].span);
      out += '}';
    }
    out += "]}";
  }
  return out + "]\n";
}

}  // namespace gatelab::diag
