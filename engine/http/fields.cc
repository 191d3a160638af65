// SPDX-License-Identifier: Apache-2.0
#include "http/fields.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/text.h"
#include "http/chars.h"

namespace gatelab::http {
namespace {

struct Known {
  std::string_view name;
  FieldId id;
};

// By length, so that most names need one comparison or none.
constexpr std::array<Known, 39> kKnown{{
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
}};
constexpr Known kProxyAuthorization{"Proxy-Authorization", FieldId::ProxyAuthorization};

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

}  // namespace

FieldId field_id(std::string_view name) noexcept {
  const std::size_t n = name.size();
  if (n < 2 || n > 19) return FieldId::Other;
  if (n == 19) return iequals(name, kProxyAuthorization.name) ? kProxyAuthorization.id : FieldId::Other;
  const char first = ascii_lower(name.front()), last = ascii_lower(name.back());
  for (std::size_t i = kFirst[n]; i < kFirst[n + 1]; ++i) {
    const std::string_view known = kKnown[i].name;
    if (ascii_lower(known.front()) != first || ascii_lower(known.back()) != last) continue;
    if (known == name || iequals(known, name)) return kKnown[i].id;  // most are spelt as the RFCs do
  }
  return FieldId::Other;
}

void Fields::add(FieldId id, std::string_view name, std::string_view value) noexcept {
  if (size_ == capacity_) {
    const std::size_t bigger = capacity_ == 0 ? 16 : capacity_ * 2;
    Field* data = arena_->room<Field>(bigger);
    std::uninitialized_copy(data_, data_ + size_, data);
    data_ = data;
    capacity_ = bigger;
  }
  std::construct_at(data_ + size_++, name, value, id);
}

void Fields::set(std::string_view name, std::string_view value) noexcept {
  remove(name);
  add(name, value);
}

std::size_t Fields::remove(FieldId id) noexcept {
  Field* kept = std::remove_if(data_, data_ + size_, [id](const Field& f) { return f.id == id; });
  return std::exchange(size_, static_cast<std::size_t>(kept - data_)) - static_cast<std::size_t>(kept - data_);
}

std::size_t Fields::remove(std::string_view name) noexcept {
  Field* kept = std::remove_if(data_, data_ + size_, [name](const Field& f) { return iequals(f.name, name); });
  return std::exchange(size_, static_cast<std::size_t>(kept - data_)) - static_cast<std::size_t>(kept - data_);
}

const Field* Fields::find(FieldId id) const noexcept {
  for (const Field& f : *this)
    if (f.id == id) return &f;
  return nullptr;
}

const Field* Fields::find(std::string_view name) const noexcept {
  for (const Field& f : *this)
    if (iequals(f.name, name)) return &f;
  return nullptr;
}

std::size_t Fields::count(FieldId id) const noexcept {
  return static_cast<std::size_t>(std::count_if(begin(), end(), [id](const Field& f) { return f.id == id; }));
}

bool Fields::lists(FieldId id, std::string_view token) const noexcept {
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
