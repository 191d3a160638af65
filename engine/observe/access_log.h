// SPDX-License-Identifier: Apache-2.0
// One access-log line from one record. Pure: appends to a buffer that the caller reuses. Log injection is impossible:
// controls and non-UTF-8 octets are escaped in every format.
#pragma once

#include <string>

#include "observe/record.h"

namespace gatelab::observe {

enum class LogFormat : std::uint8_t { Json, Logfmt, Combined, Pretty };

// Appends one line with its LF. Json's members, in order: time, request_id, client, listener, method, host, target,
// version, status, route, consumer, by, phase, reason, policy_id, upstream, attempts, request_bytes, response_bytes,
// duration_ms, upstream_ms, truncated (only if true), cache, variant, injected, mirrored_to, tls_version, tls_cipher, tls_sni,
// tls_resumed (only if true), tls_client, tls_client_fingerprint, tls_error, user_agent, referer. Empty texts are left out.
void append_line(std::string& out, const Record& r, LogFormat format, bool colour);

}  // namespace gatelab::observe
