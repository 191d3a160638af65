// SPDX-License-Identifier: Apache-2.0
// The local CA of this user: made once, kept in a directory that is nobody else's business. Any thread, and several
// processes at once.
#pragma once

#include <memory>
#include <string>

#include "crypto/local_authority.h"

namespace gatelab::cli {

// The system's time; for commands that have no clock of their own.
Instant system_time();
// Reads it, or makes it: the directory 0700, the file with certificate and key 0600, and beside it the certificate alone
// (local_ca_certificate()), for trust stores.
Result<std::shared_ptr<crypto::LocalAuthority>> open_local_authority(Instant now);
std::string local_ca_certificate();

}  // namespace gatelab::cli
