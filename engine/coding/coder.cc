// SPDX-License-Identifier: Apache-2.0
#include "coding/coder.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/text.h"
#include "coding/coders.h"

namespace gatelab::coding {

std::string_view name(Coding coding) noexcept {
  switch (coding) {
    case Coding::Gzip: return "gzip";
    case Coding::Deflate: return "deflate";
    case Coding::Brotli: return "br";
    case Coding::Zstd: return "zstd";
  }
  return {};
}

std::optional<Coding> parse(std::string_view token) noexcept {
  for (const Coding one : {Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd})
    if (iequals(token, name(one))) return one;
  if (iequals(token, "x-gzip")) return Coding::Gzip;  // RFC 9110 §8.4.1.3
  return std::nullopt;
}

// What the libraries have beyond these takes tens of mebibytes for each body, and longer than anyone waits for an answer.
Levels levels(Coding coding) noexcept {
  switch (coding) {
    case Coding::Gzip:
    case Coding::Deflate: return {1, 9, 5};
    case Coding::Brotli: return {0, 6, 4};
    case Coding::Zstd: return {1, 12, 3};
  }
  return {};
}

std::unique_ptr<Coder> make_encoder(Coding coding, int level) {
  switch (coding) {
    case Coding::Gzip: return make_deflater(true, level);
    case Coding::Deflate: return make_deflater(false, level);
    case Coding::Brotli: return make_brotli_encoder(level);
    case Coding::Zstd: return make_zstd_encoder(level);
  }
  return nullptr;
}

std::unique_ptr<Coder> make_decoder(Coding coding) {
  switch (coding) {
    case Coding::Gzip: return make_inflater(true);
    case Coding::Deflate: return make_inflater(false);
    case Coding::Brotli: return make_brotli_decoder();
    case Coding::Zstd: return make_zstd_decoder();
  }
  return nullptr;
}

namespace {

// False: broken, or too long.
bool run(Coder& coder, std::string_view in, std::size_t most, std::string& out) {
  std::vector<char> room(64 * 1024);
  for (bool more = true; more;) {
    const Moved moved = coder.move(in, Behind::End, room);
    if (moved.broken || out.size() + moved.made > most) return false;
    out.append(room.data(), moved.made);
    in.remove_prefix(moved.taken);
    more = moved.more;
  }
  return true;
}

}  // namespace

std::string encode(Coding coding, std::string_view body) {
  std::string out;
  run(*make_encoder(coding, levels(coding).standard), body, SIZE_MAX, out);
  return out;
}

std::optional<std::string> decode(Coding coding, std::string_view body, std::size_t most) {
  std::string out;
  return run(*make_decoder(coding), body, most, out) ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace gatelab::coding
