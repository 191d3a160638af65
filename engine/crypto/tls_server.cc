// SPDX-License-Identifier: Apache-2.0
// What OpenSSL asks in the middle of a server's handshake: which certificate, which protocol, which ticket key.
#include <openssl/core_names.h>

#include <cstring>

#include "base/text.h"
#include "crypto/certificate_parts.h"
#include "crypto/tls_native.h"

namespace gatelab::crypto {
namespace {

const TlsContext& context_of(void* owner) noexcept { return *static_cast<const TlsContext*>(owner); }

bool is_local(const TlsServerOptions& options, std::string_view name) noexcept {
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  for (const std::string& host : options.local_hosts) {
    if (host == name) return true;
    const std::size_t dot = name.find('.');
    if (host.starts_with("*.") && dot != std::string_view::npos && name.substr(dot) == std::string_view(host).substr(1)) return true;
  }
  return false;
}

// Sizes of tickets would tell of their content, and in a simulation they would depend on random numbers inside.
constexpr int kTicketStep = 64;

// Looked up once: OpenSSL does it anew for each ticket where only the name is given.
const EVP_CIPHER* ticket_cipher() noexcept {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

}  // namespace

int TlsCallbacks::choose_host(SSL* ssl, int* alert, void* owner) noexcept {
  TlsEngine& engine = engine_of(ssl);
  const TlsContext& context = context_of(owner);
  const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (asked == nullptr) return SSL_TLSEXT_ERR_NOACK;
  engine.facts_.sni = to_lower(asked);
  const TlsServerOptions& options = context.server_options();
  bool known = false;
  if (options.local) {
    known = is_local(options, engine.facts_.sni);
    if (known) engine.local_name_ = engine.facts_.sni;
  } else {
    const int index = context.certificate_for(engine.facts_.sni);
    known = index >= 0;
    engine.facts_.certificate = known ? index : 0;
  }
  if (known || !options.reject_unknown) return SSL_TLSEXT_ERR_OK;
  engine.failure_ = TlsFailure::UnknownName;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TlsCallbacks::choose_certificate(SSL* ssl, void* owner) noexcept {
  TlsEngine& engine = engine_of(ssl);
  const TlsServerOptions& options = context_of(owner).server_options();
  std::shared_ptr<const Identity> identity;
  if (options.local) identity = options.local->identity_for(engine.local_name_, engine.now_);
  else if (engine.facts_.certificate > 0) identity = options.certificates[static_cast<std::size_t>(engine.facts_.certificate)].identity;
  else return 1;  // the context's own
  if (!identity) return 0;
  SSL_certs_clear(ssl);
  const Identity::Parts& parts = identity->parts();
  return SSL_use_cert_and_key(ssl, parts.certificate.get(), parts.key.get(), parts.chain.get(), 1);
}

int TlsCallbacks::choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned in_size, void* owner) noexcept {
  const std::string& ours = context_of(owner).native().alpn;
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(ours.data()), static_cast<unsigned>(ours.size()), in, in_size) == OPENSSL_NPN_NEGOTIATED) {
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }
  engine_of(ssl).failure_ = TlsFailure::Protocol;
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 §3.2
}

int TlsCallbacks::staple(SSL* ssl, void* owner) noexcept {
  const TlsServerOptions& options = context_of(owner).server_options();
  const TlsEngine& engine = engine_of(ssl);
  const auto index = static_cast<std::size_t>(engine.facts_.certificate);
  // A stale one would end the handshake at clients that look; without one they ask the CA, or go on.
  if (index >= options.certificates.size() || !options.certificates[index].ocsp_staple.is_fresh(engine.now_)) return SSL_TLSEXT_ERR_NOACK;
  const std::string& der = options.certificates[index].ocsp_staple.der;
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(der.data(), der.size()));  // OpenSSL frees it
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(der.size()));
  return SSL_TLSEXT_ERR_OK;
}

// 1: sealed or opened; 2: opened, and worth a new one; 0: not ours, or too old; -1: broken.
int TlsCallbacks::ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) noexcept {
  TlsEngine& engine = engine_of(ssl);
  TicketKeys& keys = *engine.context_->server_options().tickets;
  TicketKey key;
  bool stale = false;
  if (seal == 1) {
    key = keys.current(engine.now_);
    std::memcpy(name, key.name.data(), key.name.size());
    secret_octets(iv, 16);
  } else {
    const auto found = keys.find(name, engine.now_, stale);
    if (!found) return 0;
    key = *found;
  }
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
                             OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  const int ready = EVP_CipherInit_ex(cipher, ticket_cipher(), nullptr, key.cipher.data(), iv, seal);
  if (ready != 1 || EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  return stale ? 2 : 1;
}

int TlsCallbacks::ticket_made(SSL* ssl, void*) noexcept {
  SSL_SESSION* session = SSL_get_session(ssl);
  SSL_SESSION_set1_ticket_appdata(session, nullptr, 0);
  const int size = i2d_SSL_SESSION(session, nullptr);
  static const char zeros[kTicketStep] = {};
  return SSL_SESSION_set1_ticket_appdata(session, zeros, static_cast<std::size_t>(kTicketStep - size % kTicketStep));
}

// A session remembers its client's certificate, and that it was good then; it has to be valid now too.
SSL_TICKET_RETURN TlsCallbacks::ticket_opened(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t, SSL_TICKET_STATUS status, void*) noexcept {
  if (status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW) {
    X509* shown = SSL_SESSION_get0_peer(session);
    if (shown != nullptr && facts_of(shown).not_after < engine_of(ssl).now_) return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  switch (status) {
    // In TLS 1.3 a client uses a ticket once (RFC 8446 §C.4) and needs another.
    case SSL_TICKET_SUCCESS: return SSL_version(ssl) == TLS1_3_VERSION ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
    case SSL_TICKET_SUCCESS_RENEW: return SSL_TICKET_RETURN_USE_RENEW;
    default: return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
}

void install_server_callbacks(SSL_CTX* context, const TlsContext& owner) {
  // OpenSSL's interface knows no const; nothing is changed through it.
  void* argument = const_cast<TlsContext*>(&owner);
  SSL_CTX_set_tlsext_servername_callback(context, &TlsCallbacks::choose_host);
  SSL_CTX_set_tlsext_servername_arg(context, argument);
  SSL_CTX_set_cert_cb(context, &TlsCallbacks::choose_certificate, argument);
  SSL_CTX_set_alpn_select_cb(context, &TlsCallbacks::choose_protocol, argument);
  SSL_CTX_set_tlsext_status_cb(context, &TlsCallbacks::staple);
  SSL_CTX_set_tlsext_status_arg(context, argument);
  if (!owner.server_options().tickets) return;
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TlsCallbacks::ticket_key);
  SSL_CTX_set_session_ticket_cb(context, &TlsCallbacks::ticket_made, &TlsCallbacks::ticket_opened, nullptr);
}

}  // namespace gatelab::crypto
