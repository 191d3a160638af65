// SPDX-License-Identifier: Apache-2.0
// A run as one page: no script, nothing fetched, dark where the reader's system is. Bounded: what a browser can't show in
// comfort is left to the JSON report.
#include <algorithm>
#include <map>

#include "base/units.h"
#include "harness/report/escape.h"
#include "harness/report/report.h"

namespace gatelab::harness {
namespace {

constexpr std::size_t kShownFailures = 500, kShownCases = 5000, kText = 16 * 1024, kLines = 200;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>
:root{--bg:#fff;--fg:#1b1f24;--dim:#5b6570;--line:#d9dee3;--soft:#f4f6f8;--bad:#b3261e;--badbg:#fdf0ef;--good:#1a6b3a}
@media(prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e3e7eb;--dim:#97a1ab;--line:#2d343b;--soft:#1c2228;--bad:#ff8a80;--badbg:#2a1b1a;--good:#7ad19a}}
*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.25rem 0}
.dim{color:var(--dim)}.bad{color:var(--bad)}.good{color:var(--good)}
pre,code{font:13px/1.45 ui-monospace,monospace}pre{margin:.5rem 0;padding:.6rem .8rem;background:var(--soft);border-radius:4px;overflow-x:auto}
.fail{border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:4px;padding:.6rem 1rem;margin:.8rem 0}
.fail h3{font-size:1rem;margin:0;overflow-wrap:anywhere}.fail dt{color:var(--dim);margin-top:.5rem}.fail dd{margin:0}
details{border:1px solid var(--line);border-radius:4px;margin:.4rem 0}summary{cursor:pointer;padding:.4rem .8rem;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .8rem;border-top:1px solid var(--line);overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}tr.failed td{background:var(--badbg)}
</style>
)";

std::string of(std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }
std::string text(const std::string& any) { return xml(bounded(any, kText)); }
Duration time_of(const CaseReport& c) { return c.real ? c.elapsed : c.result.virtual_time; }

std::string lines(const std::string& title, const std::vector<std::string>& all) {
  if (all.empty()) return {};
  std::string out = "<dt>" + title + "</dt><dd><pre>";
  for (std::size_t i = 0; i < all.size() && i < kLines; ++i) out += text(all[i]) + "\n";
  if (all.size() > kLines) out += "… and " + of(all.size() - kLines, "more line") + "\n";
  return out + "</pre></dd>";
}

// One case that failed, with all that a person is told of it on a terminal.
std::string failure(const CaseReport& c, std::size_t number) {
  std::string out = "<section class=\"fail\" id=\"f" + std::to_string(number) + "\"><h3>" + text(title_of(c)) + "</h3>\n<p class=\"dim\">" + text(c.file->path) + ", seed " + std::to_string(c.result.seed) + "</p>\n<dl>";
  for (const Failure& f : c.result.failures) {
    const std::string where = f.span ? diag::place(f.span) : c.file->path;
    out += "<dt>" + text(where) + (f.step.empty() ? "" : ", step " + text(f.step)) + "</dt><dd><pre>" + text(f.span ? snippet(f.span, f.message, diag::Colour::Off) : f.message) + "</pre></dd>";
    out += lines("trace", f.trace);
    if (f.stubs.size() > 1) out += lines("stubs", f.stubs);
    if (!f.hint.empty()) out += "<dt>hint</dt><dd>" + text(f.hint) + "</dd>";
    out += "\n";
  }
  return out + "<dt>rerun</dt><dd><pre>" + text(rerun_of(c)) + "</pre></dd></dl></section>\n";
}

std::string row(const CaseReport& c, std::size_t number) {
  const bool ok = c.result.ok();
  std::string verdict = ok ? "<span class=\"good\">passed</span>" : "<span class=\"bad\">failed</span>";
  if (!ok && number <= kShownFailures) verdict = "<a class=\"bad\" href=\"#f" + std::to_string(number) + "\">failed</a>";
  return std::string("<tr") + (ok ? "" : " class=\"failed\"") + "><td>" + text(title_of(c)) + "</td><td>" + verdict + "</td><td class=\"n\">" + std::to_string(c.result.expectations) + "</td><td class=\"n\">" +
         xml(format(time_of(c))) + "</td><td class=\"n\">" + std::to_string(c.result.seed) + "</td></tr>\n";
}

// The cases of one file, [from, to).
std::string table(const RunReport& report, std::size_t from, std::size_t to, std::size_t failed_before) {
  const File& file = *report.cases[from].file;
  std::size_t bad = 0;
  std::string rows;
  for (std::size_t i = from; i < to; ++i) {
    bad += report.cases[i].result.ok() ? 0 : 1;
    if (i < kShownCases) rows += row(report.cases[i], failed_before + bad);
  }
  std::string out = std::string("<details") + (bad > 0 ? " open" : "") + "><summary>" + text(file.name.empty() ? file.path : file.name) + " <span class=\"dim\">" + text(file.path) + "</span> – " + of(to - from, "case");
  if (bad > 0) out += ", <span class=\"bad\">" + std::to_string(bad) + " failed</span>";
  return out + "</summary><div class=\"wide\"><table><thead><tr><th>case</th><th>verdict</th><th class=\"n\">expectations</th><th class=\"n\">" + (report.real ? "time" : "virtual time") +
         "</th><th class=\"n\">seed</th></tr></thead><tbody>\n" + rows + "</tbody></table></div></details>\n";
}

}  // namespace

std::string to_html(const RunReport& report) {
  const std::size_t all = report.cases.size(), bad = failed(report);
  std::string out(kHead);
  const std::string verdict = bad > 0 ? std::to_string(bad) + " of " + of(all, "case") + " failed" : !report.problems.empty() ? std::string("the run failed") : all == 0 ? "no case was run" : of(all, "case") + " passed";
  out += "<title>gatelab: " + verdict + "</title></head><body>\n<h1 class=\"" + (bad > 0 || all == 0 || !report.problems.empty() ? "bad" : "good") + "\">" + verdict + "</h1>\n<p class=\"dim\">gatelab " + text(report.version) +
         (report.real ? ", on sockets" : ", in virtual time") + (report.shard.empty() ? "" : ", shard " + text(report.shard)) + "</p>\n";
  for (const RunProblem& problem : report.problems)
    out += "<p class=\"bad\">" + text((problem.span ? diag::place(problem.span) + ": " : "") + problem.message) + (problem.hint.empty() ? "" : "<br>" + text(problem.hint)) + "</p>\n";
  if (report.left_out > 0) out += "<p class=\"bad\">" + of(report.left_out, "more case") + (report.left_out == 1 ? " was" : " were") + " selected and not run: the run ended before.</p>\n";
  if (bad > 0) out += "<h2>Failures</h2>\n";
  std::size_t number = 0;
  for (const CaseReport& c : report.cases)
    if (!c.result.ok() && ++number <= kShownFailures) out += failure(c, number);
  if (bad > kShownFailures) out += "<p>… and " + of(bad - kShownFailures, "more failure") + ": <code>--report json=FILE</code> has all of them.</p>\n";
  if (all > 0) out += "<h2>Cases</h2>\n";
  for (std::size_t from = 0, before = 0; from < all && from < kShownCases;) {
    std::size_t to = from, here = 0;
    for (; to < all && report.cases[to].file == report.cases[from].file; ++to) here += report.cases[to].result.ok() ? 0 : 1;
    out += table(report, from, to, before);
    before += here;
    from = to;
  }
  if (all > kShownCases) out += "<p>The first " + std::to_string(kShownCases) + " cases are shown: <code>--report json=FILE</code> has all of them.</p>\n";
  return out + "</body></html>\n";
}

}  // namespace gatelab::harness
