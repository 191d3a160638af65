// SPDX-License-Identifier: Apache-2.0
#include "policy/field_name.h"

#include "http/message.h"

namespace gatelab::policy {
namespace {

// Fields that frame a message or belong to one hop are the gateway's (RFC 9110 §7.6.1).
bool is_ours(http::FieldId id) noexcept {
  using http::FieldId;
  switch (id) {
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

}  // namespace

bool check_field_name(const std::string& name, const diag::Span& span, diag::Sink& sink) {
  if (!http::is_token(name)) sink.error("bad-header", span, "`" + name + "` is not a header name");
  else if (is_ours(http::field_id(name))) sink.error("bad-header", span, "`" + name + "` is set by the gateway itself and can't be edited");
  else return true;
  return false;
}

}  // namespace gatelab::policy
