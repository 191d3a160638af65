// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include <cstring>

namespace gatelab::http {
namespace {

void two(char* out, std::int64_t n) noexcept {
  out[0] = static_cast<char>('0' + n / 10 % 10);
  out[1] = static_cast<char>('0' + n % 10);
}

}  // namespace

void write_date(Instant t, char* out) noexcept {
  constexpr char kDays[] = "SunMonTueWedThuFriSat";
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::int64_t seconds = t.ns / 1'000'000'000;
  const std::int64_t days = seconds / 86'400, of_day = seconds % 86'400;
  // Civil date from days since 1970, in years that begin in March, so that the leap day is the last.
  const std::int64_t z = days + 719'468, era = z / 146'097, of_era = z - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const std::int64_t day = of_year - (153 * shifted + 2) / 5 + 1, month = shifted + (shifted < 10 ? 3 : -9);
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::memcpy(out, "XXX, 00 XXX 0000 00:00:00 GMT", kDateOctets);
  std::memcpy(out, kDays + 3 * ((days + 4) % 7), 3);
  two(out + 5, day);
  std::memcpy(out + 8, kMonths + 3 * (month - 1), 3);
  two(out + 12, year / 100);
  two(out + 14, year % 100);
  two(out + 17, of_day / 3600);
  two(out + 20, of_day / 60 % 60);
  two(out + 23, of_day % 60);
}

}  // namespace gatelab::http
