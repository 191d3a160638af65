// SPDX-License-Identifier: Apache-2.0
#include "cli/top_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace gatelab::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameWidth = 28;

std::string bytes(double n) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; n >= 1024 && unit + 1 < std::size(kUnits); ++unit) n /= 1024;
  return unit == 0 ? fmt::format("{:.0f}{}", n, kUnits[unit]) : fmt::format("{:.1f}{}", n, kUnits[unit]);
}

std::string latency(double ms) {
  if (ms == 0) return "-";
  if (ms < 10) return fmt::format("{:.2f}ms", ms);
  return ms < 1000 ? fmt::format("{:.0f}ms", ms) : fmt::format("{:.1f}s", ms / 1000);
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return "-";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return percent < 0.1 ? "<0.1%" : fmt::format("{:.1f}%", percent);
}

// A token may say any octets: none of them must reach a terminal as a command. Cut at whole characters.
std::string plain(const std::string& name) {
  std::string out;
  append_json_escaped(out, name);
  std::size_t shown = 0, at = 0;
  while (at < out.size() && shown < kNameWidth) {
    ++at, ++shown;
    while (at < out.size() && (static_cast<unsigned char>(out[at]) & 0xc0) == 0x80) ++at;
  }
  if (at < out.size()) out = out.substr(0, at) + "…";
  return out + std::string(kNameWidth + 1 - shown - (at < out.size() ? 1 : 0), ' ');
}

std::uint64_t number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

TopRow row_of(const Json& one) {
  TopRow row;
  row.name = text(one, "name");
  row.consumer_class = text(one, "class");
  row.last = text(one, "last");
  row.requests = number(one, "requests");
  if (const auto errors = one.find("errors"); errors != one.end() && errors->is_object()) {
    row.client_errors = number(*errors, "client");
    row.server_errors = number(*errors, "server") + number(*errors, "unanswered");
  }
  row.limited = number(one, "limited");
  row.request_octets = number(one, "request_bytes");
  row.response_octets = number(one, "response_bytes");
  if (const auto buckets = one.find("buckets_us"); buckets != one.end() && buckets->is_array())
    for (const Json& pair : *buckets)
      if (pair.is_array() && pair.size() == 2 && pair[0].is_number_integer() && pair[1].is_number_unsigned()) row.latency[pair[0].get<std::int64_t>()] += pair[1].get<std::uint64_t>();
  return row;
}

std::uint64_t more(std::uint64_t now, std::uint64_t before) noexcept { return now >= before ? now - before : now; }

}  // namespace

double TopRow::quantile_ms(double q) const noexcept {
  std::uint64_t all = 0, below = 0;
  for (const auto& [us, n] : latency) all += n;
  if (all == 0) return 0;
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(all))));
  for (const auto& [us, n] : latency)
    if ((below += n) >= rank) return static_cast<double>(us) / 1000;
  return 0;
}

Result<TopLook> read_look(const std::string& json) {
  const Json whole = Json::parse(json, nullptr, false);
  if (!whole.is_object() || !whole.contains("consumers") || !whole["consumers"].is_array()) return fail("bad-answer", "what answers there is no gatelab, or one that has no /consumers");
  TopLook out;
  out.left_out = number(whole, "left_out");
  for (const Json& one : whole["consumers"])
    if (one.is_object()) out.rows.push_back(row_of(one));
  return out;
}

std::vector<TopRow> between(const TopLook& before, const TopLook& now) {
  std::map<std::string, const TopRow*> known;
  for (const TopRow& row : before.rows) known[row.name] = &row;
  std::vector<TopRow> out;
  for (TopRow row : now.rows) {
    const auto old = known.find(row.name);
    if (old != known.end() && old->second->requests <= row.requests) {
      const TopRow& from = *old->second;
      row.requests -= from.requests;
      row.client_errors = more(row.client_errors, from.client_errors);
      row.server_errors = more(row.server_errors, from.server_errors);
      row.limited = more(row.limited, from.limited);
      row.request_octets = more(row.request_octets, from.request_octets);
      row.response_octets = more(row.response_octets, from.response_octets);
      for (const auto& [us, n] : from.latency) {
        const auto at = row.latency.find(us);
        if (at != row.latency.end()) at->second = more(at->second, n);
      }
    }
    if (row.requests > 0) out.push_back(std::move(row));
  }
  return out;
}

void sort_rows(std::vector<TopRow>& rows, const std::string& by) {
  const auto key = [&by](const TopRow& row) -> double {
    if (by == "errors") return static_cast<double>(row.client_errors + row.server_errors);
    if (by == "bytes") return static_cast<double>(row.request_octets + row.response_octets);
    if (by == "p50") return row.quantile_ms(0.5);
    if (by == "p90") return row.quantile_ms(0.9);
    if (by == "p99") return row.quantile_ms(0.99);
    return static_cast<double>(row.requests);
  };
  std::sort(rows.begin(), rows.end(), [](const TopRow& a, const TopRow& b) { return a.name < b.name; });
  if (by == "name") return;
  if (by == "last") return std::stable_sort(rows.begin(), rows.end(), [](const TopRow& a, const TopRow& b) { return a.last > b.last; });
  std::stable_sort(rows.begin(), rows.end(), [&key](const TopRow& a, const TopRow& b) { return key(a) > key(b); });
}

std::string table_of(const std::vector<TopRow>& rows, const TopTable& form) {
  const bool rates = form.over > Duration{};
  const double seconds = static_cast<double>(form.over.count()) / 1e9;
  std::string out = fmt::format("{:<{}} {:<14} {:>9} {:>7} {:>7} {:>7} {:>8} {:>8} {:>8} {:>10} {:>10}\n", "CONSUMER", kNameWidth + 1, "CLASS", rates ? "REQ/S" : "REQUESTS", "4XX", "5XX", "429", "P50", "P90", "P99", rates ? "IN/S" : "IN", rates ? "OUT/S" : "OUT");
  if (form.bold) out = "\x1b[1m" + out.substr(0, out.size() - 1) + "\x1b[0m\n";
  const auto octets = [rates, seconds](std::uint64_t n) { return bytes(rates ? static_cast<double>(n) / seconds : static_cast<double>(n)); };
  for (std::size_t i = 0; i < std::min(rows.size(), form.most); ++i) {
    const TopRow& row = rows[i];
    std::string shown_class;
    append_json_escaped(shown_class, row.consumer_class);
    out += fmt::format("{} {:<14.14} {:>9} {:>7} {:>7} {:>7} {:>8} {:>8} {:>8} {:>10} {:>10}\n", plain(row.name), shown_class,
                       rates ? fmt::format("{:.1f}", static_cast<double>(row.requests) / seconds) : std::to_string(row.requests), share(row.client_errors, row.requests), share(row.server_errors, row.requests),
                       share(row.limited, row.requests), latency(row.quantile_ms(0.5)), latency(row.quantile_ms(0.9)), latency(row.quantile_ms(0.99)), octets(row.request_octets), octets(row.response_octets));
  }
  if (rows.empty()) out += rates ? "nobody has asked for anything meanwhile\n" : "nobody has asked for anything yet\n";
  else if (rows.size() > form.most) out += fmt::format("and {} more\n", rows.size() - form.most);
  return out;
}

std::string json_of(const std::vector<TopRow>& rows, const TopTable& form, const std::string& time) {
  Json out{{"time", time}, {"over_ms", form.over.count() / 1'000'000}, {"consumers", Json::array()}};
  for (std::size_t i = 0; i < std::min(rows.size(), form.most); ++i) {
    const TopRow& row = rows[i];
    out["consumers"].push_back({{"name", row.name},
                                {"class", row.consumer_class},
                                {"requests", row.requests},
                                {"client_errors", row.client_errors},
                                {"server_errors", row.server_errors},
                                {"limited", row.limited},
                                {"request_bytes", row.request_octets},
                                {"response_bytes", row.response_octets},
                                {"p50_ms", row.quantile_ms(0.5)},
                                {"p90_ms", row.quantile_ms(0.9)},
                                {"p99_ms", row.quantile_ms(0.99)},
                                {"last", row.last}});
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gatelab::cli
