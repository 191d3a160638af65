// SPDX-License-Identifier: Apache-2.0
#include "http/fields.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/text.h"
#include "http/chars.h"

namespace gatelab::http {
namespace {

struct Known {
  std::string_view name;
  FieldId id;
};

// By length, so that a name is compared with few others.
constexpr std::array<Known, 40> kKnown{{
    {"Te", FieldId::Te}, {"Age", FieldId::Age}, {"Via", FieldId::Via},
    {"Date", FieldId::Date}, {"Host", FieldId::Host}, {"Vary", FieldId::Vary},
    {"Allow", FieldId::Allow},
    {"Accept", FieldId::Accept}, {"Cookie", FieldId::Cookie}, {"Expect", FieldId::Expect}, {"Origin", FieldId::Origin}, {"Server", FieldId::Server},
    {"Referer", FieldId::Referer}, {"Trailer", FieldId::Trailer}, {"Upgrade", FieldId::Upgrade},
    {"Location", FieldId::Location},
    {"Forwarded", FieldId::Forwarded}, {"RateLimit", FieldId::RateLimit},
    {"Connection", FieldId::Connection}, {"Keep-Alive", FieldId::KeepAlive}, {"Set-Cookie", FieldId::SetCookie}, {"User-Agent", FieldId::UserAgent},
    {"Retry-After", FieldId::RetryAfter},
    {"Content-Type", FieldId::ContentType}, {"Max-Forwards", FieldId::MaxForwards}, {"X-Request-Id", FieldId::XRequestId},
    {"Authorization", FieldId::Authorization}, {"Cache-Control", FieldId::CacheControl},
    {"Content-Length", FieldId::ContentLength},
    {"X-Forwarded-For", FieldId::XForwardedFor},
    {"Content-Encoding", FieldId::ContentEncoding}, {"Proxy-Connection", FieldId::ProxyConnection}, {"RateLimit-Policy", FieldId::RateLimitPolicy},
    {"WWW-Authenticate", FieldId::WwwAuthenticate}, {"X-Forwarded-Host", FieldId::XForwardedHost}, {"X-Forwarded-Port", FieldId::XForwardedPort},
    {"Transfer-Encoding", FieldId::TransferEncoding}, {"X-Forwarded-Proto", FieldId::XForwardedProto},
    {"Proxy-Authenticate", FieldId::ProxyAuthenticate},
    {"Proxy-Authorization", FieldId::ProxyAuthorization},
}};

// first[n]: where names of length n begin.
constexpr std::array<std::uint8_t, 21> kFirst = [] {
  std::array<std::uint8_t, 21> first{};
  for (std::size_t n = 0; n < first.size(); ++n) {
    std::size_t i = 0;
    while (i < kKnown.size() && kKnown[i].name.size() < n) ++i;
    first[n] = static_cast<std::uint8_t>(i);
  }
  return first;
}();

// A name as two or three overlapping words: which octets they hold depends on the length alone, so that names of one length
// are equal if their words are.
struct Words {
  std::uint64_t first = 0, last = 0, middle = 0;
};

constexpr std::uint64_t word(std::string_view s, std::size_t at, std::size_t n) noexcept {
  std::uint64_t out = 0;
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t place = std::endian::native == std::endian::little ? i : 7 - i;
      out |= static_cast<std::uint64_t>(static_cast<unsigned char>(s[at + i])) << (8 * place);
    }
    return out;
  }
  std::memcpy(&out, s.data() + at, n);
  return out;
}

// Of a name of 2 to 19 octets.
constexpr Words words_of(std::string_view s) noexcept {
  const std::size_t n = s.size();
  if (n >= 8) return {word(s, 0, 8), word(s, n - 8, 8), n > 16 ? word(s, 8, 8) : 0};
  if (n >= 4) return {word(s, 0, 4), word(s, n - 4, 4), 0};
  return {word(s, 0, 2), word(s, n - 1, 1), 0};
}

// `letters` has bit 5 where the name has a letter: with it set, upper case is lower case, and no other octet becomes a letter.
struct Pattern {
  Words name, letters;
  constexpr bool matches(const Words& w) const noexcept {
    return (w.first | letters.first) == name.first && (w.last | letters.last) == name.last && (w.middle | letters.middle) == name.middle;
  }
};

constexpr Pattern pattern_of(std::string_view name) noexcept {
  std::array<char, 20> lower{}, letters{};
  for (std::size_t i = 0; i < name.size(); ++i) {
    lower[i] = ascii_lower(name[i]);
    letters[i] = lower[i] >= 'a' && lower[i] <= 'z' ? 0x20 : 0;
  }
  return {words_of({lower.data(), name.size()}), words_of({letters.data(), name.size()})};
}

constexpr auto kPatterns = [] {
  std::array<Pattern, kKnown.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = pattern_of(kKnown[i].name);
  return out;
}();

}  // namespace

FieldId field_id(std::string_view name) noexcept {
  const std::size_t n = name.size();
  if (n < 2 || n > 19) return FieldId::Other;
  const Words words = words_of(name);
  for (std::size_t i = kFirst[n]; i < kFirst[n + 1]; ++i)
    if (kPatterns[i].matches(words)) return kKnown[i].id;
  return FieldId::Other;
}

void Fields::grow() noexcept {
  const std::size_t bigger = capacity_ == 0 ? 16 : capacity_ * 2;
  Field* data = arena_->room<Field>(bigger);
  std::uninitialized_copy(data_, data_ + size_, data);
  data_ = data;
  capacity_ = bigger;
}

void Fields::set(std::string_view name, std::string_view value) noexcept {
  remove(name);
  add(name, value);
}

std::size_t Fields::remove(FieldId id) noexcept {
  if (!may_have(id)) return 0;
  Field* kept = std::remove_if(data_, data_ + size_, [id](const Field& f) { return f.id == id; });
  return std::exchange(size_, static_cast<std::size_t>(kept - data_)) - static_cast<std::size_t>(kept - data_);
}

std::size_t Fields::remove(std::string_view name) noexcept {
  if (const FieldId id = field_id(name); id != FieldId::Other) return remove(id);
  Field* kept = std::remove_if(data_, data_ + size_, [name](const Field& f) { return iequals(f.name, name); });
  return std::exchange(size_, static_cast<std::size_t>(kept - data_)) - static_cast<std::size_t>(kept - data_);
}

const Field* Fields::find(FieldId id) const noexcept {
  if (!may_have(id)) return nullptr;
  for (const Field& f : *this)
    if (f.id == id) return &f;
  return nullptr;
}

const Field* Fields::find(std::string_view name) const noexcept {
  if (const FieldId id = field_id(name); id != FieldId::Other) return find(id);
  for (const Field& f : *this)
    if (iequals(f.name, name)) return &f;
  return nullptr;
}

std::size_t Fields::count(FieldId id) const noexcept {
  if (!may_have(id)) return 0;
  return static_cast<std::size_t>(std::count_if(begin(), end(), [id](const Field& f) { return f.id == id; }));
}

bool Fields::lists(FieldId id, std::string_view token) const noexcept {
  if (!may_have(id)) return false;
  for (const Field& f : *this) {
    if (f.id != id) continue;
    std::string_view rest = f.value, element;
    while (next_list_element(rest, element))
      if (iequals(element, token)) return true;
  }
  return false;
}

bool is_token(std::string_view name) noexcept { return !name.empty() && all(name, kToken); }

bool is_field_value(std::string_view value) noexcept { return all(value, kValue) && trim_ows(value).size() == value.size(); }

}  // namespace gatelab::http
