// SPDX-License-Identifier: Apache-2.0
#include "harness/report/report.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/units.h"

namespace gatelab::harness {
namespace {

std::string place(const diag::Span& span, const CaseReport& c) { return span ? diag::place(span) : c.file->path; }

// Text in an XML attribute or element; what XML 1.0 can't hold becomes U+FFFD.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      case '\t': out += "&#9;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? std::string("\xEF\xBF\xBD") : std::string(1, c);
    }
  }
  return out;
}

// GitHub's workflow commands end with their line.
std::string one_line(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%') out += "%25";
    else if (c == '\r') out += "%0D";
    else if (c == '\n') out += "%0A";
    else if (property && c == ':') out += "%3A";
    else if (property && c == ',') out += "%2C";
    else out += c;
  }
  return out;
}

std::string seconds(Duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(d.count()) / 1e9);
  return text;
}

std::size_t failed(const RunReport& report) {
  std::size_t n = 0;
  for (const CaseReport& c : report.cases) n += c.result.ok() ? 0 : 1;
  return n;
}

}  // namespace

std::string title_of(const CaseReport& c) { return c.of->name + (c.of->row > 0 ? " (row " + std::to_string(c.of->row) + ")" : ""); }

std::string to_json(const RunReport& report) {
  nlohmann::ordered_json out{{"gatelab", report.version}, {"mode", report.real ? "real" : "sim"}, {"cases", report.cases.size()}, {"failed", failed(report)}, {"results", nlohmann::ordered_json::array()}};
  for (const CaseReport& c : report.cases) {
    nlohmann::ordered_json one{{"file", c.file->path}, {"line", diag::position_of(*c.of->span.file, c.of->span.begin).line}, {"name", c.of->name}};
    if (c.of->row > 0) one["row"] = c.of->row;
    one["seed"] = c.result.seed;
    one["ok"] = c.result.ok();
    one["expectations"] = c.result.expectations;
    if (!report.real) {
      char hash[17];
      std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(c.result.trace));
      one["virtual_ms"] = static_cast<double>(c.result.virtual_time.count()) / 1e6;
      one["trace"] = hash;
    }
    for (const Failure& f : c.result.failures) {
      nlohmann::ordered_json failure{{"place", place(f.span, c)}, {"message", f.message}};
      if (!f.step.empty()) failure["step"] = f.step;
      if (!f.hint.empty()) failure["hint"] = f.hint;
      if (!report.real && !f.trace.empty()) failure["trace"] = f.trace;
      one["failures"].push_back(std::move(failure));
    }
    out["results"].push_back(std::move(one));
  }
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string to_junit(const RunReport& report) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gatelab\" tests=\"" + std::to_string(report.cases.size()) + "\" failures=\"" + std::to_string(failed(report)) + "\">\n";
  for (std::size_t i = 0; i < report.cases.size();) {
    const File* file = report.cases[i].file;
    std::string body;
    std::size_t n = 0, bad = 0;
    for (; i < report.cases.size() && report.cases[i].file == file; ++i, ++n) {
      const CaseReport& c = report.cases[i];
      body += "    <testcase classname=\"" + xml(file->path) + "\" name=\"" + xml(title_of(c)) + "\" time=\"" + (report.real ? "0" : seconds(c.result.virtual_time)) + "\"";
      if (c.result.ok()) {
        body += "/>\n";
        continue;
      }
      ++bad;
      const Failure& f = c.result.failures.front();
      body += ">\n      <failure message=\"" + xml(place(f.span, c) + ": " + f.message) + "\">" + xml(failure_text(c, diag::Colour::Off)) + "</failure>\n    </testcase>\n";
    }
    out += "  <testsuite name=\"" + xml(file->name.empty() ? file->path : file->name) + "\" tests=\"" + std::to_string(n) + "\" failures=\"" + std::to_string(bad) + "\">\n" + body + "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string to_tap(const RunReport& report) {
  std::string out = "TAP version 14\n1.." + std::to_string(report.cases.size()) + "\n";
  std::size_t n = 0;
  for (const CaseReport& c : report.cases) {
    std::string title = c.file->path + ": " + title_of(c);
    for (char& ch : title)
      if (ch == '\n' || ch == '#') ch = ' ';
    out += (c.result.ok() ? "ok " : "not ok ") + std::to_string(++n) + " - " + title + "\n";
    if (c.result.ok()) continue;
    const Failure& f = c.result.failures.front();
    out += "  ---\n  at: " + nlohmann::json(place(f.span, c)).dump() + "\n  message: " + nlohmann::json(f.message).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n  ...\n";
  }
  return out;
}

std::string to_github(const RunReport& report) {
  std::string out;
  for (const CaseReport& c : report.cases) {
    if (c.result.ok()) continue;
    const Failure& f = c.result.failures.front();
    const diag::Span& span = f.span ? f.span : c.of->span;
    const diag::Position at = diag::position_of(*span.file, span.begin);
    out += "::error file=" + one_line(span.file->name, true) + ",line=" + std::to_string(at.line) + ",col=" + std::to_string(at.column) + ",title=" + one_line(title_of(c), true) + "::" + one_line(f.message, false) + "\n";
  }
  return out;
}

}  // namespace gatelab::harness
