// SPDX-License-Identifier: Apache-2.0
// Says who calls by the client certificate of the TLS connection, which the listener has verified (docs/tls.md): subject,
// subjectAltName, SPIFFE id or fingerprint of a consumer's `certificates`.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_mtls(const config::Node& node, Context& context);

}  // namespace gatelab::policy
