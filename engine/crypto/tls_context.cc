// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_context.h"

#include <openssl/err.h>

#include "base/text.h"
#include "crypto/certificate_parts.h"
#include "crypto/digest.h"
#include "crypto/tls_native.h"

namespace gatelab::crypto {
namespace {

constexpr const char* kCiphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
    "DHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";

int native(TlsVersion version) noexcept { return version == TlsVersion::V12 ? TLS1_2_VERSION : TLS1_3_VERSION; }

std::string wire_alpn(const std::vector<std::string>& protocols) {
  std::string out;
  for (const std::string& name : protocols) out.append(1, static_cast<char>(name.size())).append(name);
  return out;
}

// What both sides share. The system's openssl.cnf has no say in it: the same file means the same TLS everywhere.
bool set_common(SSL_CTX* context, TlsVersion min, TlsVersion max) {
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_clear_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections hold no record buffer; what a write has taken is never asked for again.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One read takes a record's header and body together; at most one record's worth is read ahead.
  SSL_CTX_set_read_ahead(context, 1);
  return SSL_CTX_set_min_proto_version(context, native(min)) == 1 && SSL_CTX_set_max_proto_version(context, native(max)) == 1 &&
         SSL_CTX_set_ciphersuites(context, kCiphers13) == 1 && SSL_CTX_set_cipher_list(context, kCiphers12) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1;
}

bool use(SSL_CTX* context, const Identity& identity) {
  const Identity::Parts& parts = identity.parts();
  return SSL_CTX_use_cert_and_key(context, parts.certificate.get(), parts.key.get(), parts.chain.get(), 1) == 1;
}

void ask_for_certificates(SSL_CTX* context, const TlsServerOptions& options) {
  if (options.client_certificate == ClientCertificates::None) return;
  const bool required = options.client_certificate == ClientCertificates::Required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_verify_depth(context, options.verify_depth);
  SSL_CTX_set1_cert_store(context, options.client_ca->parts().store.get());
  for (const X509Ptr& one : options.client_ca->parts().certificates) SSL_CTX_add_client_CA(context, one.get());
}

}  // namespace

std::string last_error() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(error);
  std::string text = reason == nullptr ? "OpenSSL gave no reason" : reason;
  ERR_clear_error();
  return text;
}

TlsContext::TlsContext() : native_(std::make_unique<Native>()) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::server(TlsServerOptions options) {
  std::shared_ptr<TlsContext> out(new TlsContext());
  out->server_ = true;
  out->native_->context.reset(SSL_CTX_new(TLS_server_method()));
  out->native_->alpn = wire_alpn(options.alpn);
  SSL_CTX* context = out->native_->context.get();
  const TlsVersion min = options.policy == TlsPolicy::Modern ? TlsVersion::V13 : options.min;
  bool fine = set_common(context, min, options.max);
  for (std::size_t i = 0; i < options.certificates.size(); ++i) {
    // Only the default stands in the context; the others are tried once, so that what a handshake would refuse is refused here.
    const SslContextPtr trial(SSL_CTX_new(TLS_server_method()));
    fine = fine && use(i == 0 ? context : trial.get(), *options.certificates[i].identity);
    for (const std::string& host : options.certificates[i].hosts) out->hosts_.emplace(to_lower(host), static_cast<int>(i));
  }
  if (!fine) return fail("tls", last_error());
  SSL_CTX_set_dh_auto(context, 1);
  ask_for_certificates(context, options);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  const Sha256 scope = sha256(options.session_scope);
  SSL_CTX_set_session_id_context(context, scope.data(), static_cast<unsigned>(scope.size()));
  if (options.tickets) SSL_CTX_set_timeout(context, static_cast<long>(options.tickets->rotation().count() / 1'000'000'000));
  else SSL_CTX_set_options(context, SSL_OP_NO_TICKET), SSL_CTX_set_num_tickets(context, 0);
  out->server_options_ = std::move(options);
  install_server_callbacks(context, *out);
  return std::shared_ptr<const TlsContext>(std::move(out));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(TlsClientOptions options) {
  std::shared_ptr<TlsContext> out(new TlsContext());
  out->native_->context.reset(SSL_CTX_new(TLS_client_method()));
  out->native_->alpn = wire_alpn(options.alpn);
  SSL_CTX* context = out->native_->context.get();
  bool fine = set_common(context, options.min, options.max);
  if (options.identity) fine = fine && use(context, *options.identity);
  if (!fine) return fail("tls", last_error());
  const std::string& alpn = out->native_->alpn;
  if (!alpn.empty()) SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn.data()), static_cast<unsigned>(alpn.size()));
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (options.ask_for_staple) SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
  if (options.authorities) SSL_CTX_set1_cert_store(context, options.authorities->parts().store.get());
  // Sessions are kept by whoever owns the engine, by target and by the engine's clock.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &TlsCallbacks::new_session);
  out->client_options_ = std::move(options);
  return std::shared_ptr<const TlsContext>(std::move(out));
}

int TlsContext::certificate_for(std::string_view host) const {
  if (hosts_.empty()) return 0;
  const std::string name = to_lower(host);
  const auto exact = hosts_.find(name);
  if (exact != hosts_.end()) return exact->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0) return -1;
  const auto wildcard = hosts_.find("*" + name.substr(dot));
  return wildcard == hosts_.end() ? -1 : wildcard->second;
}

}  // namespace gatelab::crypto
