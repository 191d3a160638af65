// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/diff.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "harness/diff/explore.h"
#include "harness/diff/sources.h"
#include "harness/replay/hiding.h"
#include "harness/scenario/expect.h"

namespace gatelab::harness::diff {
namespace {

// A request that was answered differently, before it is known to which group it belongs.
struct Found {
  std::size_t request;  // its number within the probe
  Ending a, b;
  std::vector<Difference> differences;
  std::vector<std::string> trace_a, trace_b;
};
struct Played {
  std::size_t requests = 0, marked = 0, marked_refused = 0;
  std::map<std::string, std::size_t> unsent;  // by either side: by why
  std::vector<Found> found;
  std::string problem;
};

std::vector<std::string> trace(const Observed& seen) {
  Observation one;
  one.answer = seen.answer;
  if (seen.logged) one.record = &seen.record;
  std::vector<std::string> out = trace_of(one);
  if (out.empty()) out.push_back(!seen.problem.empty() ? seen.problem : seen.answer.error.empty() ? "no record" : "no answer: " + seen.answer.error);
  return out;
}

// The steps until that request, and not one more.
Probe until(const Probe& probe, std::size_t request) {
  Probe out;
  out.about = probe.about;
  for (const Step& step : probe.steps) {
    out.steps.push_back(step);
    if (step.kind != Step::Kind::Send) continue;
    if (request < step.count) {
      if (step.concurrency == 1) out.steps.back().count = static_cast<std::uint32_t>(request) + 1;
      break;
    }
    request -= step.count;
  }
  return out;
}

class Run {
 public:
  Run(const Configuration& a, const Configuration& b, const Common& common, const Options& options) : a_(a), b_(b), common_(common), options_(options) {}

  void play_all(const std::vector<Probe>& probes, Report& report, std::string& problem) {
    std::vector<Played> played(probes.size());
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    const auto work = [&] {
      for (std::size_t i = next++; i < probes.size() && !stop; i = next++) {
        if (options_.interrupted && options_.interrupted()) stop = true;
        else played[i] = compare_on(probes[i]);
      }
    };
    std::vector<std::thread> others;
    for (std::uint32_t i = 1; i < options_.jobs; ++i) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
    report.interrupted = stop;
    for (std::size_t i = 0; i < probes.size(); ++i) take(probes[i], std::move(played[i]), report, problem);
  }

  // "3 requests could not be sent: there is no listener `x`", one a reason.
  std::vector<std::string> unsent() const {
    std::vector<std::string> out;
    for (const auto& [why, n] : unsent_) out.push_back(std::to_string(n) + (n == 1 ? " request" : " requests") + " could not be sent: " + why);
    return out;
  }

 private:
  static bool is_refusal(const Observed& seen) { return seen.answer.status == 401 || seen.answer.status == 403; }

  // One for each request that is sent.
  static std::vector<bool> marks_of(const Probe& probe) {
    std::vector<bool> out;
    for (const Step& step : probe.steps)
      if (step.kind == Step::Kind::Send) out.insert(out.end(), step.count, step.request.marked);
    return out;
  }

  Played compare_on(const Probe& probe) const {
    Played out;
    const auto left = play(a_, common_, probe), right = play(b_, common_, probe);
    if (!left || !right) {
      out.problem = (left ? b_ : a_).name() + " does not start: " + (left ? right : left).error().message;
      return out;
    }
    const std::vector<bool> marked = marks_of(probe);
    for (std::size_t i = 0; i < left->size() && i < right->size(); ++i) {
      const Observed &one = (*left)[i], &other = (*right)[i];
      // Two that were not sent are alike, and nothing was compared.
      if (!one.sent && !other.sent) {
        ++out.unsent[one.problem == other.problem ? one.problem : one.problem + " (A), " + other.problem + " (B)"];
        continue;
      }
      ++out.requests;
      if (i < marked.size() && marked[i]) {
        ++out.marked;
        out.marked_refused += is_refusal(one) && is_refusal(other);
      }
      auto differences = compare(one, other);
      if (!differences.empty()) out.found.push_back({i, ending_of(one), ending_of(other), std::move(differences), trace(one), trace(other)});
    }
    return out;
  }

  void take(const Probe& probe, Played played, Report& report, std::string& problem) {
    if (!played.problem.empty() && problem.empty()) problem = std::move(played.problem);
    if (played.requests > 0) ++report.probes;
    report.requests += played.requests;
    report.marked += played.marked;
    report.marked_refused += played.marked_refused;
    for (const auto& [why, n] : played.unsent) unsent_[why] += n;
    report.different += played.found.size();
    for (Found& found : played.found) {
      const std::size_t group = group_of(found, report.groups.size());
      if (group == report.groups.size()) report.groups.push_back({found.a, found.b, 0, probe.about, until(probe, found.request), std::move(found.differences), std::move(found.trace_a), std::move(found.trace_b)});
      ++report.groups[group].count;
    }
  }

  // By how they end. Where both end alike, one that differs in something that none before it did is the first of another group.
  std::size_t group_of(const Found& found, std::size_t next) {
    if (found.a != found.b) return by_ending_.try_emplace({found.a, found.b}, next).first->second;
    std::optional<std::size_t> known;
    bool fresh = false;
    for (const Difference& d : found.differences) {
      const auto [at, first] = by_name_.try_emplace({found.a.route, d.what}, next);
      fresh = fresh || first;
      if (!first && !known) known = at->second;
    }
    return fresh ? next : *known;
  }

  const Configuration &a_, &b_;
  const Common& common_;
  const Options& options_;
  std::map<std::string, std::size_t> unsent_;
  std::map<std::pair<Ending, Ending>, std::size_t> by_ending_;
  std::map<std::pair<std::string, std::string>, std::size_t> by_name_;  // route, what differs
};

std::string in_brackets(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& one : all) out += (out.empty() ? " (" : "; ") + one;
  return out.empty() ? out : out + ")";
}

// From here on nobody needs the values of the environment.
void mask(Report& report) {
  const auto mask = [&report](std::string& text) { text = report.references.masked(text); };
  for (std::string& note : report.notes) mask(note);
  for (Group& group : report.groups) {
    for (Ending* ending : {&group.a, &group.b})
      for (std::string* text : {&ending->route, &ending->policy, &ending->reason}) mask(*text);
    mask(group.about);
    for (std::vector<std::string>* trace : {&group.trace_a, &group.trace_b})
      for (std::string& line : *trace) mask(line);
    for (Difference& d : group.differences) {
      mask(d.what);
      for (std::optional<std::string>* text : {&d.a, &d.b})
        if (*text) mask(**text);
    }
  }
}

// Without the values of the environment, which have names already that say more, there is nothing to hide in it.
bool has_only_references(const References& references, const Redactor& redactor, const std::string& text) {
  std::string rest;
  bool any = false;
  for (const References::Piece& piece : references.pieces(text)) {
    any = any || !piece.variable.empty();
    if (piece.variable.empty()) rest += piece.text;
  }
  return any && redactor.text(rest) == rest && (!rest.starts_with('/') || redactor.target(rest) == rest);
}

// Answers come from the traffic too, where upstreams gave them.
void show(Hiding& hiding, const std::string& what, std::string& text) {
  hiding.hide(text);
  const std::size_t header = what.find("header "), trailer = what.find("trailer ");
  if (header != std::string::npos) text = hiding.shown(what.substr(header + 7), text);
  else if (trailer != std::string::npos) text = hiding.shown(what.substr(trailer + 8), text);
  else if (what.ends_with("body")) text = hiding.shown({}, text);
}

// What was put back stands wherever the recording had its mark.
void hide_known(Hiding& hiding, Request& request) {
  for (auto& [name, value] : request.headers) hiding.hide(value);
  hiding.hide(request.target);
  hiding.hide(request.body);
}

void hide_secrets(Report& report, const std::vector<Replay::Secret>& secrets) {
  const Redactor plain("looked at, and never printed");
  Hiding hiding([&](const std::string& text) { return has_only_references(report.references, plain, text); });
  for (Group& group : report.groups) {
    hiding.forget();
    for (const Replay::Secret& secret : secrets) hiding.take(secret.text);
    for (Step& step : group.probe.steps) {
      if (step.kind != Step::Kind::Send) continue;
      if (!secrets.empty()) hide_known(hiding, step.request);
      hiding.take(step.request.headers, step.request.target, step.request.body);
    }
    hiding.hide(group.about);
    for (std::vector<std::string>* trace : {&group.trace_a, &group.trace_b})
      for (std::string& line : *trace) hiding.hide(line);
    for (Difference& d : group.differences)
      for (std::optional<std::string>* text : {&d.a, &d.b})
        if (*text) show(hiding, d.what, **text);
  }
  if (hiding.took()) report.notes.push_back("secrets of the traffic were sent, and stand here as <redacted>");
}

}  // namespace

std::optional<Report> run(const diag::SourcePtr& a, const diag::SourcePtr& b, const Options& options, diag::Sink& of_a, diag::Sink& of_b, diag::Sink& of_requests, std::string& problem) {
  Common common;
  common.seed = options.seed;
  common.env = options.env;
  common.files = options.files;
  Report report;
  const Configuration left(a->name, a, common), right(b->name, b, common);
  std::optional<Pair> pair = get_ready(left, right, common, of_a, of_b, report.notes);
  if (!pair) return std::nullopt;
  if (!pair->a->listeners.empty()) {
    const auto& first = pair->a->listeners.front();
    report.origin_a = origin_of(first.endpoint, static_cast<bool>(first.tls));
  }
  std::vector<Probe> probes;
  const bool given = options.traffic != nullptr || !options.scenarios.empty();
  if (options.traffic) add_traffic(options.traffic, options.secrets, common, probes, of_requests, report.notes);
  if (!options.scenarios.empty()) add_scenarios(options.scenarios, common, probes, report.tokens, of_requests, report.notes);
  if (of_requests.has_errors()) return std::nullopt;
  if (!given) {
    Explorer explorer(left, right, *pair, common);
    probes = explorer.probes(options.explore, options.combine);
    report.tokens = explorer.tokens();
    report.notes.insert(report.notes.end(), explorer.notes().begin(), explorer.notes().end());
  }
  if (probes.empty()) problem = "there is no request to send" + in_brackets(report.notes);
  Run playing(left, right, common, options);
  playing.play_all(probes, report, problem);
  const std::vector<std::string> unsent = playing.unsent();
  if (report.requests == 0 && problem.empty() && !report.interrupted) problem = "nothing was compared, as no request was sent" + in_brackets(unsent);
  report.notes.insert(report.notes.end(), unsent.begin(), unsent.end());
  report.references = common.references;
  problem = report.references.masked(problem);
  if (!problem.empty()) return std::nullopt;
  if (options.traffic) hide_secrets(report, options.secrets);
  mask(report);
  return report;
}

}  // namespace gatelab::harness::diff
