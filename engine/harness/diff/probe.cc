// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/probe.h"

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "base/units.h"
#include "coding/coder.h"
#include "harness/diff/references.h"

namespace gatelab::harness::diff {
namespace {

constexpr std::size_t kWritten = 256;  // longer bodies are said by their size

// A text that YAML reads as it is.
std::string yaml_text(std::string_view text) { return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

bool is_plain(std::string_view text) {
  return !text.empty() && text.find_first_of("#:,[]{}\"'&*!|>%@`\\?") == std::string_view::npos && text.find_first_of(" \t\r\n") == std::string_view::npos && text.front() != '-';
}
std::string word(std::string_view text) { return is_plain(text) ? std::string(text) : yaml_text(text); }

bool is_filler(const Request& r) { return r.body.size() > kWritten && std::all_of(r.body.begin(), r.body.end(), [](char c) { return c == 'x'; }); }

std::string body_of(const Request& r) {
  if (!r.has_body) return {};
  const std::string text = is_filler(r) ? "size: " + std::to_string(r.body.size()) + "B" : yaml_text(r.body);
  if (!r.coding.empty()) return ", body: { " + (is_filler(r) ? text : "text: " + text) + ", coding: " + r.coding + " }";
  return ", body: " + (is_filler(r) ? "{ " + text + " }" : text);
}

std::string via_of(const Request& r) {
  std::string via;
  const auto add = [&via](const std::string& key, const std::string& value) { via += (via.empty() ? "" : ", ") + key + ": " + value; };
  if (!r.listener.empty()) add("listener", word(r.listener));
  if (r.from.family != IpAddress::Family::None) add("from", yaml_text(format(r.from)));
  if (!r.connection.empty()) add("connection", word(r.connection));
  return via.empty() ? via : ", via: { " + via + " }";
}

std::string send_text(const Step& step) {
  const Request& r = step.request;
  std::string headers;
  for (const auto& [name, value] : r.headers) {
    if (!r.token.empty() && iequals(name, "authorization")) continue;  // `as` says it
    headers += (headers.empty() ? "" : ", ") + ("[" + word(name) + ", " + yaml_text(value) + "]");
  }
  std::string out = "- { send: { method: " + word(r.method) + ", path: " + yaml_text(r.target) + (headers.empty() ? "" : ", headers: [" + headers + "]") + " }";
  if (!r.token.empty()) out += ", as: " + r.token;
  out += body_of(r) + via_of(r);
  if (step.concurrency > 1) out += ", repeat: { count: " + std::to_string(step.count) + ", concurrency: " + std::to_string(step.concurrency) + " }";
  else if (step.count > 1) out += ", repeat: " + std::to_string(step.count);
  return out + " }";
}

std::string fault_text(const Step& step) {
  const upstream::Fault& f = step.fault;
  const std::string whom = step.target.find('/') == std::string::npos ? "upstream: " : "target: ";
  if (step.kind == Step::Kind::Clear) return "- { fault: { " + whom + step.target + ", clear: true } }";
  std::string out = "- { fault: { " + whom + step.target + ", kind: " + std::string(f.word());
  if (f.kind == upstream::Fault::Kind::Status) out += ", status: " + std::to_string(f.status);
  if (f.delay != Duration{}) out += ", delay: " + format(f.delay);
  if (f.count != 0) out += ", count: " + std::to_string(f.count);
  for (const auto& [name, value] : f.headers) out += ", headers: { " + word(name) + ": " + yaml_text(value) + " }";
  if (!f.path.empty()) out += ", when: " + yaml_text((f.method.empty() ? "GET" : f.method) + " " + f.path);
  return out + " } }";
}

std::string shell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "'" + as_variables(out) + "'";
}

}  // namespace

std::string body_octets(const Request& request) {
  const auto known = coding::parse(request.coding);
  return known ? coding::encode(*known, request.body) : request.body;
}

std::string scenario_text(const Probe& probe, const Tokens& tokens, const std::string& indent) {
  std::string out;
  for (const Step& step : probe.steps) {
    const auto known = step.kind == Step::Kind::Send ? tokens.find(step.request.token) : tokens.end();
    if (known == tokens.end()) continue;
    const TokenSpec& spec = known->second;
    const std::string line = indent + "# credentials: { " + known->first + ": { jwt: { issuer: " + word(spec.issuer) + ", claims: " + spec.claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                             (spec.typ == "JWT" ? "" : ", typ: " + word(spec.typ)) + " } } }\n";
    if (out.find(line) == std::string::npos) out += line;
  }
  for (const Step& step : probe.steps)
    out += indent + (step.kind == Step::Kind::Send ? send_text(step) : step.kind == Step::Kind::Advance ? "- { advance: " + format(step.advance) + " }" : fault_text(step)) + "\n";
  return out;
}

std::string curl_text(const Request& r, const std::string& base) {
  const bool coded = !r.coding.empty(), filler = r.has_body && !coded && is_filler(r);
  std::string out = coded ? "echo " + base64_encode(body_octets(r)) + " | base64 -d | curl -i" : filler ? "head -c " + std::to_string(r.body.size()) + " /dev/zero | tr '\\0' x | curl -i" : "curl -i";
  out += " --path-as-is";
  if (r.method == "HEAD") out += " -I";
  else if (r.method != "GET" || r.has_body) out += " -X " + shell(r.method);
  for (const auto& [name, value] : r.headers) out += " -H " + shell(value.empty() ? name + ";" : name + ": " + value);
  if (r.has_body) out += " --data-binary " + (coded || filler ? std::string("@-") : shell(r.body));
  out += " " + shell(base + r.target);
  // Most addresses are not this machine's: whoever pastes it would get no further.
  return r.from.family == IpAddress::Family::None ? out : out + "  # from " + format(r.from);
}

std::string key_of(const Probe& probe) {
  std::string out;
  for (const Step& step : probe.steps) {
    out += std::to_string(static_cast<int>(step.kind));
    if (step.kind == Step::Kind::Send) {
      const Request& r = step.request;
      for (const std::string* text : {&r.method, &r.target, &r.listener, &r.connection}) out += *text + "\n";
      for (const auto& [name, value] : r.headers) out += name + ":" + value + "\n";
      out += format(r.from) + (r.has_body ? std::to_string(r.body.size()) + r.coding + r.body : "-") + "*" + std::to_string(step.count) + "/" + std::to_string(step.concurrency);
    } else {
      out += step.kind == Step::Kind::Advance ? format(step.advance) : fault_text(step);
    }
    out += "\n\n";
  }
  return out;
}

}  // namespace gatelab::harness::diff
