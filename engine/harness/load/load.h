// SPDX-License-Identifier: Apache-2.0
// What a load run is to do, and what came of it. Values: a run's results merge exactly, whoever measured them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "crypto/tls_context.h"
#include "harness/load/histogram.h"
#include "harness/load/plan.h"
#include "harness/load/template.h"
#include "harness/match/json_path.h"
#include "http/message.h"

namespace gatelab::harness::load {

enum class Model : std::uint8_t {
  Open,    // arrivals do not wait for answers
  Closed,  // users do, and think
};

// What is kept of an answer, for the requests behind it in the same flow.
struct Capture {
  std::size_t slot = 0;
  std::string header;            // its value, or
  std::optional<JsonPath> path;  // what this selects of the body
};

struct Request {
  Template octets;  // the whole of it
  http::Method method = http::Method::Get;
  std::vector<std::uint16_t> expected;  // statuses that are no error; empty: all under 400
  std::vector<Capture> saves;
};

// What one arrival, or one turn of a user, sends: one after another, each when the one before is answered.
struct Flow {
  double weight = 1;
  std::vector<Request> requests;
};

struct Load {
  Model model = Model::Open;
  Spacing spacing = Spacing::Poisson;
  Curve curve{{}};    // of one round
  Duration warmup{};  // the plan's first part, reported, not judged
  Duration think{};
  Duration timeout = std::chrono::seconds(10);
  std::uint32_t connections = 4096;  // at most, open at a time; of all generators of this process
  bool keep_alive = true;
  std::vector<Flow> flows;
  std::size_t slots = 0;  // of captures
  Data data;
  std::uint64_t seed = 1;
  Part shard;  // of the processes that make the load together
};

struct Target {
  Address address;
  std::string path;  // of a unix socket, instead
  std::shared_ptr<const crypto::TlsContext> tls;  // null: plain
  std::string name;  // asked for in TLS
  std::string said;  // as the user wrote it
};

// Latency runs from the instant that the plan says, service time from when the request was sent; what lies between is
// lateness, the generator's own. Latency and service are of requests that were answered as expected, and of those that timed
// out, which took at least that long. What was planned is in the end either a latency or an error, or both.
struct Tally {
  Histogram latency, service, late;
  std::uint64_t planned = 0;   // requests that were due
  std::uint64_t sent = 0, in_time = 0;  // in_time: before the plan's end; what follows an answer, when that came
  std::uint64_t unsent = 0;    // got no connection before their time was up; errors too, by that name
  std::uint64_t answered = 0;  // whole answers, of any status
  std::uint64_t octets = 0;    // received
  std::uint64_t retried = 0;   // the connection had been closed while it was idle
  std::map<std::uint16_t, std::uint64_t> statuses;
  std::map<std::string, std::uint64_t, std::less<>> errors;  // refused, closed, timeout, unsent, …, "status 503"

  void merge(const Tally& other);
  std::uint64_t failed() const noexcept;
};

// A stretch of a round, for pictures.
struct Slice {
  Histogram latency;
  std::uint64_t answered = 0, failed = 0;
};

// Of what a generator may have had too little.
struct Resources {
  std::uint64_t waits = 0;        // requests that waited for a free connection
  std::uint64_t descriptors = 0;  // connections that the system refused to open for want of descriptors, ports or memory
  double thread = 0;              // processor time of the busiest generator thread, as a share of the time
};

struct Round {
  Tally warmup, judged;
  Duration length{}, slice{};
  std::vector<Slice> slices;  // each `slice` long
  Resources resources;
  bool cut = false;           // it was stopped

  // Of another generator, of the same round.
  void merge(const Round& other);
};

// How long a stretch of such a plan is: some hundred of them, each at least a quarter of a second.
Duration slice_of(Duration length) noexcept;

}  // namespace gatelab::harness::load
