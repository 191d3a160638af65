// SPDX-License-Identifier: Apache-2.0
// The fields of HTTP message signatures: the input is a Signature-Input, a Signature or a Content-Digest. Whatever comes: what
// is read is within its bounds, and written again it is read as the same; a signature base has a line for each component and
// ends with the parameters; what was put together of two lines is what one line would have been.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/parser.h"
#include "http/signature_base.h"

using namespace gatelab;
namespace sf = http::structured;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kRequest =
    "POST /foo/../b%2Fc?param=Value&Pet=dog&a=%7e+x HTTP/1.1\r\nHost: Example.com:80\r\nDate: Tue, 20 Apr 2021 02:07:55 GMT\r\n"
    "Content-Type: application/json\r\nX-Two: a\r\nX-Two:  b \r\nX-Empty:\r\nContent-Length: 18\r\n\r\n";

std::string written(const sf::Dictionary& dictionary, Arena& arena) {
  std::string out;
  for (const sf::Member& one : dictionary.members) {
    ArenaText text(arena, 8);
    sf::write(text, one);
    out.append(out.empty() ? "" : ", ").append(one.name).append("=").append(text.view());
  }
  return out;
}

void same(const sf::Value& a, const sf::Value& b) {
  check(a.kind == b.kind && a.boolean == b.boolean && a.number == b.number && a.text == b.text);
  if (a.kind == sf::Kind::Integer || a.kind == sf::Kind::Decimal) check(a.number <= 999'999'999'999'999 && a.number >= -999'999'999'999'999);
  if (a.kind == sf::Kind::String)
    for (const char c : a.text) check(c >= 0x20 && c <= 0x7e);
}

void same(std::span<const sf::Parameter> a, std::span<const sf::Parameter> b) {
  check(a.size() == b.size() && a.size() <= sf::kMaxParameters);
  for (std::size_t i = 0; i < a.size(); ++i) {
    check(a[i].name == b[i].name);
    same(a[i].value, b[i].value);
    check(sf::find(a, a[i].name) == &a[i].value);
  }
}

void same(const sf::Dictionary& a, const sf::Dictionary& b) {
  check(a.members.size() == b.members.size() && a.members.size() <= sf::kMaxMembers);
  for (std::size_t i = 0; i < a.members.size(); ++i) {
    const sf::Member &one = a.members[i], &other = b.members[i];
    check(one.name == other.name && one.is_list == other.is_list && one.items.size() == other.items.size() && one.items.size() <= sf::kMaxItems);
    check(a.find(one.name) == &one);
    same(one.item.value, other.item.value);
    same(one.item.parameters, other.item.parameters);
    for (std::size_t k = 0; k < one.items.size(); ++k) {
      same(one.items[k].value, other.items[k].value);
      same(one.items[k].parameters, other.items[k].parameters);
    }
  }
}

void sign(const sf::Member& member, Arena& arena) {
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  check(parser.parse(kRequest) == http::ParseState::Done);
  const http::SignatureBase base = http::signature_base(head, "http", member, arena);
  if (base.fault != http::SignatureBase::Fault::None) return check(base.text.empty());
  std::size_t lines = 1;
  for (const char c : base.text) lines += c == '\n' ? 1 : 0;
  check(lines == member.items.size() + 1);
  ArenaText last(arena, 8);
  last.add("\"@signature-params\": ");
  sf::write(last, member);
  check(base.text.ends_with(last.view()) && base.text.back() != '\n');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Arena arena;
  const auto parsed = sf::parse_dictionary(text, arena);
  if (!parsed) {
    check(!parsed.error().detail.empty() && parsed.error().at <= std::max(size, sf::kMaxText));
    return 0;
  }
  const std::string once = written(*parsed, arena);
  if (once.size() <= sf::kMaxText) {
    const auto again = sf::parse_dictionary(once, arena);
    check(static_cast<bool>(again));
    same(*parsed, *again);
    check(written(*again, arena) == once);
  }
  for (const sf::Member& one : parsed->members) sign(one, arena);
  // A comma at the top parts lines as well as members.
  http::Fields fields(arena);
  for (const sf::Member& one : parsed->members) {
    ArenaText line(arena, 8);
    line.add(one.name).add("=");
    sf::write(line, one);
    fields.add("Signature-Input", line.view());
  }
  bool found = false;
  const std::string_view joined = http::combined_field(fields, "signature-input", arena, found);
  check(found == !parsed->members.empty() && joined == once);
  return 0;
}
