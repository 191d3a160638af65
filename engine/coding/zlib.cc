// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <cstdlib>

#include "coding/coders.h"

namespace gatelab::coding {
namespace {

constexpr int kWindowBits = 15, kGzip = 16, kMemory = 8;
constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts in 32 bits

void lend(z_stream& stream, std::string_view in, std::span<char> out) noexcept {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(std::min(in.size(), kMost));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(std::min(out.size(), kMost));
}

Moved moved(const z_stream& stream, std::string_view in, std::span<char> out) noexcept {
  Moved result;
  result.taken = static_cast<std::size_t>(reinterpret_cast<const char*>(stream.next_in) - in.data());
  result.made = static_cast<std::size_t>(reinterpret_cast<const char*>(stream.next_out) - out.data());
  return result;
}

class Deflater final : public Coder {
 public:
  Deflater(bool gzip, int level) {
    if (deflateInit2(&stream_, level, Z_DEFLATED, kWindowBits + (gzip ? kGzip : 0), kMemory, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  }
  ~Deflater() override { deflateEnd(&stream_); }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    pending_ = pending_ || !in.empty();
    // An empty block for nothing would go out at every pause.
    if (behind == Behind::Wait && !pending_) return {};
    lend(stream_, in, out);
    const int code = deflate(&stream_, behind == Behind::End ? Z_FINISH : behind == Behind::Wait ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    Moved result = moved(stream_, in, out);
    const bool left = result.taken < in.size();
    result.more = behind == Behind::End ? code != Z_STREAM_END : left || (code == Z_OK && stream_.avail_out == 0);
    if (behind == Behind::Wait && !result.more) pending_ = false;
    return checked(result);
  }

 private:
  z_stream stream_{};
  bool pending_ = false;  // octets were taken since the last flush
};

class Inflater final : public Coder {
 public:
  explicit Inflater(bool gzip) : gzip_(gzip) {
    if (inflateInit2(&stream_, kWindowBits + (gzip ? kGzip : 0)) != Z_OK) std::abort();
  }
  ~Inflater() override { inflateEnd(&stream_); }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    Moved result;
    if (ended_ && in.empty()) return result;
    if (ended_ && !begin_another()) return {0, 0, false, true};
    lend(stream_, in, out);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) std::abort();
    result = moved(stream_, in, out);
    ended_ = code == Z_STREAM_END;
    result.broken = code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR;
    result.more = result.taken < in.size() || (code == Z_OK && stream_.avail_out == 0);
    if (behind == Behind::End && !result.more && !ended_) result.broken = true;
    return checked(result);
  }

 private:
  // gzip knows several members in a row; it is at its end before the first, too.
  bool begin_another() noexcept {
    if (begun_ && !gzip_) return false;
    begun_ = true;
    ended_ = false;
    return inflateReset(&stream_) == Z_OK;
  }

  z_stream stream_{};
  bool gzip_, begun_ = false;
  bool ended_ = true;
};

}  // namespace

std::unique_ptr<Coder> make_deflater(bool gzip, int level) { return std::make_unique<Deflater>(gzip, level); }
std::unique_ptr<Coder> make_inflater(bool gzip) { return std::make_unique<Inflater>(gzip); }

}  // namespace gatelab::coding
