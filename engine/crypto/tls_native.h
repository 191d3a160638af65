// SPDX-License-Identifier: Apache-2.0
// OpenSSL's side of a context and of an engine. Private to the room.
#pragma once

#include <string>

#include "crypto/openssl.h"
#include "crypto/tls_context.h"
#include "crypto/tls_engine.h"

namespace gatelab::crypto {

struct TlsContext::Native {
  SslContextPtr context;
  std::string alpn;  // as on the wire: length, name, length, name…
};

// What OpenSSL calls back; a friend of TlsEngine, which it finds through the SSL.
struct TlsCallbacks {
  static TlsEngine& engine_of(SSL* ssl) noexcept { return *static_cast<TlsEngine*>(SSL_get_app_data(ssl)); }
  // tls_engine.cc: the wire as a BIO, a client's new sessions
  static int write(BIO* bio, const char* data, int size) noexcept;
  static int read(BIO* bio, char* data, int size) noexcept;
  static long control(BIO* bio, int command, long number, void* pointer) noexcept;
  static int new_session(SSL* ssl, SSL_SESSION* session) noexcept;
  // tls_server.cc
  static int choose_host(SSL* ssl, int* alert, void* owner) noexcept;
  static int choose_certificate(SSL* ssl, void* owner) noexcept;
  static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned in_size, void* owner) noexcept;
  static int staple(SSL* ssl, void* owner) noexcept;
  static int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) noexcept;
  static int ticket_made(SSL* ssl, void* owner) noexcept;
  static SSL_TICKET_RETURN ticket_opened(SSL* ssl, SSL_SESSION* session, const unsigned char* name, std::size_t size, SSL_TICKET_STATUS status, void* owner) noexcept;
};
void install_server_callbacks(SSL_CTX* context, const TlsContext& owner);
// What OpenSSL said last, for people; clears it.
std::string last_error();

}  // namespace gatelab::crypto
