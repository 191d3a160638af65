// SPDX-License-Identifier: Apache-2.0
#include "harness/report/report.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "harness/report/escape.h"

namespace gatelab::harness {
namespace {

std::string place(const diag::Span& span, const CaseReport& c) { return span ? diag::place(span) : c.file->path; }

std::string seconds(Duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(d.count()) / 1e9);
  return text;
}

std::string place(const RunProblem& problem) { return problem.span ? diag::place(problem.span) : "the run"; }

// A double-quoted scalar of YAML.
std::string quoted(const std::string& text) { return nlohmann::json(clean(text)).dump(); }

// One failure must not make a report that nothing can open.
constexpr std::size_t kMessage = 16 * 1024, kDetail = 256 * 1024;

}  // namespace

std::size_t failed(const RunReport& report) {
  std::size_t n = 0;
  for (const CaseReport& c : report.cases) n += c.result.ok() ? 0 : 1;
  return n;
}

std::string title_of(const CaseReport& c) { return c.of->name + (c.of->row > 0 ? " (row " + std::to_string(c.of->row) + ")" : ""); }

std::string to_json(const RunReport& report) {
  nlohmann::ordered_json out{{"gatelab", report.version}, {"mode", report.real ? "real" : "sim"}, {"cases", report.cases.size()}, {"failed", failed(report)}, {"ok", failed(report) == 0 && report.problems.empty()}};
  if (!report.shard.empty()) out["shard"] = report.shard;
  if (report.left_out > 0) out["left_out"] = report.left_out;
  for (const RunProblem& problem : report.problems) {
    nlohmann::ordered_json one{{"place", place(problem)}, {"message", problem.message}};
    if (!problem.hint.empty()) one["hint"] = problem.hint;
    out["problems"].push_back(std::move(one));
  }
  out["results"] = nlohmann::ordered_json::array();
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
    // What was left out, or not compared, is no failure and said all the same.
    if (!c.result.left_out.empty()) one["left_out"] = c.result.left_out;
    if (!c.result.notes.empty()) one["notes"] = c.result.notes;
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
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gatelab\" tests=\"" + std::to_string(report.cases.size() + report.problems.size()) + "\" failures=\"" + std::to_string(failed(report)) + "\"" +
                    (report.problems.empty() ? "" : " errors=\"" + std::to_string(report.problems.size()) + "\"") + ">\n";
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
      body += ">\n      <properties><property name=\"seed\" value=\"" + std::to_string(c.result.seed) + "\"/></properties>\n      <failure message=\"" +
              xml(bounded(place(f.span, c) + ": " + f.message, kMessage)) + "\">" + xml(bounded(failure_text(c, diag::Colour::Off), kDetail)) + "</failure>\n    </testcase>\n";
    }
    out += "  <testsuite name=\"" + xml(file->name.empty() ? file->path : file->name) + "\" tests=\"" + std::to_string(n) + "\" failures=\"" + std::to_string(bad) + "\">\n" + body + "  </testsuite>\n";
  }
  if (!report.problems.empty()) {
    const std::string n = std::to_string(report.problems.size());
    out += "  <testsuite name=\"the run\" tests=\"" + n + "\" errors=\"" + n + "\">\n";
    for (const RunProblem& problem : report.problems)
      out += "    <testcase classname=\"" + xml(place(problem)) + "\" name=\"" + xml(bounded(problem.message, kMessage)) + "\">\n      <error message=\"" + xml(bounded(place(problem) + ": " + problem.message, kMessage)) + "\">" +
             xml(bounded(problem.hint, kDetail)) + "</error>\n    </testcase>\n";
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string to_tap(const RunReport& report) {
  std::string out = "TAP version 14\n1.." + std::to_string(report.cases.size() + report.problems.size()) + "\n";
  std::size_t n = 0;
  const auto title = [](const std::string& text) {
    std::string line;
    for (const char ch : clean(text)) {
      if (ch == '#' || ch == '\\') line += '\\';  // a directive would begin there
      line += ch == '\n' || ch == '\t' ? ' ' : ch;
    }
    return line + "\n";
  };
  for (const RunProblem& problem : report.problems) out += "not ok " + std::to_string(++n) + " - " + title(place(problem) + ": " + bounded(problem.message, kMessage));
  for (const CaseReport& c : report.cases) {
    out += (c.result.ok() ? "ok " : "not ok ") + std::to_string(++n) + " - " + title(c.file->path + ": " + title_of(c));
    if (c.result.ok()) continue;
    const Failure& f = c.result.failures.front();
    out += "  ---\n  at: " + quoted(place(f.span, c)) + "\n  message: " + quoted(bounded(f.message, kMessage)) + "\n  rerun: " + quoted(rerun_of(c)) + "\n  ...\n";
  }
  return out;
}

std::string to_github(const RunReport& report) {
  std::string out;
  for (const RunProblem& problem : report.problems) {
    const std::string message = bounded(problem.message, kMessage) + (problem.hint.empty() ? "" : "\nhint: " + problem.hint);
    const diag::Position at = problem.span ? diag::position_of(*problem.span.file, problem.span.begin) : diag::Position{};
    out += "::error " + (problem.span ? "file=" + one_line(problem.span.file->name, true) + ",line=" + std::to_string(at.line) + ",col=" + std::to_string(at.column) + "," : std::string()) + "title=gatelab test::" + one_line(message, false) + "\n";
  }
  for (const CaseReport& c : report.cases) {
    if (c.result.ok()) continue;
    const Failure& f = c.result.failures.front();
    std::string message;
    for (const Failure& each : c.result.failures) message += each.message + (each.hint.empty() ? "" : "\nhint: " + each.hint) + "\n";
    message = bounded(std::move(message), kMessage) + "rerun: " + rerun_of(c);
    const diag::Span& span = f.span ? f.span : c.of->span;
    const diag::Position at = diag::position_of(*span.file, span.begin);
    out += "::error file=" + one_line(span.file->name, true) + ",line=" + std::to_string(at.line) + ",col=" + std::to_string(at.column) + ",title=" + one_line(title_of(c), true) + "::" + one_line(message, false) + "\n";
  }
  return out;
}

}  // namespace gatelab::harness
