// SPDX-License-Identifier: Apache-2.0
// What undoes a content coding: the first octet says which, the second how the rest is cut into pieces. Whatever comes: it ends,
// takes all or is broken, and gives the same in one piece as in many.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "coding/coder.h"

using namespace gatelab;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

constexpr std::size_t kMost = 1 << 20;  // of what comes out: bombs are others' to limit

struct Outcome {
  std::string octets;
  bool broken = false;
};

Outcome run(coding::Coding coding, std::string_view in, std::size_t piece) {
  Outcome out;
  const auto decoder = coding::make_decoder(coding);
  std::array<char, 4096> room;
  for (bool last = false; !last && !out.broken && out.octets.size() < kMost;) {
    std::string_view now = in.substr(0, piece);
    in.remove_prefix(now.size());
    last = in.empty();
    for (bool more = true; more && out.octets.size() < kMost;) {
      const coding::Moved moved = decoder->move(now, last ? coding::Behind::End : coding::Behind::More, room);
      check(moved.taken <= now.size() && moved.made <= room.size());
      check(!moved.more || moved.taken > 0 || moved.made > 0);
      out.octets.append(room.data(), moved.made);
      now.remove_prefix(moved.taken);
      more = moved.more;
      out.broken = moved.broken;
      check(more || out.broken || now.empty());
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto coding = static_cast<coding::Coding>(data[0] % coding::kCodings);
  const std::string_view in(reinterpret_cast<const char*>(data + 2), size - 2);
  const Outcome whole = run(coding, in, SIZE_MAX), pieces = run(coding, in, 1 + data[1] % 64);
  if (whole.octets.size() >= kMost || pieces.octets.size() >= kMost) return 0;
  check(whole.broken == pieces.broken);
  if (!whole.broken) check(whole.octets == pieces.octets && coding::decode(coding, coding::encode(coding, whole.octets), kMost) == whole.octets);
  return 0;
}
