// SPDX-License-Identifier: Apache-2.0
#include "policy/compress/request_coding.h"

#include "base/text.h"
#include "policy/compress/tally.h"

namespace gatelab::policy {
namespace {

class Decompression final : public BodyFilter {
 public:
  Decompression(const Policy& of, coding::Coding coding, const Growth& growth, Tally& tally) : BodyFilter(of), decoder_(coding::make_decoder(coding)), growth_(growth), tally_(tally) {}

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    const coding::Moved step = decoder_->move(in, behind, out);
    Moved moved;
    moved.taken = step.taken;
    moved.made = step.made;
    moved.more = step.more;
    taken_ += step.taken;
    made_ += step.made;
    tally_.add(Tally::Of::RequestCoded, step.taken);
    tally_.add(Tally::Of::RequestPlain, step.made);
    if (made_ > growth_.max_size) moved.failure = &observe::reason::kDecompressedTooLarge;
    else if (made_ > Growth::kFree && made_ > growth_.max_ratio * taken_) moved.failure = &observe::reason::kDecompressionRatio;
    else if (step.broken) moved.failure = &observe::reason::kMalformedEncoding;
    return moved;
  }

 private:
  std::unique_ptr<coding::Coder> decoder_;
  const Growth& growth_;
  Tally& tally_;
  std::uint64_t taken_ = 0, made_ = 0;
};

}  // namespace

RequestCoding request_coding(const http::Fields& fields) noexcept {
  RequestCoding out;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::ContentEncoding) continue;
    std::string_view rest = field.value, token;
    while (next_list_element(rest, token)) {
      if (iequals(token, "identity")) continue;
      out.coding = out.coded ? std::nullopt : coding::parse(token);
      out.coded = true;
    }
  }
  return out;
}

BodyFilterPtr make_decompression(const Policy& by, coding::Coding coding, const Growth& growth, Tally& tally) { return std::make_unique<Decompression>(by, coding, growth, tally); }

}  // namespace gatelab::policy
