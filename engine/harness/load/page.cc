// SPDX-License-Identifier: Apache-2.0
// A load as one page: charts as SVG, nothing from elsewhere, so that it opens from a CI system's artefacts.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/units.h"
#include "harness/load/result.h"

namespace gatelab::harness::load {
namespace {

constexpr double kWidth = 860, kHeight = 240, kLeft = 64, kRight = 12, kTop = 14, kBottom = 28;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string number(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.1f", value);
  return out;
}

// Latencies on a logarithmic axis, from a power of ten to another.
class Axis {
 public:
  Axis(double least, double most) : low_(std::floor(std::log10(std::max(1.0, least)))), high_(std::max(low_ + 1, std::ceil(std::log10(std::max(10.0, most))))) {}
  double y(double value) const { return kTop + (kHeight - kTop - kBottom) * (1 - (std::log10(std::max(1.0, value)) - low_) / (high_ - low_)); }
  std::string grid() const {
    std::string out;
    for (double decade = low_; decade <= high_; ++decade) {
      const double value = std::pow(10, decade);
      out += "<line class=g x1=\"" + number(kLeft) + "\" x2=\"" + number(kWidth - kRight) + "\" y1=\"" + number(y(value)) + "\" y2=\"" + number(y(value)) + "\"/><text x=\"" + number(kLeft - 6) + "\" y=\"" + number(y(value) + 4) + "\" text-anchor=end>" + brief(value) + "</text>";
    }
    return out;
  }

 private:
  double low_, high_;
};

std::string svg(const std::string& inside, const std::string& label) {
  return "<svg viewBox=\"0 0 " + number(kWidth) + " " + number(kHeight) + "\" role=img aria-label=\"" + escaped(label) + "\">" + inside + "</svg>\n";
}

std::string line(const std::string& points, const char* of) { return points.empty() ? "" : "<polyline class=" + std::string(of) + " points=\"" + points + "\"/>"; }

// All rounds over each other: what happens at an instant of the plan happens in each.
std::string over_time(const Outcome& o, const Round& all) {
  if (all.slices.empty() || all.length <= Duration{}) return {};
  double least = 1e18, most = 0;
  std::uint64_t busiest = 1;
  for (const Slice& s : all.slices) {
    busiest = std::max(busiest, s.answered + s.failed);
    if (s.latency.count() == 0) continue;
    least = std::min(least, static_cast<double>(s.latency.at(0.5).count()));
    most = std::max(most, static_cast<double>(s.latency.max().count()));
  }
  const Axis axis(least > most ? 1e6 : least, most);
  const auto x = [&all](Duration at) { return kLeft + (kWidth - kLeft - kRight) * static_cast<double>(at.count()) / static_cast<double>(all.length.count()); };
  std::string inside, p50, p99, top;
  if (o.warmup > Duration{}) inside += "<rect class=w x=\"" + number(kLeft) + "\" y=\"" + number(kTop) + "\" width=\"" + number(x(o.warmup) - kLeft) + "\" height=\"" + number(kHeight - kTop - kBottom) + "\"><title>warm-up, not judged</title></rect>";
  inside += axis.grid();
  for (std::size_t i = 0; i < all.slices.size(); ++i) {
    const Slice& s = all.slices[i];
    const Duration begin = all.slice * static_cast<std::int64_t>(i);
    const double left = x(begin), right = x(std::min(begin + all.slice, all.length)), middle = (left + right) / 2;
    const double floor = kHeight - kBottom, full = 40.0 / static_cast<double>(busiest);
    const double good = full * static_cast<double>(s.answered), bad = full * static_cast<double>(s.failed);
    inside += "<rect class=n x=\"" + number(left) + "\" width=\"" + number(std::max(0.5, right - left - 0.5)) + "\" y=\"" + number(floor - good - bad) + "\" height=\"" + number(good) + "\"/>";
    if (s.failed > 0) inside += "<rect class=e x=\"" + number(left) + "\" width=\"" + number(std::max(0.5, right - left - 0.5)) + "\" y=\"" + number(floor - bad) + "\" height=\"" + number(std::max(1.5, bad)) + "\"><title>" + std::to_string(s.failed) + " errors</title></rect>";
    if (s.latency.count() == 0) continue;
    const auto point = [&](double q) { return number(middle) + "," + number(axis.y(static_cast<double>(s.latency.at(q).count()))) + " "; };
    p50 += point(0.5);
    p99 += point(0.99);
    top += point(1);
  }
  inside += line(top, "l3") + line(p99, "l2") + line(p50, "l1");
  for (const Mark& m : o.marks) inside += "<line class=m x1=\"" + number(x(m.at)) + "\" x2=\"" + number(x(m.at)) + "\" y1=\"" + number(kTop) + "\" y2=\"" + number(kHeight - kBottom) + "\"/><text class=m x=\"" + number(x(m.at) + 4) + "\" y=\"" + number(kTop + 10) + "\">" + escaped(m.text) + "</text>";
  for (int i = 0; i <= 4; ++i) {
    const Duration at = all.length / 4 * i;
    inside += "<text x=\"" + number(x(at)) + "\" y=\"" + number(kHeight - 8) + "\" text-anchor=\"" + (i == 0 ? "start" : i == 4 ? "end" : "middle") + "\">" + number(static_cast<double>(at.count()) / 1e9) + "s</text>";
  }
  return "<h2>Latency over time</h2>\n" + svg(inside, "latency over time") + "<p class=k><b class=c1>p50</b> <b class=c2>p99</b> <b class=c3>max</b> &middot; bars: requests" + (o.marks.empty() ? "" : " &middot; <b class=c4>faults</b>") + "</p>\n";
}

// The whole spectrum: the share of requests that were slower, each step a tenth of the one before.
std::string spectrum(const Tally& t) {
  if (t.latency.count() == 0) return {};
  const double nines = std::max(1.0, std::log10(static_cast<double>(t.latency.count())));
  const Axis axis(static_cast<double>(t.latency.min().count()), static_cast<double>(t.latency.max().count()));
  const auto x = [nines](double quantile) { return kLeft + (kWidth - kLeft - kRight) * std::min(1.0, -std::log10(1 - quantile) / nines); };
  std::string inside = axis.grid(), latency, service;
  for (double at = 0; at <= nines; at += nines / 200) {
    const double q = 1 - std::pow(10, -at);
    latency += number(x(q)) + "," + number(axis.y(static_cast<double>(t.latency.at(q).count()))) + " ";
    service += number(x(q)) + "," + number(axis.y(static_cast<double>(t.service.at(q).count()))) + " ";
  }
  inside += line(service, "l3") + line(latency, "l2");
  for (const double q : {0.5, 0.9, 0.99, 0.999, 0.9999})
    if (-std::log10(1 - q) <= nines) inside += "<text x=\"" + number(x(q)) + "\" y=\"" + number(kHeight - 8) + "\" text-anchor=middle>" + percentile_name(q) + "</text>";
  return "<h2>Percentiles</h2>\n" + svg(inside, "latency by percentile") + "<p class=k><b class=c2>latency</b>, from when the plan said to send &middot; <b class=c3>service time</b>, from when it was sent</p>\n";
}

std::string row(std::string_view head, const std::vector<std::string>& cells) {
  std::string out = "<tr><th>" + escaped(head);
  for (const std::string& cell : cells) out += "<td>" + escaped(cell);
  return out + "\n";
}

std::string row(std::string_view head, const Histogram& h) {
  std::vector<std::string> cells;
  for (const double q : {0.5, 0.9, 0.99, 0.999}) cells.push_back(h.count() >= samples_for(q, 0.95) ? brief(h.at(q)) : "-");
  cells.push_back(brief(h.max()));
  return row(head, cells);
}

}  // namespace

std::string to_html(const Outcome& o, const Judgement& judgement, const Compared* compared) {
  Round all;
  for (const Round& r : o.rounds) all.merge(r);
  const Verdict verdict = compared == nullptr ? judgement.verdict : worse(judgement.verdict, compared->verdict);
  const bool judged = !judgement.findings.empty() || !judgement.invalid.empty() || compared != nullptr;
  std::string out = "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>gatelab load: " + escaped(o.target) + R"(</title>
<style>
:root{--fg:#1c2330;--bg:#fff;--dim:#667085;--line:#e4e7ec;--a:#1f6feb;--b:#d97706;--c:#98a2b3;--bad:#d92d20;--ok:#067647}
@media(prefers-color-scheme:dark){:root{--fg:#e6e9ef;--bg:#12161d;--dim:#98a2b3;--line:#2b3340;--a:#58a6ff;--b:#f0a33a;--c:#667085;--bad:#f97066;--ok:#47cd89}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:900px;margin:24px auto;padding:0 16px}
h1{font-size:20px;overflow-wrap:anywhere}h2{font-size:16px;margin:24px 0 4px}p{margin:4px 0}.k,.d{color:var(--dim)}
svg{width:100%;height:auto;font-size:11px}svg text{fill:var(--dim)}
polyline{fill:none;stroke-width:1.6}.l1{stroke:var(--a)}.l2{stroke:var(--b)}.l3{stroke:var(--c)}.g{stroke:var(--line)}.w{fill:var(--line);opacity:.6}.n{fill:var(--c);opacity:.35}.e{fill:var(--bad)}
line.m{stroke:var(--bad);stroke-dasharray:3 3}text.m{fill:var(--bad)}.c1{color:var(--a)}.c2{color:var(--b)}.c3{color:var(--c)}.c4{color:var(--bad)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
.v{display:inline-block;padding:2px 10px;border-radius:4px;color:#fff;background:var(--dim)}.pass{background:var(--ok)}.fail{background:var(--bad)}
</style>
)";
  out += "<h1>" + escaped(o.target) + "</h1>\n";
  if (judged) out += "<p><span class=\"v " + std::string(name(verdict)) + "\">" + std::string(name(verdict)) + "</span></p>\n";
  out += "<p class=d>" + escaped(o.plan) + ", " + std::to_string(o.rounds.size()) + (o.rounds.size() == 1 ? " round" : " rounds") + ", seed " + std::to_string(o.seed) + ". " + std::to_string(all.judged.sent) + " requests judged, " + std::to_string(all.judged.failed()) + " errors" + (all.judged.unsent > 0 ? ", " + std::to_string(all.judged.unsent) + " of them never sent" : "") + ".</p>\n";
  for (const std::string& why : judgement.invalid) out += "<p>" + escaped(why) + "</p>\n";
  if (!judgement.hint.empty()) out += "<p>" + escaped(judgement.hint) + "</p>\n";
  if (!judgement.findings.empty()) {
    out += "<h2>Expected</h2>\n<table>\n";
    for (const Finding& f : judgement.findings) out += row(f.threshold.text, {std::string(name(f.verdict)), f.text});
    out += "</table>\n";
  }
  if (compared != nullptr) {
    out += "<h2>Against " + escaped(compared->base) + "</h2>\n<table>\n";
    for (const Comparison& c : compared->findings) out += row(percentile_name(c.quantile), {std::string(name(c.verdict)), c.text});
    out += row("errors", {std::string(name(compared->errors.verdict)), compared->errors.text});
    for (const std::string& why : compared->invalid) out += row("the base", {"invalid", why});
    out += "</table>\n";
  }
  out += over_time(o, all) + spectrum(all.judged);
  out += "<h2>Figures</h2>\n<table>\n<tr><th><th>p50<th>p90<th>p99<th>p99.9<th>max\n" + row("latency", all.judged.latency) + row("service time", all.judged.service) + row("the generator was late by", all.judged.late);
  for (std::size_t i = 0; o.rounds.size() > 1 && i < o.rounds.size(); ++i) out += row("round " + std::to_string(i + 1), o.rounds[i].judged.latency);
  out += "</table>\n";
  if (!o.served.targets.empty()) {
    out += "<h2>Targets</h2>\n<table>\n<tr><th><th>answers<th>p50 at most<th>p99 at most<th>failed tries\n";
    for (const Served& one : o.served.targets) {
      std::string failures;
      for (const auto& [reason, n] : one.failures) failures += (failures.empty() ? "" : ", ") + std::to_string(n) + " " + reason;
      const auto bound = [&one](Duration d) { return one.answers == 0 || d == Duration::max() ? std::string("&ndash;") : format(d); };
      out += "<tr><td>" + escaped(one.target) + "<td>" + std::to_string(one.answers) + "<td>" + bound(one.p50) + "<td>" + bound(one.p99) + "<td>" + failures + "\n";
    }
    out += "</table>\n<p>" + std::to_string(o.served.retries) + " retries, " + std::to_string(o.served.hedges) + " hedges</p>\n";
  }
  if (!all.judged.errors.empty()) {
    out += "<h2>Errors</h2>\n<table>\n";
    for (const auto& [word, n] : all.judged.errors) out += row(word, {std::to_string(n)});
    out += "</table>\n";
  }
  return out + "</html>\n";
}

}  // namespace gatelab::harness::load
