// SPDX-License-Identifier: Apache-2.0
// A report for people, and for other programs.
#include <algorithm>

#include "harness/diff/diff.h"

namespace gatelab::harness::diff {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kShown = 8;  // differences of one request

std::string counted(std::size_t n, const std::string& noun) { return std::to_string(n) + " " + noun + (n == 1 ? "" : "s"); }

const Request& last_request(const Group& group) {
  static const Request none;
  for (auto step = group.probe.steps.rbegin(); step != group.probe.steps.rend(); ++step)
    if (step->kind == Step::Kind::Send) return step->request;
  return none;
}

std::string status_text(int status) { return status == 0 ? "none" : std::to_string(status); }

class Text {
 public:
  explicit Text(diag::Colour colour) : colour_(colour == diag::Colour::On) {}

  std::string whole(const Report& report, const std::string& a, const std::string& b) {
    for (std::size_t i = 0; i < report.groups.size(); ++i) group(report, report.groups[i], i + 1);
    for (const std::string& note : report.notes) out_ += "note  " + note + "\n";
    const std::string asked = counted(report.requests, "request") + " to each of " + a + " (A) and " + b + " (B), in " + counted(report.probes, "probe");
    if (report.different == 0) out_ += paint("32", "no difference") + " in " + asked + "\n";
    else out_ += paint("31", std::to_string(report.different) + (report.different == 1 ? " is" : " are") + " answered differently") + ", in " + counted(report.groups.size(), "way") + ": " + asked + "\n";
    return std::move(out_);
  }

 private:
  std::string paint(const char* code, const std::string& text) const { return colour_ ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text; }
  void line(const std::string& name, const std::string& text) { out_ += "  " + name + std::string(name.size() < 10 ? 10 - name.size() : 1, ' ') + text + "\n"; }
  void pair(const std::string& name, const std::string& a, const std::string& b) {
    if (a == b && (a.empty() || a == "none")) return;
    line(name, a == b ? a : paint("1", (a.empty() ? "none" : a) + " → " + (b.empty() ? "none" : b)));
  }
  void group(const Report& report, const Group& g, std::size_t number) {
    out_ += paint("1", "difference " + std::to_string(number)) + "  " + counted(g.count, "request") + "\n";
    pair("route", g.a.route, g.b.route);
    pair("policy", g.a.policy, g.b.policy);
    pair("reason", g.a.reason, g.b.reason);
    pair("status", status_text(g.a.status), status_text(g.b.status));
    line("first", g.about);
    differences(g);
    for (const auto& [name, trace] : {std::pair{"A", &g.trace_a}, std::pair{"B", &g.trace_b}})
      for (std::size_t i = 0; i < trace->size(); ++i) line(i == 0 ? name : "", (*trace)[i]);
    line("curl", curl_text(last_request(g), report.origin_a, report.references));
    out_ += "  steps\n" + scenario_text(g.probe, report.tokens, report.references, "    ") + "\n";
  }
  // What the lines above say is not said again.
  void differences(const Group& g) {
    std::size_t n = 0;
    for (const Difference& d : g.differences) {
      if (d.what == "route" || d.what == "ended by" || d.what == "reason" || d.what == "status") continue;
      if (n++ < kShown) difference(d, n == 1);
    }
    if (n > kShown) line("", counted(n - kShown, "more difference") + ": --json has all");
  }
  void difference(const Difference& d, bool first) {
    line(first ? "differs" : "", d.what + ": " + (d.a ? shown(*d.a) : "–") + paint("1", " → ") + (d.b ? shown(*d.b) : "–"));
  }

  bool colour_;
  std::string out_;
};

Json json_of(const Ending& ending) {
  Json json{{"route", ending.route}, {"policy", ending.policy}, {"reason", ending.reason}};
  json["status"] = ending.status == 0 ? Json() : Json(ending.status);
  return json;
}

}  // namespace

std::string as_text(const Report& report, const std::string& name_a, const std::string& name_b, diag::Colour colour) { return Text(colour).whole(report, name_a, name_b); }

std::string as_json(const Report& report, const std::string& name_a, const std::string& name_b) {
  Json json{{"a", name_a}, {"b", name_b}, {"probes", report.probes}, {"requests", report.requests}, {"different", report.different}, {"groups", Json::array()}, {"notes", report.notes}};
  for (const Group& g : report.groups) {
    const Request& request = last_request(g);
    const auto shown = [&report](const std::string& text) { return report.references.masked(text); };
    Json one{{"a", json_of(g.a)}, {"b", json_of(g.b)}, {"count", g.count}};
    Json& first = one["first"] = {{"about", g.about}, {"method", shown(request.method)}, {"target", shown(request.target)}, {"headers", Json::array()}};
    for (const auto& [name, value] : request.headers) first["headers"].push_back({name, shown(value)});
    for (const Difference& d : g.differences) first["differences"].push_back({{"what", d.what}, {"a", d.a ? Json(*d.a) : Json()}, {"b", d.b ? Json(*d.b) : Json()}});
    first["trace_a"] = g.trace_a;
    first["trace_b"] = g.trace_b;
    first["curl"] = curl_text(request, report.origin_a, report.references);
    first["steps"] = scenario_text(g.probe, report.tokens, report.references, "");
    json["groups"].push_back(std::move(one));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gatelab::harness::diff
