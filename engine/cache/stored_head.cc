// SPDX-License-Identifier: Apache-2.0
#include "cache/stored_head.h"

#include <cstring>
#include <new>

#include "base/text.h"
#include "cache/body.h"

namespace gatelab::cache {
namespace {

struct Lengths {
  std::uint32_t name = 0;
  std::uint32_t value = 0;
  http::FieldId id = http::FieldId::Other;
};
constexpr std::size_t kLengths = 9;  // as they stand in the block, without what aligns them

char* write(char* at, const Lengths& lengths) noexcept {
  std::memcpy(at, &lengths.name, 4);
  std::memcpy(at + 4, &lengths.value, 4);
  std::memcpy(at + 8, &lengths.id, 1);
  return at + kLengths;
}
Lengths read(const char* at) noexcept {
  Lengths out;
  std::memcpy(&out.name, at, 4);
  std::memcpy(&out.value, at + 4, 4);
  std::memcpy(&out.id, at + 8, 1);
  return out;
}

std::size_t octets_of(std::span<const std::string_view> texts) noexcept {
  std::size_t sum = 0;
  for (const std::string_view text : texts) sum += text.size();
  return sum;
}

}  // namespace

StoredHead::StoredHead(const HeadParts& parts) noexcept
    : vary_(parts.vary.size()), tags_(parts.tags.size()), field_count_(parts.fields->size()), status_(parts.status) {
  size_ = (vary_ + tags_) * sizeof(std::string_view) + octets_of(parts.vary) + octets_of(parts.tags) + parts.variant_key.size();
  for (const http::Field& field : *parts.fields) size_ += kLengths + field.name.size() + field.value.size();
  block_ = std::make_unique_for_overwrite<std::byte[]>(size_);
  char* at = reinterpret_cast<char*>(block_.get()) + (vary_ + tags_) * sizeof(std::string_view);
  const auto keep = [&at](std::string_view text) {
    char* const begin = at;
    at = put(at, text);
    return std::string_view(begin, text.size());
  };
  std::byte* place = block_.get();
  names_ = reinterpret_cast<const std::string_view*>(place);
  for (const auto& texts : {parts.vary, parts.tags})
    for (const std::string_view text : texts) {
      new (place) std::string_view(keep(text));
      place += sizeof(std::string_view);
    }
  variant_key_ = keep(parts.variant_key);
  fields_ = at;
  for (const http::Field& field : *parts.fields) {
    at = write(at, {static_cast<std::uint32_t>(field.name.size()), static_cast<std::uint32_t>(field.value.size()), field.id});
    at = put(put(at, field.name), field.value);
  }
}

void StoredHead::add_to(http::Fields& fields) const noexcept {
  const char* at = fields_;
  for (std::size_t i = 0; i < field_count_; ++i) {
    const Lengths lengths = read(at);
    const char* const name = at + kLengths;
    fields.add(lengths.id, {name, lengths.name}, {name + lengths.name, lengths.value});
    at = name + lengths.name + lengths.value;
  }
}

std::size_t StoredHead::memory() const noexcept { return sizeof(StoredHead) + size_ + 2 * kAllocation; }

}  // namespace gatelab::cache
