// SPDX-License-Identifier: Apache-2.0
#include "http/hop.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/text.h"
#include "http/forwarded.h"

namespace gatelab::http {
namespace {

// Never removed because a Connection field lists it: its absence would change the message or unbind it from its way here.
bool is_protected(FieldId id) noexcept {
  switch (id) {
    case FieldId::Host:
    case FieldId::ContentLength:
    case FieldId::TransferEncoding:
    case FieldId::Connection:
    case FieldId::Via:
    case FieldId::MaxForwards:
      return true;
    default:
      return false;
  }
}

// Of one hop by themselves: looked at by the engine, and left out when a message is written.
bool is_of_one_hop(FieldId id) noexcept {
  switch (id) {
    case FieldId::Connection:
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
    case FieldId::Te:
      return true;
    default:
      return false;
  }
}

template <class Unwanted>
void drop(Fields& fields, Unwanted unwanted) noexcept {
  // Two passes: `unwanted` may look at all fields, which therefore must not move meanwhile.
  for (Field& f : fields)
    if (unwanted(f)) f.name = {};
  const Field* end = std::remove_if(fields.begin(), fields.end(), [](const Field& f) { return f.name.empty(); });
  fields.truncate(static_cast<std::size_t>(end - fields.begin()));
}

// True if a Connection field lists the name of a field that is there.
bool lists_something(const Fields& fields) noexcept {
  for (const Field& f : fields) {
    if (f.id != FieldId::Connection || f.value == "keep-alive" || f.value == "close") continue;
    std::string_view rest = f.value, option;
    while (next_list_element(rest, option)) {
      const FieldId id = field_id(option);
      if (is_protected(id) || is_of_one_hop(id) || iequals(option, "close")) continue;
      if (fields.find(option) != nullptr) return true;
    }
  }
  return false;
}

void drop_listed(Fields& fields) noexcept {
  if (!lists_something(fields)) return;
  drop(fields, [&fields](const Field& f) { return !is_protected(f.id) && !is_of_one_hop(f.id) && fields.lists(FieldId::Connection, f.name); });
}

char dashed(char c) noexcept { return c == '_' ? '-' : ascii_lower(c); }

std::string with_dashes(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), dashed);
  return out;
}

// Fields that the gateway writes into every request, or reads for itself.
bool reads_like_ours(std::string_view name) noexcept {
  for (const std::string_view ours : {"Host", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Upgrade", "Expect", "Via", "Forwarded", "X-Forwarded-For",
                                      "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Request-Id", "Proxy-Authorization", "Proxy-Connection", "Keep-Alive", "Max-Forwards"})
    if (reads_like(name, ours)) return true;
  return false;
}

Rule underscores(RequestHead& head, UnderscoreFields option) noexcept {
  const auto has = [](const Field& f) { return f.name.find('_') != std::string_view::npos; };
  if (std::none_of(head.fields.begin(), head.fields.end(), has)) return Rule::Ok;
  if (option == UnderscoreFields::Reject) return Rule::UnderscoreField;
  head.has_underscores = option == UnderscoreFields::Keep;
  drop(head.fields, [&](const Field& f) { return has(f) && (option == UnderscoreFields::Drop || reads_like_ours(f.name)); });
  return Rule::Ok;
}

// RFC 9110 §7.6.2. Other methods' are let alone.
Rule count_down(RequestHead& head) noexcept {
  Field* found = nullptr;
  for (Field& f : head.fields) {
    if (f.id != FieldId::MaxForwards) continue;
    if (found != nullptr) return Rule::BadMaxForwards;
    found = &f;
  }
  if (found == nullptr) return Rule::Ok;
  std::uint64_t left = 0;
  if (found->value.size() > 18 || !parse_decimal(found->value, left)) return Rule::BadMaxForwards;
  head.last_hop = left == 0;
  if (left == 0) return Rule::Ok;
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, left - 1).ptr;
  found->value = head.fields.arena().copy({digits, static_cast<std::size_t>(end - digits)});
  return Rule::Ok;
}

}  // namespace

Rule end_hop(RequestHead& head, const HopOptions& options) noexcept {
  if (head.method == Method::Connect) return Rule::ConnectNotSupported;
  if (const Rule rule = underscores(head, options.underscore_fields); rule != Rule::Ok) return rule;
  if (head.fields.find(FieldId::Connection) != nullptr) drop_listed(head.fields);
  if (head.method == Method::Trace) {
    if (!options.forward_trace) return Rule::TraceNotSupported;
    if (head.body.kind != Framing::None) return Rule::TraceWithBody;
  }
  return head.method == Method::Options || head.method == Method::Trace ? count_down(head) : Rule::Ok;
}

bool reads_like(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return dashed(x) == dashed(y); });
}

bool is_for_gateway(const RequestHead& head) noexcept { return head.form == TargetForm::Asterisk || head.last_hop; }

bool reads_like_another(const Fields& fields, std::string_view name) noexcept {
  if (name.find('_') == std::string_view::npos) return false;
  return std::any_of(fields.begin(), fields.end(), [name](const Field& f) { return !iequals(f.name, name) && reads_like(f.name, name); });
}

bool is_gateways_own(std::string_view name) noexcept {
  switch (field_id(with_dashes(name))) {
    case FieldId::Connection:
    case FieldId::ContentLength:
    case FieldId::TransferEncoding:
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::Upgrade:
    case FieldId::Te:
    case FieldId::Trailer:
    case FieldId::Host:
    case FieldId::Expect:
    case FieldId::Via:
    case FieldId::XRequestId:
      return true;
    default:
      return false;
  }
}

bool has_a_meaning(std::string_view name) noexcept {
  const std::string plain = with_dashes(name);
  if (field_id(plain) != FieldId::Other || is_forwarding_field(plain)) return true;
  // Fields that have no id, as nobody looks at them often. Those of one family begin alike.
  constexpr std::array<std::string_view, 9> kNames{"client-cert", "client-cert-chain", "early-data", "priority", "range", "signature", "signature-input", "traceparent", "tracestate"};
  constexpr std::array<std::string_view, 7> kFamilies{"accept-", "access-control-", "content-", "if-", "proxy-", "sec-", "x-forwarded-"};
  return std::find(kNames.begin(), kNames.end(), plain) != kNames.end() ||
         std::any_of(kFamilies.begin(), kFamilies.end(), [&plain](std::string_view family) { return plain.starts_with(family); });
}

void strip_hop_by_hop(Fields& fields) noexcept {
  if (fields.find(FieldId::Connection) != nullptr) drop_listed(fields);
  Field* kept = fields.begin();
  for (const Field& f : fields)
    if (f.id != FieldId::ContentLength && (f.id == FieldId::Te || !is_of_one_hop(f.id))) *kept++ = f;
  fields.truncate(static_cast<std::size_t>(kept - fields.begin()));
}

}  // namespace gatelab::http
