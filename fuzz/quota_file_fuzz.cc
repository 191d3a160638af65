// SPDX-License-Identifier: Apache-2.0
// State files: reading never crashes, what is taken can be written again and is the same then, and what an input says behind a
// right digest is read as strictly as the rest.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "policy/kept.h"

using namespace gatelab;

namespace {

void read(const std::string& text) {
  const auto sections = policy::read_kept(text);
  if (!sections) {
    if (sections.error().id != "corrupt" && sections.error().id != "newer") __builtin_trap();
    return;
  }
  std::size_t left_out = 0;
  const std::string again = policy::write_kept(*sections, left_out);
  if (left_out > 0) return;
  const auto same = policy::read_kept(again);
  if (!same || same->size() != sections->size()) __builtin_trap();
  for (std::size_t i = 0; i < same->size(); ++i) {
    const policy::KeptSection &a = (*sections)[i], &b = (*same)[i];
    if (a.id != b.id || a.shape != b.shape || a.counts.size() != b.counts.size()) __builtin_trap();
    for (std::size_t n = 0; n < a.counts.size(); ++n)
      if (a.counts[n].key != b.counts[n].key || a.counts[n].until != b.counts[n].until || a.counts[n].count != b.counts[n].count) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  read(text);
  // No mutation finds a digest: here the input gets the one that belongs to it.
  constexpr char kHex[] = "0123456789abcdef";
  std::string line = "sha256 ";
  for (const std::uint8_t octet : crypto::sha256(text)) line += {kHex[octet >> 4], kHex[octet & 15]};
  read(text + line + "\n");
  return 0;
}
