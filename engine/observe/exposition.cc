// SPDX-License-Identifier: Apache-2.0
// Metrics as text: Prometheus' exposition format 0.0.4, and OpenMetrics 1.0.0, where counters' families are called without _total,
// bounds are floating-point numbers, exemplars stand behind buckets, and the end is marked.
#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.h"
#include "observe/metrics.h"

namespace gatelab::observe {
namespace {

constexpr std::string_view kOpenMetrics = "application/openmetrics-text";

std::string number(double value) {
  char digits[40];
  if (value == static_cast<double>(static_cast<std::int64_t>(value)))
    return {digits, std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value)).ptr};
  const auto format = value < 1e-9 || value > 1e15 ? std::chars_format::general : std::chars_format::fixed;
  return {digits, std::to_chars(digits, digits + sizeof digits, value, format).ptr};
}

// Of a bucket's labels: without the two octets that sort them (metrics.cc), the bound written as `form` has it.
std::string shown_labels(std::string labels, Exposition form) {
  const std::size_t rank = labels.find('\x01');
  if (rank == std::string::npos) return labels;
  labels.erase(rank, 2);
  const bool whole = labels.find_first_of(".+", rank) == std::string::npos;
  if (form == Exposition::OpenMetrics && whole) labels.insert(labels.size() - 1, ".0");  // before the closing quote
  return labels;
}

std::string escaped_help(std::string_view help, Exposition form) {
  std::string out;
  for (const char c : help) {
    if (c == '\\' || (c == '"' && form == Exposition::OpenMetrics)) out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

std::string shown_exemplar(const Exemplar& exemplar) {
  return " # {trace_id=\"" + exemplar.trace_id + "\"} " + number(exemplar.value) + " " + number(static_cast<double>(exemplar.at.ns / 1'000'000) / 1e3);
}

// Of one element of Accept: its weight in thousandths; the version that it asks for.
struct Wanted {
  std::string_view type, version;
  int weight = 1000;
};

// qvalue (RFC 9110 §12.4.2); what is none is 0.
int weight_of(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.')) return 0;
  int value = (text[0] - '0') * 1000, scale = 100;
  for (std::size_t i = 2; i < text.size(); ++i, scale /= 10) {
    if (text[i] < '0' || text[i] > '9') return 0;
    value += (text[i] - '0') * scale;
  }
  return value > 1000 ? 0 : value;
}

Wanted read_element(std::string_view element) noexcept {
  Wanted out;
  bool first = true;
  while (!element.empty() || first) {
    const std::size_t end = element.find(';');
    const std::string_view part = trim_ows(element.substr(0, end));
    element = end == std::string_view::npos ? std::string_view() : element.substr(end + 1);
    if (first) out.type = part;
    else if (part.size() > 2 && iequals(part.substr(0, 2), "q=")) out.weight = weight_of(part.substr(2));
    else if (part.size() > 8 && iequals(part.substr(0, 8), "version=")) out.version = part.substr(8);
    first = false;
  }
  if (out.version.size() > 1 && out.version.front() == '"') out.version = out.version.substr(1, out.version.size() - 2);
  return out;
}

}  // namespace

Exposition choose_exposition(std::string_view accept) noexcept {
  int open = 0, text = 0;
  std::string_view element;
  while (next_list_element(accept, element)) {
    const Wanted wanted = read_element(element);
    if (iequals(wanted.type, kOpenMetrics) && (wanted.version.empty() || wanted.version == "1.0.0" || wanted.version == "0.0.1")) open = std::max(open, wanted.weight);
    else if (iequals(wanted.type, "text/plain")) text = std::max(text, wanted.weight);
  }
  return open > 0 && open >= text ? Exposition::OpenMetrics : Exposition::Prometheus;
}

std::string_view content_type(Exposition form) noexcept {
  return form == Exposition::OpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
}

std::string MetricsText::text(Exposition form) const {
  const bool open = form == Exposition::OpenMetrics;
  std::string out;
  for (const auto& [name, family] : families_) {
    if (family.series.empty()) continue;
    const std::string called = open && family.type == "counter" ? name.substr(0, name.size() - 6) : name;
    out += "# HELP " + called + " " + escaped_help(family.help, form) + "\n# TYPE " + called + " " + family.type + "\n";
    for (const auto& [key, value] : family.series) {
      // A histogram's keys begin with their suffix.
      const std::size_t space = key.starts_with("_") ? key.find(' ') : std::string::npos;
      const std::string labels = shown_labels(space == std::string::npos ? key : key.substr(space + 1), form);
      out += name + (space == std::string::npos ? "" : key.substr(0, space)) + (labels.empty() ? "" : "{" + labels + "}") + " " + number(value);
      const auto exemplar = open ? family.exemplars.find(key) : family.exemplars.end();
      if (exemplar != family.exemplars.end() && !exemplar->second.trace_id.empty()) out += shown_exemplar(exemplar->second);
      out += '\n';
    }
  }
  return open ? out + "# EOF\n" : out;
}

}  // namespace gatelab::observe
