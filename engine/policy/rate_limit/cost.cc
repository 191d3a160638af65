// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit/cost.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace gatelab::policy {
namespace {

constexpr std::int64_t kMost = 1'000'000'000;

// The number that a field says: none if it is missing. What is no number, or stands there twice, is taken for the most, so
// that nobody saves by writing nonsense.
std::optional<std::uint64_t> number(const http::Fields& fields, const Cost& cost) noexcept {
  const http::Field* found = nullptr;
  for (const http::Field& field : fields) {
    if (!iequals(field.name, cost.header)) continue;
    if (found != nullptr) return cost.most;
    found = &field;
  }
  if (found == nullptr) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = found->value.data() + found->value.size();
  const auto [stop, wrong] = std::from_chars(found->value.data(), end, value);
  return wrong != std::errc() || stop != end ? cost.most : std::min(value, cost.most);
}

}  // namespace

std::uint64_t Cost::before(const http::Fields& request) const noexcept {
  return from == From::Request ? std::max<std::uint64_t>(1, number(request, *this).value_or(usual)) : usual;
}

std::uint64_t Cost::after(const http::Fields& answer) const noexcept { return number(answer, *this).value_or(usual); }

Cost parse_cost(const config::Node& node, diag::Sink& sink) {
  constexpr std::string_view kWhat = "`cost` of policy `rate-limit`";
  Cost out;
  if (node.kind != config::Kind::Map) {
    out.usual = out.most = static_cast<std::uint64_t>(config::as_integer(node, sink, kWhat, 1, kMost).value_or(1));
    return out;
  }
  config::Reader r(node, sink, std::string(kWhat));
  const config::Node* request = r.get("header");
  const config::Node* response = r.get("response_header");
  if (r.valid() && (request == nullptr) == (response == nullptr))
    sink.error("bad-cost", r.span(), std::string(kWhat) + " is a number, or comes from one field: of the request, or of the answer", "write cost: 5, { header: X-Batch-Size, max: 100 } or { response_header: X-Tokens-Used, max: 4000 }");
  out.from = response != nullptr ? Cost::From::Response : Cost::From::Request;
  const std::string_view key = response != nullptr ? "response_header" : "header";
  out.header = r.text(key, "");
  if (r.valid() && !out.header.empty() && !http::is_token(out.header)) sink.error("bad-header", r.span_of(key), "`" + out.header + "` is not a header name");
  if (r.valid()) r.require("max");
  out.most = static_cast<std::uint64_t>(r.integer("max", 1, 1, kMost));
  out.usual = static_cast<std::uint64_t>(r.integer("default", 1, 1, static_cast<std::int64_t>(out.most)));
  r.finish();
  return out;
}

}  // namespace gatelab::policy
