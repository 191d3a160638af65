// SPDX-License-Identifier: Apache-2.0
// HAR, Postman, access logs and curl commands: importing never crashes, what is taken is a recording that is read without an
// error, with its secrets taken out or not, and nothing at all is never taken in silence.
#include <cstdint>
#include <string>

#include "harness/replay/import.h"
#include "harness/replay/redact.h"

using namespace gatelab;

namespace {

void check(const std::vector<harness::RecordedExchange>& exchanges) {
  harness::RecordingWriter writer;
  std::string text = harness::RecordingWriter::first_line();
  for (const harness::RecordedExchange& e : exchanges) text += writer.lines(e);
  diag::Sink sink;
  const auto again = harness::read_recording(std::make_shared<diag::SourceFile>(diag::SourceFile{"out", std::move(text)}), sink);
  if (sink.has_errors() || again.exchanges.size() != exchanges.size()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  diag::Sink sink;
  std::string text(reinterpret_cast<const char*>(data), size);
  if (harness::kind_of_traffic(text) == harness::TrafficKind::Recording) return 0;  // recording_fuzz
  auto exchanges = harness::import_traffic(std::make_shared<diag::SourceFile>(diag::SourceFile{"in", std::move(text)}), sink);
  if (exchanges.empty() && !sink.has_errors()) __builtin_trap();
  check(exchanges);
  const harness::Redactor redactor("0123456789abcdef");
  for (harness::RecordedExchange& e : exchanges) redactor.apply(e);
  check(exchanges);
  return 0;
}
