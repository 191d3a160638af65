// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "base/text.h"
#include "http/date.h"

namespace gatelab::http {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct Civil {
  std::int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

// Takes pieces off the front; after the first that is not there, everything fails.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : rest_(text) {}

  bool ok() const noexcept { return ok_; }
  bool done() const noexcept { return ok_ && rest_.empty(); }

  Cursor& expect(std::string_view word) noexcept {
    ok_ = ok_ && iequals(rest_.substr(0, word.size()), word);
    if (ok_) rest_.remove_prefix(word.size());
    return *this;
  }
  // Exactly `digits` of them.
  Cursor& number(std::size_t digits, std::int64_t& out) noexcept {
    ok_ = ok_ && rest_.size() >= digits;
    out = 0;
    for (std::size_t i = 0; ok_ && i < digits; ++i) {
      ok_ = rest_[i] >= '0' && rest_[i] <= '9';
      out = out * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(digits);
    return *this;
  }
  // asctime pads a day with a space.
  Cursor& padded_day(std::int64_t& out) noexcept {
    if (rest_.substr(0, 1) != " ") return number(2, out);
    return expect(" ").number(1, out);
  }
  Cursor& month(std::int64_t& out) noexcept {
    for (out = 1; out <= 12; ++out)
      if (iequals(rest_.substr(0, 3), kMonths.substr(static_cast<std::size_t>(3 * (out - 1)), 3))) break;
    ok_ = ok_ && out <= 12;
    if (ok_) rest_.remove_prefix(3);
    return *this;
  }
  // hour ":" minute ":" second, the last one of a leap second too (RFC 9110 §5.6.7).
  Cursor& time_of_day(Civil& out) noexcept {
    number(2, out.hour).expect(":").number(2, out.minute).expect(":").number(2, out.second);
    ok_ = ok_ && out.hour < 24 && out.minute < 60 && out.second <= 60;
    return *this;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

constexpr std::int64_t days_of_month(std::int64_t year, std::int64_t month) noexcept {
  constexpr std::array<std::int64_t, 12> kLengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kLengths[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

// Days since 1970 in years that begin in March, as in write_date().
constexpr std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400, of_era = y - era * 400;
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

std::optional<Instant> instant_of(const Civil& c) noexcept {
  if (c.day < 1 || c.day > days_of_month(c.year, c.month)) return std::nullopt;
  if (c.year < 1970) return Instant{};
  const std::int64_t seconds = days_from_civil(c.year, c.month, c.day) * 86'400 + c.hour * 3600 + c.minute * 60 + c.second;
  if (seconds > std::numeric_limits<std::int64_t>::max() / 1'000'000'000) return Instant::max();
  return Instant::from_seconds(seconds);
}

// The year of this century, unless that is more than fifty years ahead.
std::int64_t whole_year(std::int64_t two_digits, Instant now) noexcept {
  const std::int64_t this_year = 1970 + now.seconds() / 31'556'952;  // of 365.2425 days
  const std::int64_t year = this_year - this_year % 100 + two_digits;
  return year > this_year + 50 ? year - 100 : year;
}

}  // namespace

std::optional<Instant> parse_date(std::string_view text, Instant now) noexcept {
  const auto day = std::find_if(kDays.begin(), kDays.end(), [text](std::string_view one) { return iequals(text.substr(0, 3), one.substr(0, 3)); });
  if (day == kDays.end()) return std::nullopt;
  Civil c;
  Cursor fix(text.substr(3));
  if (fix.expect(", ").number(2, c.day).expect(" ").month(c.month).expect(" ").number(4, c.year).expect(" ").time_of_day(c).expect(" GMT").done()) return instant_of(c);
  Cursor asctime(text.substr(3));
  if (asctime.expect(" ").month(c.month).expect(" ").padded_day(c.day).expect(" ").time_of_day(c).expect(" ").number(4, c.year).done()) return instant_of(c);
  Cursor old(text);
  if (!old.expect(*day).expect(", ").number(2, c.day).expect("-").month(c.month).expect("-").number(2, c.year).expect(" ").time_of_day(c).expect(" GMT").done()) return std::nullopt;
  c.year = whole_year(c.year, now);
  return instant_of(c);
}

}  // namespace gatelab::http
