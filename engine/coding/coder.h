// SPDX-License-Identifier: Apache-2.0
// Content codings (RFC 9110 §8.4.1): gzip, deflate, br, zstd; made and undone piece by piece, in bounded memory. The one room
// that includes zlib, brotli and zstd. A coder belongs to one body and one thread; out of memory ends the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gatelab::coding {

enum class Coding : std::uint8_t { Gzip, Deflate, Brotli, Zstd };
inline constexpr std::size_t kCodings = 4;
std::string_view name(Coding coding) noexcept;                    // "br", as in Content-Encoding
std::optional<Coding> parse(std::string_view token) noexcept;     // without case; x-gzip is gzip

struct Levels {
  int least, most, standard;
};
Levels levels(Coding coding) noexcept;

// What stands behind the octets that are handed over.
enum class Behind : std::uint8_t {
  More,  // others, soon: wait for them where that makes the result smaller
  Wait,  // others, nobody knows when: what was taken so far must be readable from what comes out
  End,   // nothing
};

struct Moved {
  std::size_t taken = 0, made = 0;
  // There is more to come out: call again, with what is left of `in`, the same `behind` and fresh room.
  bool more = false;
  bool broken = false;  // of a decoder: this is not its coding, or its end is missing
};

class Coder {
 public:
  virtual ~Coder() = default;
  // `out` is not empty. Without `more`, all of `in` was taken; at the End, everything is out.
  virtual Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept = 0;
};

// `level` is one of levels(coding). Takes about 300 KiB for gzip and deflate, 2 MiB for zstd, and at most 6 MiB for br.
std::unique_ptr<Coder> make_encoder(Coding coding, int level);
// No octets at all are an empty body. Several gzip members or zstd frames are one body (RFC 1952 §2.2, RFC 8878 §3); other octets
// behind the end are broken, and so is a zstd window of more than 8 MiB (RFC 9659). Takes at most the window: 32 KiB of gzip and
// deflate, 8 MiB of zstd, 16 MiB of br.
std::unique_ptr<Coder> make_decoder(Coding coding);

// A whole body at once, for what is not on the way of a request.
std::string encode(Coding coding, std::string_view body);
// Nullopt: it is broken, or longer than `most` octets.
std::optional<std::string> decode(Coding coding, std::string_view body, std::size_t most);

}  // namespace gatelab::coding
