// SPDX-License-Identifier: Apache-2.0
// Phase Handshake: from a connection that was accepted to one that carries plaintext. Runs on the connection's worker.
#pragma once

#include "proxy/services.h"

namespace gatelab::proxy {

// The transport to speak HTTP over, or null: then the client was told, the failure was recorded and everything is closed.
// Without TLS it is the one that came in. `client`: for the record, who is there by the PROXY header. `token` ends what is under way.
io::Task<io::TransportPtr> handshake(Services& services, const ListenerSettings& settings, const Address& client, io::TransportPtr transport, io::CancelToken& token);

// The word for a failure of the client's side.
const observe::Reason& client_reason(crypto::TlsFailure failure) noexcept;
// What a connection's TLS is, for its records. Null: nothing.
observe::TlsNote note_of(const crypto::TlsFacts* facts) noexcept;

}  // namespace gatelab::proxy
