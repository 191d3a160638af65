// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>

#include <cstdlib>

#include "coding/coders.h"

namespace gatelab::coding {
namespace {

constexpr int kWindowBits = 19;      // 512 KiB, for each answer
constexpr int kTableBits = 17;       // of what the level would take: its tables would grow to 80 MiB
constexpr int kWindowBitsMost = 23;  // 8 MiB (RFC 9659)

class Encoder final : public Coder {
 public:
  explicit Encoder(int level) : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) std::abort();
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, kWindowBits);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_hashLog, kTableBits);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_chainLog, kTableBits);
  }
  ~Encoder() override { ZSTD_freeCCtx(context_); }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    pending_ = pending_ || !in.empty();
    if (behind == Behind::Wait && !pending_) return {};
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t left = ZSTD_compressStream2(context_, &to, &from, behind == Behind::End ? ZSTD_e_end : behind == Behind::Wait ? ZSTD_e_flush : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0) std::abort();  // only out of memory
    Moved result{from.pos, to.pos, false, false};
    result.more = behind == Behind::More ? from.pos < from.size : left != 0;
    if (behind == Behind::Wait && !result.more) pending_ = false;
    return checked(result);
  }

 private:
  ZSTD_CCtx* context_;
  bool pending_ = false;  // octets were taken since the last flush
};

class Decoder final : public Coder {
 public:
  Decoder() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) std::abort();
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kWindowBitsMost);
  }
  ~Decoder() override { ZSTD_freeDCtx(context_); }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    // Asked without octets between two frames, it would begin another.
    if (in.empty() && ended_) return {};
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t code = ZSTD_decompressStream(context_, &to, &from);
    Moved result{from.pos, to.pos, false, ZSTD_isError(code) != 0};
    ended_ = code == 0;
    result.more = from.pos < from.size || (!ended_ && to.pos == to.size);
    if (behind == Behind::End && !result.more && !ended_) result.broken = true;
    return checked(result);
  }

 private:
  ZSTD_DCtx* context_;
  bool ended_ = true;
};

}  // namespace

std::unique_ptr<Coder> make_zstd_encoder(int level) { return std::make_unique<Encoder>(level); }
std::unique_ptr<Coder> make_zstd_decoder() { return std::make_unique<Decoder>(); }

}  // namespace gatelab::coding
