// SPDX-License-Identifier: Apache-2.0
#include "harness/mock/filled.h"

namespace gatelab::harness {

std::string filled_body(config::Reader& r, std::uint64_t octets) {
  std::string out = r.text("text", "");
  const std::string of = r.text("of", ""), end = r.text("end", "");
  if (of.empty()) r.sink().error("bad-choice", r.span_of("of"), "a body can't be filled with nothing");
  else if (octets < out.size() + end.size()) r.sink().error("out-of-range", r.span_of("size"), "`text` and `end` are longer than that", "size: 1MiB");
  if (of.empty() || octets < out.size() + end.size()) return {};
  out.reserve(octets + of.size());
  while (out.size() < octets - end.size()) out += of;
  out.resize(octets - end.size());
  return out + end;
}

}  // namespace gatelab::harness
