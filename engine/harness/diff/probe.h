// SPDX-License-Identifier: Apache-2.0
// What two configurations are asked, as values: requests, and what happens between them. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/endpoint.h"
#include "base/time.h"
#include "harness/diff/references.h"
#include "harness/idp/token.h"
#include "harness/scenario/file.h"

namespace gatelab::harness::diff {

struct Request {
  std::string method = "GET", target = "/";
  Texts headers;           // Host among them
  std::string body;
  bool has_body = false;
  std::string coding;      // that `body` is put into when it is sent, "gzip"; empty: none. `headers` say it themselves
  std::string listener;    // empty: the first
  IpAddress from;          // None: wherever
  std::string connection;  // a name: kept open
  bool marked = false;     // a recording's, that has marks in the places of its secrets
  std::string token;       // a credential that stands in `headers` as text, by the name that a scenario has for it
};

struct Step {
  enum class Kind : std::uint8_t { Send, Advance, Fault, Clear } kind = Kind::Send;
  Request request;
  std::uint32_t count = 1, concurrency = 1;
  Duration advance{};
  std::string target;      // of a fault: "orders/primary", "orders"
  upstream::Fault fault;
};

// From a fresh engine on.
struct Probe {
  std::string about;
  std::vector<Step> steps;
  std::optional<Instant> start;  // of the clock; else as scenarios
  // What upstreams are answered with before the default mocks are asked; null: nothing.
  std::shared_ptr<const std::map<std::string, std::vector<Stub>>> mocks;

  Probe& send(Request request, std::uint32_t count = 1, std::uint32_t concurrency = 1) {
    Step& s = steps.emplace_back();
    s.request = std::move(request);
    s.count = count;
    s.concurrency = concurrency;
    return *this;
  }
  Probe& advance(Duration by) {
    Step& s = steps.emplace_back();
    s.kind = Step::Kind::Advance;
    s.advance = by;
    return *this;
  }
  Probe& suffer(const std::string& target, upstream::Fault fault) {
    Step& s = steps.emplace_back();
    s.kind = Step::Kind::Fault;
    s.target = target;
    s.fault = std::move(fault);
    return *this;
  }
  Probe& clear(const std::string& target) {
    Step& s = steps.emplace_back();
    s.kind = Step::Kind::Clear;
    s.target = target;
    return *this;
  }
};

// What is sent of a request's body: in its coding.
std::string body_octets(const Request& request);

// Tokens that were minted, by the name of their credential: as a scenario says them.
using Tokens = std::map<std::string, TokenSpec>;

// As a scenario has it: flow YAML, one step. `indent`: in front of each line.
// Values of `references` are not in it.
std::string scenario_text(const Probe& probe, const Tokens& tokens, const References& references, const std::string& indent);
// Where a listener is reached from this machine. A port that the system is to choose is PORT: whoever runs it knows it.
struct Origin {
  std::string url;     // http://127.0.0.1:8080
  std::string socket;  // the path of a unix socket that it goes through; empty: none
};
Origin origin_of(const Endpoint& endpoint, bool tls);
// One command of a shell that runs nothing else, whatever the request has in it; as above.
std::string curl_text(const Request& request, const Origin& origin, const References& references);
// Equal for equal probes.
std::string key_of(const Probe& probe);

}  // namespace gatelab::harness::diff
