// SPDX-License-Identifier: Apache-2.0
#include "policy/field_name.h"

#include "http/chars.h"
#include "http/hop.h"

namespace gatelab::policy {
bool check_field_name(const std::string& name, const diag::Span& span, diag::Sink& sink) {
  if (!http::is_token(name)) sink.error("bad-header", span, "`" + name + "` is not a header name");
  else if (http::is_gateways_own(name)) sink.error("bad-header", span, "`" + name + "` is set by the gateway itself and can't be edited");
  else return true;
  return false;
}

}  // namespace gatelab::policy
