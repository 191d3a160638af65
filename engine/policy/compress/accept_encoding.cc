// SPDX-License-Identifier: Apache-2.0
#include "policy/compress/accept_encoding.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace gatelab::policy {
namespace {

constexpr int kUnsaid = -1;

// In thousandths; kUnsaid: this is no weight (RFC 9110 §12.4.2).
int parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.')) return kUnsaid;
  int value = (text[0] - '0') * 1000, unit = 100;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return kUnsaid;
    value += (text[i] - '0') * unit;
  }
  return value <= 1000 ? value : kUnsaid;
}

struct Wishes {
  std::array<int, coding::kCodings> codings;
  int identity = kUnsaid, others = kUnsaid;  // `*`
  bool any = false;

  Wishes() noexcept { codings.fill(kUnsaid); }

  // gzip;q=0.5
  void add(std::string_view element) noexcept {
    const std::size_t semicolon = element.find(';');
    const std::string_view token = trim_ows(element.substr(0, semicolon));
    int weight = 1000;
    if (semicolon != std::string_view::npos) {
      const std::string_view parameter = trim_ows(element.substr(semicolon + 1));
      if (parameter.size() < 2 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') return;
      weight = parse_weight(parameter.substr(2));
      if (weight == kUnsaid) return;
    }
    if (token == "*") others = weight;
    else if (iequals(token, "identity")) identity = weight;
    else if (const auto known = coding::parse(token)) {
      int& wish = codings[static_cast<std::size_t>(*known)];
      wish = std::max(wish, weight);  // gzip and x-gzip are one
    }
  }
};

}  // namespace

Accepted accept_encoding(const http::Fields& fields, std::span<const coding::Coding> offered) noexcept {
  Wishes wishes;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::Other || !iequals(field.name, "Accept-Encoding")) continue;
    wishes.any = true;
    std::string_view rest = field.value, element;
    while (next_list_element(rest, element)) wishes.add(element);
  }
  Accepted out;
  if (!wishes.any) return out;
  out.refuses_identity = wishes.identity == 0 || (wishes.identity == kUnsaid && wishes.others == 0);
  // Identity is liked least unless something is said of it.
  int best = std::max(wishes.identity, 1) - 1;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const int said = wishes.codings[static_cast<std::size_t>(offered[i])];
    const int weight = said == kUnsaid ? wishes.others : said;
    if (weight <= best) continue;
    best = weight;
    out.coding = static_cast<int>(i);
  }
  return out;
}

}  // namespace gatelab::policy
