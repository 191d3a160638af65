// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "base/text.h"

namespace gatelab {
namespace {

__extension__ using Wide = unsigned __int128;

struct UnitName {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<UnitName, 7> kDurations{{{"d", 86'400'000'000'000}, {"h", 3'600'000'000'000}, {"m", 60'000'000'000},
                                          {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};
constexpr std::array<UnitName, 9> kSizes{{{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10},
                                      {"TB", 1'000'000'000'000}, {"GB", 1'000'000'000}, {"MB", 1'000'000}, {"kB", 1'000}, {"B", 1}}};

// digits ["." digits], as an integer and a power of ten that divides it.
struct Number {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
};

bool take_number(std::string_view& text, Number& out) noexcept {
  std::size_t i = 0;
  bool point = false, any = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !point && any) {
      point = true;
      any = false;
      continue;
    }
    if (c < '0' || c > '9') break;
    any = true;
    if (__builtin_mul_overflow(out.digits, std::uint64_t{10}, &out.digits) ||
        __builtin_add_overflow(out.digits, static_cast<std::uint64_t>(c - '0'), &out.digits))
      return false;
    if (point && __builtin_mul_overflow(out.scale, std::uint64_t{10}, &out.scale)) return false;
  }
  text.remove_prefix(i);
  return any;
}

template <std::size_t N>
const UnitName* take_unit(std::string_view& text, const std::array<UnitName, N>& units) noexcept {
  std::size_t n = 0;
  while (n < text.size() && (text[n] < '0' || text[n] > '9') && text[n] != '.') ++n;
  for (const UnitName& unit : units) {
    if (text.substr(0, n) != unit.name) continue;
    text.remove_prefix(n);
    return &unit;
  }
  return nullptr;
}

// Exact, or false.
bool scaled(const Number& number, std::uint64_t factor, std::uint64_t& out) noexcept {
  const Wide product = static_cast<Wide>(number.digits) * factor;
  if (product % number.scale != 0) return false;
  const Wide value = product / number.scale;
  if (value > static_cast<Wide>(INT64_MAX)) return false;
  out = static_cast<std::uint64_t>(value);
  return true;
}

Failure<Error> bad(std::string_view id, std::string_view text, std::string_view what) {
  return fail(std::string(id), "`" + std::string(text) + "` " + std::string(what));
}

// "1500000" over a million: without trailing zeros after the point.
std::string decimal(std::uint64_t value, std::uint64_t scale) {
  std::string out = std::to_string(value / scale);
  std::uint64_t rest = value % scale;
  if (rest == 0) return out;
  std::string fraction = std::to_string(scale + rest).substr(1);
  while (fraction.back() == '0') fraction.pop_back();
  return out + "." + fraction;
}

bool two_digits(std::string_view& text, int min, int max, int& out) noexcept {
  if (text.size() < 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return false;
  out = (text[0] - '0') * 10 + (text[1] - '0');
  text.remove_prefix(2);
  return out >= min && out <= max;
}

bool take_char(std::string_view& text, char c) noexcept {
  if (text.empty() || ascii_lower(text.front()) != c) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970-01-01 of a proleptic Gregorian date.
std::int64_t days_of(std::int64_t year, int month, int day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

int days_in(std::int64_t year, int month) noexcept {
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

}  // namespace

Result<Duration> parse_duration(std::string_view text, Sign sign) {
  constexpr std::string_view kForm = "is not a duration: write a number with a unit, such as 250ms, 5s or 1m30s (ns us ms s m h d)";
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative) rest.remove_prefix(1);
  if (negative && sign == Sign::Refused) return bad("bad-duration", text, "is negative");
  std::uint64_t sum = 0;
  if (rest.empty()) return bad("bad-duration", text, kForm);
  while (!rest.empty()) {
    Number number;
    std::uint64_t part = 0;
    if (!take_number(rest, number)) return bad("bad-duration", text, kForm);
    if (rest.empty()) return bad("bad-duration", text, "has no unit: write, for example, " + std::string(text) + "s or " + std::string(text) + "ms");
    const UnitName* unit = take_unit(rest, kDurations);
    if (unit == nullptr) return bad("bad-duration", text, kForm);
    if (!scaled(number, unit->factor, part) || __builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX)
      return bad("bad-duration", text, "is too large, or finer than a nanosecond");
  }
  const auto value = static_cast<std::int64_t>(sum);
  return Duration{negative ? -value : value};
}

Result<ByteSize> parse_size(std::string_view text) {
  std::string_view rest = text;
  Number number;
  if (!take_number(rest, number)) return bad("bad-size", text, "is not a size: write a number with a unit, such as 64KiB or 2MB");
  if (rest.empty()) return bad("bad-size", text, "has no unit: write, for example, " + std::string(text) + "B or " + std::string(text) + "KiB");
  const UnitName* unit = take_unit(rest, kSizes);
  if (unit == nullptr || !rest.empty()) return bad("bad-size", text, "has an unknown unit: B, KiB, MiB, GiB, TiB, kB, MB, GB, TB");
  ByteSize size;
  if (!scaled(number, unit->factor, size.bytes)) return bad("bad-size", text, "is too large, or not a whole number of bytes");
  return size;
}

Result<Rate> parse_rate(std::string_view text) {
  constexpr std::string_view kForm = "is not a rate: write a count and a time, such as 100/m or 5/10s";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad("bad-rate", text, kForm);
  Rate rate;
  const std::string_view per = text.substr(slash + 1);
  if (!parse_decimal(text.substr(0, slash), rate.count)) return bad("bad-rate", text, kForm);
  if (rate.count == 0) return bad("bad-rate", text, "lets nothing through: a rate is at least 1");
  const bool bare = per == "s" || per == "m" || per == "h" || per == "d";
  const auto duration = parse_duration(bare ? "1" + std::string(per) : std::string(per));
  if (!duration) return bad("bad-rate", text, kForm);
  if (duration->count() <= 0) return bad("bad-rate", text, "has a time of zero");
  rate.per = *duration;
  return rate;
}

Result<Share> parse_share(std::string_view text) {
  std::string_view rest = text;
  Number number;
  std::uint64_t millionths = 0;
  if (!take_number(rest, number) || rest != "%") return bad("bad-share", text, "is not a share: write a percentage, such as 20% or 0.5%");
  if (!scaled(number, 10'000, millionths)) return bad("bad-share", text, "has more than four decimals");
  if (millionths > 1'000'000) return bad("bad-share", text, "is more than 100%");
  return Share{static_cast<std::uint32_t>(millionths)};
}

Result<Instant> parse_instant(std::string_view text) {
  const auto refuse = [text] { return bad("bad-instant", text, "is not an instant: write 2026-01-01T00:00:00Z (RFC 3339)"); };
  std::string_view rest = text;
  int century = 0, years = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!two_digits(rest, 0, 99, century) || !two_digits(rest, 0, 99, years) || !take_char(rest, '-')) return refuse();
  const std::int64_t year = century * 100 + years;
  if (year < 1970 || year > 2261) return bad("bad-instant", text, "is outside the years 1970 to 2261");
  if (!two_digits(rest, 1, 12, month) || !take_char(rest, '-') || !two_digits(rest, 1, days_in(year, month), day)) return refuse();
  if (!take_char(rest, 't') || !two_digits(rest, 0, 23, hour) || !take_char(rest, ':')) return refuse();
  if (!two_digits(rest, 0, 59, minute) || !take_char(rest, ':') || !two_digits(rest, 0, 59, second)) return refuse();
  std::int64_t nanos = 0;
  if (take_char(rest, '.')) {
    std::int64_t unit = 100'000'000;
    if (rest.empty() || rest.front() < '0' || rest.front() > '9') return refuse();
    for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1), unit /= 10) {
      if (unit == 0) return refuse();
      nanos += (rest.front() - '0') * unit;
    }
  }
  std::int64_t offset = 0;
  if (!take_char(rest, 'z')) {
    const bool west = !rest.empty() && rest.front() == '-';
    int hours = 0, minutes = 0;
    if (!take_char(rest, west ? '-' : '+') || !two_digits(rest, 0, 23, hours) || !take_char(rest, ':') || !two_digits(rest, 0, 59, minutes)) return refuse();
    offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
  }
  if (!rest.empty()) return refuse();
  const std::int64_t seconds = days_of(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second - offset;
  if (seconds < 0) return bad("bad-instant", text, "is outside the years 1970 to 2261");
  return Instant{seconds * 1'000'000'000 + nanos};
}

std::string format(Duration d) {
  if (d.count() == 0) return "0s";
  std::string out = d.count() < 0 ? "-" : "";
  std::uint64_t left = d.count() < 0 ? 0 - static_cast<std::uint64_t>(d.count()) : static_cast<std::uint64_t>(d.count());
  for (const UnitName& unit : kDurations) {
    if (left < unit.factor) continue;
    // Seconds and below take the rest as decimals: 1.5s, not 1s500ms.
    if (unit.factor <= 1'000'000'000) return out + decimal(left, unit.factor) + std::string(unit.name);
    out += std::to_string(left / unit.factor) + std::string(unit.name);
    left %= unit.factor;
    if (left == 0) break;
  }
  return out;
}

std::string format(ByteSize s) {
  if (s.bytes == 0) return "0B";
  for (const UnitName& unit : kSizes)
    if (s.bytes % unit.factor == 0) return std::to_string(s.bytes / unit.factor) + std::string(unit.name);
  return std::to_string(s.bytes) + "B";
}

std::string format(Rate r) {
  std::string per = format(r.per);
  if (per.size() == 2 && per.front() == '1') per.erase(0, 1);
  return std::to_string(r.count) + "/" + per;
}

std::string format(Share s) { return decimal(s.millionths, 10'000) + "%"; }

std::string format(Instant t) {
  char text[kInstantOctets + 1];
  format_to(t, text);
  return text;
}

void format_to(Instant t, char (&out)[kInstantOctets + 1]) noexcept {
  std::int64_t seconds = t.ns / 1'000'000'000, nanos = t.ns % 1'000'000'000;
  if (nanos < 0) {
    nanos += 1'000'000'000;
    --seconds;
  }
  std::int64_t days = seconds / 86'400, of_day = seconds % 86'400;
  if (of_day < 0) {
    of_day += 86'400;
    --days;
  }
  // The inverse of days_of.
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t of_era = days - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const int day = static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1);
  const int month = static_cast<int>(shifted + (shifted < 10 ? 3 : -9));
  const int year = static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, static_cast<int>(of_day / 3600),
                static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60), static_cast<int>(nanos / 1'000'000));
  std::memcpy(out, text, kInstantOctets);
  out[kInstantOctets] = '\0';
}

}  // namespace gatelab
