// SPDX-License-Identifier: Apache-2.0
// The coders one by one, each over one library. Private to the room.
#pragma once

#include <memory>

#include "coding/coder.h"

namespace gatelab::coding {

// gzip (RFC 1952), or deflate: the zlib format (RFC 1950), as RFC 9110 §8.4.1.2 has it.
std::unique_ptr<Coder> make_deflater(bool gzip, int level);
std::unique_ptr<Coder> make_inflater(bool gzip);
std::unique_ptr<Coder> make_brotli_encoder(int level);
std::unique_ptr<Coder> make_brotli_decoder();
std::unique_ptr<Coder> make_zstd_encoder(int level);
std::unique_ptr<Coder> make_zstd_decoder();

// Whoever neither takes nor makes anything and wants to be called again would be called for ever.
inline Moved checked(Moved moved) noexcept {
  if (moved.more && moved.taken == 0 && moved.made == 0) moved.broken = true;
  if (moved.broken) moved.more = false;
  return moved;
}

}  // namespace gatelab::coding
