// SPDX-License-Identifier: Apache-2.0
#include <brotli/decode.h>
#include <brotli/encode.h>

#include <cstdlib>

#include "coding/coders.h"

namespace gatelab::coding {
namespace {

// 256 KiB: what an answer of the usual size gains from, and no more memory for each.
constexpr std::uint32_t kWindowBits = 18;

constexpr std::uint32_t kBlockBits = 16;

const std::uint8_t* octets(std::string_view in) noexcept { return reinterpret_cast<const std::uint8_t*>(in.data()); }
std::uint8_t* octets(std::span<char> out) noexcept { return reinterpret_cast<std::uint8_t*>(out.data()); }

class Encoder final : public Coder {
 public:
  explicit Encoder(int level) : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) std::abort();
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(level));
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, kWindowBits);
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGBLOCK, kBlockBits);
  }
  ~Encoder() override { BrotliEncoderDestroyInstance(state_); }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    pending_ = pending_ || !in.empty();
    if (behind == Behind::Wait && !pending_) return {};
    const BrotliEncoderOperation operation = behind == Behind::End ? BROTLI_OPERATION_FINISH : behind == Behind::Wait ? BROTLI_OPERATION_FLUSH : BROTLI_OPERATION_PROCESS;
    std::size_t left = in.size(), room = out.size();
    const std::uint8_t* from = octets(in);
    std::uint8_t* to = octets(out);
    if (BrotliEncoderCompressStream(state_, operation, &left, &from, &room, &to, nullptr) == BROTLI_FALSE) std::abort();  // only out of memory
    Moved result{in.size() - left, out.size() - room, false, false};
    result.more = behind == Behind::End ? BrotliEncoderIsFinished(state_) == BROTLI_FALSE : left > 0 || BrotliEncoderHasMoreOutput(state_) != BROTLI_FALSE;
    if (behind == Behind::Wait && !result.more) pending_ = false;
    return checked(result);
  }

 private:
  BrotliEncoderState* state_;
  bool pending_ = false;  // octets were taken since the last flush
};

class Decoder final : public Coder {
 public:
  Decoder() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) std::abort();
  }
  ~Decoder() override { BrotliDecoderDestroyInstance(state_); }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    if (in.empty() && (ended_ || !begun_)) return {};
    if (ended_) return {0, 0, false, true};
    begun_ = true;
    std::size_t left = in.size(), room = out.size();
    const std::uint8_t* from = octets(in);
    std::uint8_t* to = octets(out);
    const BrotliDecoderResult code = BrotliDecoderDecompressStream(state_, &left, &from, &room, &to, nullptr);
    Moved result{in.size() - left, out.size() - room, code == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT, code == BROTLI_DECODER_RESULT_ERROR};
    ended_ = code == BROTLI_DECODER_RESULT_SUCCESS;
    if (ended_ && left > 0) result.broken = true;
    if (behind == Behind::End && !result.more && !ended_) result.broken = true;
    return checked(result);
  }

 private:
  BrotliDecoderState* state_;
  bool begun_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<Coder> make_brotli_encoder(int level) { return std::make_unique<Encoder>(level); }
std::unique_ptr<Coder> make_brotli_decoder() { return std::make_unique<Decoder>(); }

}  // namespace gatelab::coding
