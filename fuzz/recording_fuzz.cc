// SPDX-License-Identifier: Apache-2.0
// Recordings: reading never crashes, and what is taken without an error is written and read again as the same lines.
#include <cstdint>
#include <string>

#include "harness/replay/recording.h"

using namespace gatelab;

namespace {

harness::Recording read(std::string text, bool& clean) {
  diag::Sink sink;
  auto out = harness::read_recording(std::make_shared<diag::SourceFile>(diag::SourceFile{"a.gtl", std::move(text)}), sink);
  clean = !sink.has_errors();
  return out;
}

std::string write(const harness::Recording& recording) {
  harness::RecordingWriter writer;
  std::string out = harness::RecordingWriter::first_line();
  for (const harness::RecordedExchange& e : recording.exchanges) out += writer.lines(e);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bool clean = false;
  const harness::Recording first = read({reinterpret_cast<const char*>(data), size}, clean);
  if (!clean) return 0;
  const std::string text = write(first);
  const harness::Recording second = read(text, clean);
  if (!clean || write(second) != text) __builtin_trap();
  return 0;
}
