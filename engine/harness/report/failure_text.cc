// SPDX-License-Identifier: Apache-2.0
// What a person sees of a failed case: where, what came instead, what happened on the way, how to run it again.
#include <algorithm>

#include "base/units.h"
#include "harness/report/report.h"

namespace gatelab::harness {
namespace {

constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kBlue = "\x1b[1;34m";
constexpr std::string_view kReset = "\x1b[0m";

std::string paint(std::string_view how, std::string text, diag::Colour colour) {
  return colour == diag::Colour::On ? std::string(how) + text + std::string(kReset) : text;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// In single quotes for a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out + "'";
}

// As it stands where a shell takes it so.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=";
  return !text.empty() && text.find_first_not_of(kPlain) == std::string::npos ? text : quoted(text);
}

// A glob that finds this case: characters that mean something in one are left to `?`.
std::string as_glob(std::string name) {
  for (char& c : name)
    if (c == '*' || c == '[' || c == ']' || c == '\\') c = '?';
  return name;
}

}  // namespace

std::string snippet(const diag::Span& span, const std::string& message, diag::Colour colour) {
  const std::string& text = span.file->text;
  const std::size_t newline = span.begin == 0 ? std::string::npos : text.rfind('\n', span.begin - 1);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find('\n', begin), text.size());
  const std::string line = text.substr(begin, end - begin);
  const std::string number = std::to_string(diag::position_of(*span.file, span.begin).line);
  const std::string margin(number.size() + 2, ' ');
  const std::size_t from = std::min<std::size_t>(span.begin - begin, line.size());
  const std::size_t to = std::clamp<std::size_t>(span.end - begin, from, line.size());
  std::string first = message.substr(0, message.find('\n'));
  std::string out = "  " + paint(kBlue, number + " │", colour) + " " + line + "\n" + margin + paint(kBlue, " │", colour) + " ";
  out += std::string(code_points(std::string_view(line).substr(0, from)), ' ');
  out += paint(kRed, std::string(std::max<std::size_t>(1, code_points(std::string_view(line).substr(from, to - from))), '^') + " " + first, colour) + "\n";
  if (first.size() < message.size()) out += message.substr(first.size() + 1) + "\n";
  return out;
}

std::string rerun_of(const CaseReport& c) {
  if (!c.file->rerun.empty()) return c.file->rerun + " --seed " + std::to_string(c.result.seed);
  return "gatelab test " + shell_word(c.file->path) + (c.real ? " --real" : "") + " -k " + quoted(as_glob(c.of->name)) + " --seed " + std::to_string(c.result.seed);
}

std::string failure_text(const CaseReport& c, diag::Colour colour) {
  std::string out;
  for (const Failure& f : c.result.failures) {
    const std::string where = f.span ? diag::place(f.span) : c.file->path;
    const std::string row = c.of->row > 0 ? "row " + std::to_string(c.of->row) + ", " : "";
    out += paint(kRed, "FAIL", colour) + " " + where + " › " + c.of->name + " (" + row + "seed " + std::to_string(c.result.seed) + ")      rerun: " + rerun_of(c) + "\n";
    if (!f.step.empty()) out += "  step   " + f.step + "\n";
    if (f.span) out += snippet(f.span, f.message, colour);
    else out += "  " + f.message + "\n";
    for (std::size_t i = 0; i < f.trace.size(); ++i) out += (i == 0 ? "  trace  " : "           ") + f.trace[i] + "\n";
    // One stub alone is in the hint already.
    for (std::size_t i = 0; i < f.stubs.size() && f.stubs.size() > 1; ++i) out += (i == 0 ? "  stubs  " : "         ") + f.stubs[i] + "\n";
    if (!f.hint.empty()) out += "  hint   " + f.hint + "\n";
  }
  return out;
}

}  // namespace gatelab::harness
