// SPDX-License-Identifier: Apache-2.0
// What the system's libraries make of whole bodies in one go, and what they read of ours: no one here is his own judge.
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "coding/coder.h"

namespace gatelab::coding {
namespace {

std::string text() {
  std::string out;
  for (int i = 0; i < 5'000; ++i) out += "row " + std::to_string(i * i) + "\n";
  return out;
}

std::string run(Coder& coder, std::string_view in) {
  std::string out;
  std::vector<char> room(1'000);
  for (bool more = true; more;) {
    const Moved moved = coder.move(in, Behind::End, room);
    EXPECT_FALSE(moved.broken);
    out.append(room.data(), moved.made);
    in.remove_prefix(moved.taken);
    more = moved.more;
  }
  return out;
}

// zlib's own: 15 + 16 is gzip, 15 its own format.
std::string zlib_whole(const std::string& in, int bits, bool undo) {
  z_stream s{};
  std::string out(1 << 20, '\0');
  s.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  s.avail_in = static_cast<uInt>(in.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  s.avail_out = static_cast<uInt>(out.size());
  if (undo) {
    EXPECT_EQ(inflateInit2(&s, bits), Z_OK);
    EXPECT_EQ(inflate(&s, Z_FINISH), Z_STREAM_END);
    inflateEnd(&s);
  } else {
    EXPECT_EQ(deflateInit2(&s, 9, Z_DEFLATED, bits, 9, Z_DEFAULT_STRATEGY), Z_OK);
    EXPECT_EQ(deflate(&s, Z_FINISH), Z_STREAM_END);
    deflateEnd(&s);
  }
  EXPECT_EQ(s.avail_in, 0U);
  out.resize(s.total_out);
  return out;
}

TEST(Libraries, ReadWhatWeEncode) {
  const std::string body = text();
  EXPECT_TRUE(zlib_whole(run(*make_encoder(Coding::Gzip, 5), body), 15 + 16, true) == body);
  EXPECT_TRUE(zlib_whole(run(*make_encoder(Coding::Deflate, 5), body), 15, true) == body);
  const std::string br = run(*make_encoder(Coding::Brotli, 4), body), zstd = run(*make_encoder(Coding::Zstd, 3), body);
  std::string out(1 << 20, '\0');
  std::size_t size = out.size();
  EXPECT_EQ(BrotliDecoderDecompress(br.size(), reinterpret_cast<const std::uint8_t*>(br.data()), &size, reinterpret_cast<std::uint8_t*>(out.data())), BROTLI_DECODER_RESULT_SUCCESS);
  EXPECT_TRUE(out.substr(0, size) == body);
  size = ZSTD_decompress(out.data(), out.size(), zstd.data(), zstd.size());
  ASSERT_EQ(ZSTD_isError(size), 0U);
  EXPECT_TRUE(out.substr(0, size) == body);
}

TEST(Libraries, EncodeWhatWeRead) {
  const std::string body = text();
  EXPECT_TRUE(run(*make_decoder(Coding::Gzip), zlib_whole(body, 15 + 16, false)) == body);
  EXPECT_TRUE(run(*make_decoder(Coding::Deflate), zlib_whole(body, 15, false)) == body);
  std::string out(1 << 20, '\0');
  std::size_t size = out.size();
  ASSERT_EQ(BrotliEncoderCompress(11, 22, BROTLI_MODE_TEXT, body.size(), reinterpret_cast<const std::uint8_t*>(body.data()), &size, reinterpret_cast<std::uint8_t*>(out.data())), BROTLI_TRUE);
  EXPECT_TRUE(run(*make_decoder(Coding::Brotli), out.substr(0, size)) == body);
  size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 19);
  ASSERT_EQ(ZSTD_isError(size), 0U);
  EXPECT_TRUE(run(*make_decoder(Coding::Zstd), out.substr(0, size)) == body);
}

}  // namespace
}  // namespace gatelab::coding
