// SPDX-License-Identifier: Apache-2.0
// A recording: exchanges with both of their sides, as JSON lines (docs/record-and-replay.md). The first line says the version.
// A body stands once, under the digest of its octets, before the first message that has it. Values; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "diag/diagnostic.h"

namespace gatelab::harness {

using RecordedHeaders = std::vector<std::pair<std::string, std::string>>;  // in order, names as they were written

struct RecordedBody {
  std::shared_ptr<const std::string> octets;  // null: none, or left out
  std::uint64_t size = 0;                     // of what was sent
  std::string left_out;                       // why the octets are missing: a word; empty: they are not
};

struct RecordedRequest {
  std::string method, target, version = "1.1";
  RecordedHeaders headers;
  RecordedBody body;
};

struct RecordedAnswer {
  std::uint16_t status = 0;  // 0: there was none
  RecordedHeaders headers;
  RecordedBody body;
};

// One try at an upstream.
struct RecordedAttempt {
  std::string upstream, target, reason;
  Duration at{}, took{};  // `at`: since the exchange began
  RecordedRequest request;
  RecordedAnswer answer;
};

struct RecordedExchange {
  std::string id;
  Instant began;
  Duration took{};
  std::string scheme = "http";
  RecordedRequest request;
  RecordedAnswer answer;
  std::vector<RecordedAttempt> attempts;
  diag::Span span;  // where it was read
};

struct Recording {
  std::vector<RecordedExchange> exchanges;
  // Only then can upstreams answer from it.
  bool has_upstreams() const noexcept;
};

// "sha256:…": the name that a body has in the file.
std::string body_digest(std::string_view octets);

// What is wrong is told with its line. A last line that was cut off, as by a full disk, is a warning and left out.
Recording read_recording(const diag::SourcePtr& source, diag::Sink& sink);

// Makes the lines of one file. Larger bodies than `max_body` are left out.
class RecordingWriter {
 public:
  static constexpr std::size_t kMaxBody = std::size_t{1} << 20;
  explicit RecordingWriter(std::size_t max_body = kMaxBody) : max_body_(max_body) {}
  static std::string first_line();
  // Bodies that the file has not yet, then the exchange.
  std::string lines(const RecordedExchange& exchange);

 private:
  void add_body(std::string& out, std::string& before, const RecordedBody& body);
  void add_request(std::string& out, std::string& before, const RecordedRequest& request);
  void add_answer(std::string& out, std::string& before, const RecordedAnswer& answer);
  std::size_t max_body_;
  std::set<std::string> written_;
};

}  // namespace gatelab::harness
