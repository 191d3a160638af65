// SPDX-License-Identifier: Apache-2.0
// gatelab explain [-c gateway.yaml] [--listener NAME] [METHOD] TARGET: which route a request takes and why not the others, every policy's
// verdict with the line that configured it, and where it would go. Sends nothing and charges no limit. The flags -X, -H
// and -d mean what they mean to curl.
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "cli/cli.h"
#include "gateway/gateway.h"
#include "io/sim.h"

namespace gatelab::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string config = "gateway.yaml";
  std::vector<std::string> request;
  std::string method;
  std::vector<std::string> headers;
  std::vector<std::string> data;
  std::string client = "127.0.0.1";
  std::string as, token, at;
  std::string listener;
  bool json = false;
};

struct Head {
  std::string method, target, raw;
};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// -d, as curl has it: several are joined with &, @FILE is the file without its line ends.
std::optional<std::string> body_of(const std::vector<std::string>& data) {
  std::string body;
  for (const std::string& part : data) {
    if (&part != &data.front()) body += '&';
    if (!part.starts_with('@')) {
      body += part;
      continue;
    }
    const diag::SourcePtr file = read_source(part.substr(1));
    if (!file) return std::nullopt;
    std::copy_if(file->text.begin(), file->text.end(), std::back_inserter(body), [](char c) { return c != '\r' && c != '\n'; });
  }
  return body;
}

// http://api.local/x → Host api.local, target /x.
void split_url(std::string& target, std::string& host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t end = target.find_first_of("/?", scheme.size());
    host = target.substr(scheme.size(), end == std::string::npos ? end : end - scheme.size());
    target = end == std::string::npos ? "/" : target.substr(end);
    if (target.starts_with('?')) target.insert(0, 1, '/');
    return;
  }
}

// The request's head as it would be on the wire, or nullopt after a complaint.
std::optional<Head> head_of(const Options& options) {
  Head head;
  std::vector<std::string> request = options.request;
  // 'GET /x' in quotes, as access logs and scenarios write it.
  const std::size_t space = request.size() == 1 ? request.front().find(' ') : std::string::npos;
  if (space != std::string::npos && request.front().find_first_of(" /") == space) request = {request.front().substr(0, space), request.front().substr(request.front().find_first_not_of(' ', space))};
  head.target = request.back();
  head.method = request.size() == 2 ? request.front() : options.data.empty() ? "GET" : "POST";
  if (!options.method.empty()) head.method = options.method;
  std::string host = "localhost";
  split_url(head.target, host);

  const std::optional<std::string> body = body_of(options.data);
  if (!body) return std::nullopt;
  std::string fields;
  bool typed = false;
  bool hosted = false;
  for (const std::string& header : options.headers) {
    // curl: "Name;" is an empty field, "Name:" takes one away that curl would have sent.
    const std::size_t colon = header.find_first_of(":;");
    const std::string name = header.substr(0, colon);
    if (colon == std::string::npos || colon == 0 || has_control(header)) {
      complain(fmt::format("`-H {}` is not a header; write it as 'Name: value'", header));
      return std::nullopt;
    }
    hosted = hosted || lower(name) == "host";
    typed = typed || lower(name) == "content-type";
    const std::size_t value = header.find_first_not_of(" \t", colon + 1);
    if (header[colon] == ':' && value == std::string::npos) continue;
    fields += fmt::format("{}: {}\r\n", name, value == std::string::npos ? "" : header.substr(value));
  }
  if (head.target.find(' ') != std::string::npos || head.method.find(' ') != std::string::npos) {
    complain(fmt::format("`{}` has a space in it: write METHOD TARGET, a space of the target as %20", head.method + " " + head.target));
    return std::nullopt;
  }
  const bool other_form = head.method == "CONNECT" || head.target == "*" || head.target.find("://") != std::string::npos;
  if (!head.target.starts_with('/') && !other_form) {
    complain(fmt::format("`{}` is no target: it begins with a slash, as in /{}", head.target, head.target));
    return std::nullopt;
  }
  if (has_control(options.token) || has_control(head.method) || has_control(head.target) || has_control(host)) {
    complain("the method, the target, the host and the token may not hold control characters");
    return std::nullopt;
  }
  if (!options.token.empty()) fields += fmt::format("Authorization: Bearer {}\r\n", options.token);
  if (!options.data.empty()) {
    if (!typed) fields += "Content-Type: application/x-www-form-urlencoded\r\n";
    fields += fmt::format("Content-Length: {}\r\n", body->size());
  }
  head.raw = fmt::format("{} {} HTTP/1.1\r\n{}{}\r\n", head.method, head.target, hosted ? "" : "Host: " + host + "\r\n", fields);
  return head;
}

std::string place_of(const gateway::Model& model, std::string_view route) {
  for (const gateway::RouteConfig& candidate : model.routes) {
    if (candidate.name == route) return candidate.place;
  }
  return {};
}

std::string route_name(const gateway::Model& model, std::int32_t route) {
  return route >= 0 && static_cast<std::size_t>(route) < model.routes.size() ? model.routes[static_cast<std::size_t>(route)].name : "(none)";
}

std::string as_json(const gateway::Model& model, const gateway::Explanation& what) {
  Json json{{"route", what.record.route}, {"place", place_of(model, what.record.route)}, {"path", what.canonical_path}};
  json["rejected"] = Json::array();
  for (const route::Rejected& rejected : what.rejected) {
    json["rejected"].push_back({{"route", route_name(model, rejected.route)}, {"criterion", rejected.criterion}, {"detail", rejected.detail}});
  }
  json["decisions"] = Json::array();
  for (const auto& decision : what.record.decisions) {
    json["decisions"].push_back({{"phase", observe::name(decision.phase)}, {"policy", decision.policy}, {"id", decision.id},
                                 {"outcome", observe::name(decision.outcome)}, {"reason", decision.reason},
                                 {"detail", decision.detail}, {"place", decision.place}});
  }
  if (what.status != 0) json["status"] = what.status;
  if (!what.record.ended_by.empty()) {
    json["ended"] = {{"by", what.record.ended_by}, {"id", what.record.ended_id}, {"reason", what.record.ended_reason}};
  }
  for (const auto& [name, fate] : what.underscores) json["underscore_fields"].push_back({{"name", name}, {"fate", fate}});
  if (what.record.proxied) json["client"] = format(what.record.client.ip);
  if (!what.upstream.empty()) {
    json["upstream"] = what.upstream;
    auto& forward = json["forward"];
    if (what.targets.empty()) forward["target"] = what.target;
    else forward["balance"] = what.balance;
    for (const auto& t : what.targets) forward["targets"].push_back({{"name", t.name}, {"url", t.url}, {"weight", t.weight}, {"tier", t.tier}});
    forward["path"] = what.forwarded_path;
    forward["host"] = what.forwarded_host;
    for (const auto& [name, time] : what.timeouts) forward["timeouts"][name] = time;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

struct Paint {
  bool on;
  std::string operator()(std::string_view code, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};

std::string decision_line(const observe::OwnedRecord::OwnedDecision& decision, const Paint& paint) {
  const bool good = decision.outcome == observe::Outcome::Allow || decision.outcome == observe::Outcome::Respond;
  const bool neutral = decision.outcome == observe::Outcome::Skip || decision.outcome == observe::Outcome::Observe;
  const std::string mark = good ? paint("32", "✓") : neutral ? paint("2", "–") : paint("31", "✗");
  std::string line = fmt::format("  {:<14} {} {:<8} {}", observe::name(decision.phase), mark, observe::name(decision.outcome), decision.id);
  if (!decision.reason.empty()) line += "  " + decision.reason;
  if (!decision.detail.empty()) line += "  " + paint("2", decision.detail);
  if (!decision.place.empty()) line += "  " + paint("36", decision.place);
  return line + "\n";
}

std::string as_text(const gateway::Model& model, const Head& head, const gateway::Explanation& what, const Paint& paint) {
  std::string out = fmt::format("{} {}\n", head.method, head.target);
  if (!what.canonical_path.empty() && what.canonical_path != head.target.substr(0, head.target.find('?'))) {
    out += fmt::format("  {:<14} {}\n", "path", what.canonical_path);
  }
  if (what.record.proxied) out += fmt::format("  {:<14} {} behind {}\n", "client", format(what.record.client.ip), format(what.record.peer.ip));
  for (const auto& [name, fate] : what.underscores) out += fmt::format("  {:<14} {}: {}\n", "field", name, fate);
  const std::string place = place_of(model, what.record.route);
  out += fmt::format("  {:<14} {}{}\n", "route", paint("1", what.record.route), place.empty() ? "" : "  " + paint("36", place));
  for (const route::Rejected& rejected : what.rejected) {
    out += fmt::format("  {:<14} {}: {}{}\n", "not", route_name(model, rejected.route), rejected.criterion,
                       rejected.detail.empty() ? "" : "  " + paint("2", rejected.detail));
  }
  for (const auto& decision : what.record.decisions) out += decision_line(decision, paint);
  if (what.status != 0) {
    std::string why = what.record.ended_reason;
    if (!what.record.ended_id.empty()) why += " by " + what.record.ended_id;
    return out + fmt::format("  {:<14} {} {}\n", "answer", paint("1", std::to_string(what.status)), why);
  }
  if (!what.record.ended_by.empty()) {
    // A policy ends it without an answer.
    return out + fmt::format("  {:<14} {} {} by {}\n", "answer", paint("1", "none, the connection is reset:"), what.record.ended_reason, what.record.ended_id);
  }
  if (!what.upstream.empty()) {
    out += fmt::format("  {:<14} {}{}\n", "forward", paint("1", what.upstream), what.targets.empty() ? "" : fmt::format("  {} over", what.balance));
    for (const auto& t : what.targets)
      out += fmt::format("  {:<14} {}  {}{}{}\n", "", t.name, t.url, t.weight == 1 ? "" : fmt::format("  weight {}", t.weight), t.tier == 0 ? "" : fmt::format("  tier {}", t.tier));
    out += fmt::format("  {:<14} {} {}{}, Host: {}\n", "", head.method, what.target, what.forwarded_path, what.forwarded_host);
    std::string waits;
    for (const auto& [name, time] : what.timeouts) waits += (waits.empty() ? "" : ", ") + name + " " + time;
    if (!waits.empty()) out += fmt::format("  {:<14} waits as the route says: {}\n", "", waits);
  }
  return out;
}

int explain(const Options& options) {
  if (options.request.size() > 2) {
    complain("one method and one target, as in `gatelab explain GET /orders/1`");
    return kUsage;
  }
  const auto client = parse_ip(options.client);
  if (!client) {
    complain(client.error().message);
    return kUsage;
  }
  const std::optional<Head> head = head_of(options);
  if (!head) return kUsage;
  std::optional<Instant> at;
  if (!options.at.empty()) {
    const auto instant = parse_instant(options.at);
    if (!instant) {
      complain("--at: " + instant.error().message);
      return kUsage;
    }
    at = *instant;
  }

  // Nothing is sent anywhere, so a simulated world will do.
  io::Simulation world({});
  gateway::Gateway gateway(world.environment(), {});
  const Loaded loaded = load(options.config, gateway.states(), world.environment().random, {&world.environment().clock, false, true});
  if (!loaded.model) return loaded.exit;
  const Instant now{std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count()};
  const Instant when = at ? *at : now;
  const auto what = gateway.explain(*loaded.model, head->raw, Address{*client, 40'000}, when, options.listener, options.as);
  if (!what) {
    complain(what.error().message);
    return kUsage;
  }
  const std::string text = options.json ? as_json(*loaded.model, *what)
                                        : as_text(*loaded.model, *head, *what, Paint{colour_of(Stream::Out) == diag::Colour::On});
  return print(text) ? kOk : kEnvironment;
}

}  // namespace

void add_explain(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("explain", "say which route a request takes, why, and what each policy says");
  command->add_option("-c,--config", options->config, "the configuration")->capture_default_str();
  command->add_option("REQUEST", options->request, "[METHOD] TARGET, for example GET /orders/1")->required();
  command->add_option("-X,--request", options->method, "the method");
  command->add_option("-H,--header", options->headers, "a header, 'Name: value'; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("-d,--data", options->data, "a body, or @FILE; makes it a POST")->take_all()->allow_extra_args(false);
  command->add_option("--listener", options->listener, "which listener takes the request; else the first");
  command->add_option("--client", options->client, "the client's address")->capture_default_str();
  command->add_option("--token", options->token, "a bearer token: -H 'Authorization: Bearer TOKEN'");
  command->add_option("--as", options->as, "a consumer, without asking for a credential; groups still count");
  command->add_option("--at", options->at, "when: 2026-01-01T00:00:00Z; default: now");
  command->add_flag("--json", options->json, "one JSON object");
  command->callback([options, &chosen] {
    chosen = [options] { return explain(*options); };
  });
}

}  // namespace gatelab::cli
