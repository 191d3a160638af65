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

// What others have written is no substitution, and values of the environment are.
std::string safe_text(std::string_view text, const References& references) { return yaml_text(scenario_scalar(text, references)); }
std::string safe_word(std::string_view text, const References& references) { return word(scenario_scalar(text, references)); }

std::string body_of(const Request& r, const References& references) {
  if (!r.has_body) return {};
  const std::string text = is_filler(r) ? "size: " + std::to_string(r.body.size()) + "B" : safe_text(r.body, references);
  if (!r.coding.empty()) return ", body: { " + (is_filler(r) ? text : "text: " + text) + ", coding: " + r.coding + " }";
  return ", body: " + (is_filler(r) ? "{ " + text + " }" : text);
}

std::string via_of(const Request& r, const References& references) {
  std::string via;
  const auto add = [&via](const std::string& key, const std::string& value) { via += (via.empty() ? "" : ", ") + key + ": " + value; };
  if (!r.listener.empty()) add("listener", safe_word(r.listener, references));
  if (r.from.family != IpAddress::Family::None) add("from", yaml_text(format(r.from)));
  if (!r.connection.empty()) add("connection", safe_word(r.connection, references));
  return via.empty() ? via : ", via: { " + via + " }";
}

// Of values that do not stand there as they are: whoever pastes it has to encode them again.
std::string encoded_text(const Request& r, const References& references, std::string_view before, std::string_view after) {
  std::string out;
  const auto look = [&](std::string_view text) {
    for (const References::Piece& piece : references.pieces(text)) {
      const std::string name = std::string(before) + std::string(piece.variable) + std::string(after);
      if (piece.encoded && out.find(name) == std::string::npos) out += (out.empty() ? "" : ", ") + name;
    }
  };
  look(r.target);
  look(r.body);
  for (const auto& [name, value] : r.headers) look(value);
  return out.empty() ? out : "  # to be encoded: " + out;
}

std::string send_text(const Step& step, const References& references) {
  const Request& r = step.request;
  std::string headers;
  for (const auto& [name, value] : r.headers) {
    if (!r.token.empty() && iequals(name, "authorization")) continue;  // `as` says it
    headers += (headers.empty() ? "" : ", ") + ("[" + safe_word(name, references) + ", " + safe_text(value, references) + "]");
  }
  std::string out = "- { send: { method: " + safe_word(r.method, references) + ", path: " + safe_text(r.target, references) + (headers.empty() ? "" : ", headers: [" + headers + "]") + " }";
  if (!r.token.empty()) out += ", as: " + r.token;
  out += body_of(r, references) + via_of(r, references);
  if (step.concurrency > 1) out += ", repeat: { count: " + std::to_string(step.count) + ", concurrency: " + std::to_string(step.concurrency) + " }";
  else if (step.count > 1) out += ", repeat: " + std::to_string(step.count);
  return out + " }" + encoded_text(r, references, "$(env.", ")");
}

std::string fault_text(const Step& step, const References& references) {
  const upstream::Fault& f = step.fault;
  const std::string whom = step.target.find('/') == std::string::npos ? "upstream: " : "target: ";
  if (step.kind == Step::Kind::Clear) return "- { fault: { " + whom + step.target + ", clear: true } }";
  std::string out = "- { fault: { " + whom + step.target + ", kind: " + std::string(f.word());
  if (f.kind == upstream::Fault::Kind::Status) out += ", status: " + std::to_string(f.status);
  if (f.delay != Duration{}) out += ", delay: " + format(f.delay);
  if (f.count != 0) out += ", count: " + std::to_string(f.count);
  for (const auto& [name, value] : f.headers) out += ", headers: { " + safe_word(name, references) + ": " + safe_text(value, references) + " }";
  if (!f.path.empty()) out += ", when: " + safe_text((f.method.empty() ? "GET" : f.method) + " " + f.path, references);
  return out + " } }";
}

}  // namespace

std::string body_octets(const Request& request) {
  const auto known = coding::parse(request.coding);
  return known ? coding::encode(*known, request.body) : request.body;
}

std::string scenario_text(const Probe& probe, const Tokens& tokens, const References& references, const std::string& indent) {
  std::string out;
  for (const Step& step : probe.steps) {
    const auto known = step.kind == Step::Kind::Send ? tokens.find(step.request.token) : tokens.end();
    if (known == tokens.end()) continue;
    const TokenSpec& spec = known->second;
    const std::string line = indent + "# credentials: { " + known->first + ": { jwt: { issuer: " + safe_word(spec.issuer, references) + ", claims: " + scenario_scalar(spec.claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), references) +
                             (spec.typ == "JWT" ? "" : ", typ: " + safe_word(spec.typ, references)) + " } } }\n";
    if (out.find(line) == std::string::npos) out += line;
  }
  for (const Step& step : probe.steps)
    out += indent + (step.kind == Step::Kind::Send ? send_text(step, references) : step.kind == Step::Kind::Advance ? "- { advance: " + format(step.advance) + " }" : fault_text(step, references)) + "\n";
  return out;
}

Origin origin_of(const Endpoint& endpoint, bool tls) {
  const std::string scheme = tls ? "https://" : "http://";
  if (endpoint.kind == Endpoint::Kind::Unix) return {scheme + "localhost", endpoint.name};
  if (endpoint.kind == Endpoint::Kind::Inherited) return {scheme + "localhost:PORT", {}};
  Address at = endpoint.address;
  const std::string port = at.port == 0 ? "PORT" : std::to_string(at.port);
  at.port = 1;
  std::string host = format(at);
  host.resize(host.rfind(':'));
  // Every address of this machine is reached by its own.
  if (endpoint.both) host = "localhost";
  else if (host == "0.0.0.0") host = "127.0.0.1";
  else if (host == "[::]") host = "[::1]";
  return {scheme + host + ":" + port, {}};
}

std::string curl_text(const Request& r, const Origin& origin, const References& references) {
  const auto shell = [&references](std::string_view text) { return shell_word(text, references); };
  // Compressed, a value of the environment could be read from it by anybody: then it stands there as it is, and the coding behind.
  const bool coded = !r.coding.empty() && references.masked(r.body) == r.body, filler = r.has_body && !coded && is_filler(r);
  std::string out = coded ? "echo " + base64_encode(body_octets(r)) + " | base64 -d | curl -i" : filler ? "head -c " + std::to_string(r.body.size()) + " /dev/zero | tr '\\0' x | curl -i" : "curl -i";
  out += " --path-as-is";
  if (r.target.find_first_of("[]{}") != std::string::npos) out += " --globoff";
  if (r.method == "HEAD") out += " -I";
  else if (r.method != "GET" || r.has_body) out += " -X " + shell(r.method);
  // @ is the file of that name to curl: where it begins a name, the field can't be said.
  for (const auto& [name, value] : r.headers)
    if (!name.starts_with('@')) out += " -H " + shell(value.empty() ? name + ";" : name + ": " + value);
  if (r.has_body) out += coded || filler ? std::string(" --data-binary @-") : " --data-raw " + shell(r.body);
  if (!origin.socket.empty()) out += " --unix-socket " + shell(origin.socket);
  out += " " + shell(origin.url + r.target);
  out += encoded_text(r, references, "${", "}");
  if (!r.coding.empty() && !coded) out += "  # its body as " + r.coding;
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
      out += step.kind == Step::Kind::Advance ? format(step.advance) : fault_text(step, {});
    }
    out += "\n\n";
  }
  return out;
}

}  // namespace gatelab::harness::diff
