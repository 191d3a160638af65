// SPDX-License-Identifier: Apache-2.0
#include "http/websocket.h"

#include "base/text.h"

namespace gatelab::http::websocket {
namespace {

// The one field of that name; null if there is none or if there are several.
const Field* only(const Fields& fields, std::string_view name) noexcept {
  const Field* found = nullptr;
  for (const Field& f : fields) {
    if (!iequals(f.name, name)) continue;
    if (found != nullptr) return nullptr;
    found = &f;
  }
  return found;
}

bool is_base64(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

// 16 octets are 22 digits and two signs of padding. The last digit's four low bits carry nothing and must be zero:
// otherwise two keys would mean the same octets.
bool is_key(std::string_view text) noexcept {
  if (text.size() != 24 || !text.ends_with("==")) return false;
  for (const char c : text.substr(0, 22))
    if (!is_base64(c)) return false;
  return std::string_view("AQgw").find(text[21]) != std::string_view::npos;
}

// True if some field of that name lists `element`, up to its parameters, exactly.
bool offers(const Fields& fields, std::string_view name, std::string_view element) noexcept {
  for (const Field& f : fields) {
    if (!iequals(f.name, name)) continue;
    std::string_view rest = f.value, one;
    while (next_list_element(rest, one))
      if (trim_ows(one.substr(0, one.find(';'))) == element) return true;
  }
  return false;
}

bool lists_tokens(const Fields& fields, std::string_view name) noexcept {
  for (const Field& f : fields) {
    if (!iequals(f.name, name)) continue;
    std::string_view rest = f.value, one;
    bool any = false;
    while (next_list_element(rest, one)) {
      if (!is_token(one)) return false;
      any = true;
    }
    if (!any) return false;
  }
  return true;
}

constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions", kProtocol = "Sec-WebSocket-Protocol";

}  // namespace

Ask asked(const RequestHead& request) noexcept {
  const Fields& fields = request.fields;
  if (fields.find(FieldId::Upgrade) == nullptr || request.version != Version::Http11) return Ask::None;
  if (!fields.lists(FieldId::Upgrade, "websocket")) return Ask::None;
  if (request.method != Method::Get) return Ask::NotGet;
  if (request.body.kind != Framing::None && !(request.body.kind == Framing::Length && request.body.length == 0)) return Ask::HasBody;
  if (!fields.lists(FieldId::Connection, "upgrade")) return Ask::NoConnectionUpgrade;
  const Field* version = only(fields, "Sec-WebSocket-Version");
  if (version == nullptr) return fields.find("Sec-WebSocket-Version") == nullptr ? Ask::NoVersion : Ask::OtherVersion;
  if (version->value != "13") return Ask::OtherVersion;
  if (!is_key(key_of(request))) return Ask::BadKey;
  return lists_tokens(fields, kProtocol) ? Ask::Valid : Ask::BadProtocol;
}

std::string_view describe(Ask ask) noexcept {
  switch (ask) {
    case Ask::None:
    case Ask::Valid: return {};
    case Ask::NotGet: return "a WebSocket is asked for with GET (RFC 6455 4.2.1)";
    case Ask::HasBody: return "the request of a WebSocket has no body";
    case Ask::NoConnectionUpgrade: return "Upgrade: websocket without Connection: Upgrade (RFC 9110 7.8)";
    case Ask::BadKey: return "Sec-WebSocket-Key must be given once: 16 octets in base64 (RFC 6455 4.2.1)";
    case Ask::NoVersion: return "Sec-WebSocket-Version is missing (RFC 6455 4.2.1)";
    case Ask::OtherVersion: return "only version 13 of WebSocket is known (RFC 6455 4.4)";
    case Ask::BadProtocol: return "Sec-WebSocket-Protocol is not a list of tokens (RFC 6455 4.1)";
  }
  return {};
}

std::string_view key_of(const RequestHead& request) noexcept {
  const Field* key = only(request.fields, "Sec-WebSocket-Key");
  return key == nullptr ? std::string_view() : key->value;
}

bool accepts(const RequestHead& request, const ResponseHead& answer, std::string_view accept) noexcept {
  const Fields& fields = answer.fields;
  if (answer.status != 101 || answer.version != Version::Http11) return false;
  const Field* upgrade = only(fields, "Upgrade");
  if (upgrade == nullptr || !iequals(upgrade->value, "websocket") || !fields.lists(FieldId::Connection, "upgrade")) return false;
  const Field* given = only(fields, "Sec-WebSocket-Accept");
  if (given == nullptr || given->value != accept) return false;
  if (fields.find(kProtocol) != nullptr) {
    const Field* protocol = only(fields, kProtocol);
    if (protocol == nullptr || !is_token(protocol->value) || !offers(request.fields, kProtocol, protocol->value)) return false;
  }
  for (const Field& f : fields) {
    if (!iequals(f.name, kExtensions)) continue;
    std::string_view rest = f.value, extension;
    while (next_list_element(rest, extension))
      if (!offers(request.fields, kExtensions, trim_ows(extension.substr(0, extension.find(';'))))) return false;
  }
  return true;
}

}  // namespace gatelab::http::websocket
