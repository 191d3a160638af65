// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_engine.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <ctime>

#include "base/address.h"
#include "base/base64.h"
#include "crypto/certificate_parts.h"
#include "crypto/tls_native.h"

namespace gatelab::crypto {
namespace {

// What may wait for the wire while nobody writes: alerts, key updates. More is an attack.
constexpr std::size_t kHeld = 64 * 1024;

const BIO_METHOD* wire_method() noexcept {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatelab wire");
    BIO_meth_set_write(made, &TlsCallbacks::write);
    BIO_meth_set_read(made, &TlsCallbacks::read);
    BIO_meth_set_ctrl(made, &TlsCallbacks::control);
    return made;
  }();
  return method;
}

TlsFailure failure_of_certificate(long result) noexcept {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CRL_HAS_EXPIRED: return TlsFailure::Expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CRL_NOT_YET_VALID: return TlsFailure::NotYetValid;
    case X509_V_ERR_CERT_REVOKED: return TlsFailure::Revoked;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return TlsFailure::Hostname;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED: return TlsFailure::TooDeep;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CERT_UNTRUSTED: return TlsFailure::Untrusted;
    default: return TlsFailure::Unfit;
  }
}

TlsFailure failure_of(unsigned long error) noexcept {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return TlsFailure::Other;
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET) return TlsFailure::PeerAlert;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return TlsFailure::PlainHttp;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE: return TlsFailure::Version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: return TlsFailure::Cipher;
    case SSL_R_NO_APPLICATION_PROTOCOL: return TlsFailure::Protocol;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return TlsFailure::Missing;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return TlsFailure::PeerGone;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_BAD_PACKET_LENGTH:
    case SSL_R_LENGTH_MISMATCH:
    case SSL_R_BAD_EXTENSION:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_UNEXPECTED_RECORD:
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
    case SSL_R_DATA_LENGTH_TOO_LONG: return TlsFailure::Malformed;
    default: return TlsFailure::Other;
  }
}

}  // namespace

int TlsCallbacks::write(BIO* bio, const char* data, int size) noexcept {
  TlsEngine& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::string_view octets(data, static_cast<std::size_t>(size));
  const bool room = engine.held_.size() + octets.size() <= kHeld;
  if (!engine.gathering_ || !room) {
    const Wire::Moved moved = engine.send(octets);
    if (moved.state == Wire::State::Ok) return static_cast<int>(moved.octets);
    if (moved.state != Wire::State::WouldBlock) return -1;
    if (engine.writing_) {
      BIO_set_retry_write(bio);
      return -1;
    }
    if (!room) return -1;
  }
  engine.held_.append(octets);
  return size;
}

int TlsCallbacks::read(BIO* bio, char* data, int size) noexcept {
  TlsEngine& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const Wire::Moved moved = engine.wire_.wire_read({data, static_cast<std::size_t>(size)});
  engine.wire_state_ = moved.state;
  if (moved.state == Wire::State::Ok) return static_cast<int>(moved.octets);
  if (moved.state == Wire::State::WouldBlock) BIO_set_retry_read(bio);
  return moved.state == Wire::State::Eof ? 0 : -1;
}

long TlsCallbacks::control(BIO* bio, int command, long, void*) noexcept {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return static_cast<TlsEngine*>(BIO_get_data(bio))->wire_state_ == Wire::State::Eof ? 1 : 0;
  return 0;
}

int TlsCallbacks::new_session(SSL* ssl, SSL_SESSION* session) noexcept {
  TlsEngine& engine = engine_of(ssl);
  if (engine.sessions_ == nullptr || SSL_SESSION_is_resumable(session) != 1) return 0;
  SSL_SESSION_free(engine.sessions_->session_);
  engine.sessions_->session_ = session;
  engine.sessions_->since_ = engine.now_;
  return 1;  // ours now
}

TlsSessions::~TlsSessions() { SSL_SESSION_free(session_); }

TlsEngine::TlsEngine(std::shared_ptr<const TlsContext> context, Wire& wire) : context_(std::move(context)), wire_(wire) {
  ssl_ = SSL_new(context_->native().context.get());
  facts_.server = context_->is_server();
  BIO* bio = BIO_new(wire_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  if (facts_.server) SSL_set_accept_state(ssl_);
  else SSL_set_connect_state(ssl_);
}

TlsEngine::~TlsEngine() { SSL_free(ssl_); }

void TlsEngine::call(const std::string& server_name, TlsSessions* sessions, Instant now) {
  now_ = now;
  sessions_ = sessions;
  facts_.sni = server_name;
  const bool literal = parse_ip(server_name).ok();
  if (!literal && !server_name.empty()) SSL_set_tlsext_host_name(ssl_, server_name.c_str());
  if (context_->client_options().verify) {
    SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (literal) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), server_name.c_str());
    else SSL_set1_host(ssl_, server_name.c_str());
  }
  if (sessions == nullptr || sessions->session_ == nullptr) return;
  // A session is as good as its age by the engine's clock, and as the certificate that it was begun with.
  const std::int64_t age = now.seconds() - sessions->since_.seconds();
  const bool fresh = age >= 0 && age < static_cast<std::int64_t>(SSL_SESSION_get_ticket_lifetime_hint(sessions->session_));
  X509* shown = SSL_SESSION_get0_peer(sessions->session_);
  if (fresh && (shown == nullptr || now < facts_of(shown).not_after)) SSL_set_session(ssl_, sessions->session_);
}

// What is held goes first. Ok: all of it, and `octets` of `from`.
Wire::Moved TlsEngine::send(std::string_view from) noexcept {
  for (Wire::Moved moved; !held_.empty() || !from.empty();) {
    moved = wire_.wire_write(held_, from);
    if (moved.state != Wire::State::Ok) return moved;
    const std::size_t first = std::min(moved.octets, held_.size());
    moved.octets -= first;
    held_.erase(0, first);
    if (held_.empty()) std::string().swap(held_);  // an idle connection keeps no room for it
    if (moved.octets > 0) return moved;
  }
  return {};
}

TlsEngine::State TlsEngine::handshake(Instant now) {
  if (send({}).state == Wire::State::WouldBlock) return State::WantWrite;
  now_ = now;
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_), static_cast<std::time_t>(now.seconds()));
  ERR_clear_error();
  writing_ = gathering_ = true;
  const int result = SSL_do_handshake(ssl_);
  writing_ = gathering_ = false;
  State state = ended(result);
  // In TLS 1.3 nobody waits for what a server sends last: these are tickets.
  const bool only_tickets = state == State::Ok && facts_.server && SSL_version(ssl_) == TLS1_3_VERSION;
  const Wire::State sent = only_tickets ? Wire::State::Ok : send({}).state;
  if (state == State::Ok || state == State::WantRead) {
    if (sent == Wire::State::WouldBlock) return State::WantWrite;
    if (sent != Wire::State::Ok) state = State::Truncated;
  }
  if (state == State::Ok) learn();
  else if (state != State::WantRead && state != State::WantWrite) {
    if (failure_ == TlsFailure::None) explain();
    ERR_clear_error();
    return State::Failed;
  }
  return state;
}

TlsEngine::State TlsEngine::ended(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE: return State::Ok;
    case SSL_ERROR_WANT_READ: return State::WantRead;
    case SSL_ERROR_WANT_WRITE: return State::WantWrite;
    case SSL_ERROR_ZERO_RETURN: return State::Closed;
    case SSL_ERROR_SYSCALL: return State::Truncated;
    default: break;
  }
  return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? State::Truncated : State::Failed;
}

void TlsEngine::explain() {
  const unsigned long error = ERR_peek_error();
  if (error == 0) {
    failure_ = TlsFailure::PeerGone;
    return;
  }
  if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    const long result = SSL_get_verify_result(ssl_);
    failure_ = failure_of_certificate(result);
    detail_ = X509_verify_cert_error_string(result);
    ERR_clear_error();
    return;
  }
  failure_ = failure_of(error);
  const char* text = ERR_reason_error_string(error);
  detail_ = text == nullptr ? "" : text;
  ERR_clear_error();
}

void TlsEngine::learn() {
  facts_.version = SSL_version(ssl_) == TLS1_3_VERSION ? "1.3" : "1.2";
  facts_.cipher = SSL_get_cipher_name(ssl_);
  const char* group = SSL_group_to_name(ssl_, static_cast<int>(SSL_get_negotiated_group(ssl_)));
  facts_.group = group == nullptr ? std::string_view() : std::string_view(group);
  facts_.resumed = SSL_session_reused(ssl_) == 1;
  const unsigned char* staple = nullptr;
  facts_.stapled = !facts_.server && SSL_get_tlsext_status_ocsp_resp(ssl_, &staple) > 0;
  const unsigned char* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &alpn, &size);
  if (size > 0) facts_.alpn.assign(reinterpret_cast<const char*>(alpn), size);
  X509* shown = SSL_get0_peer_certificate(ssl_);
  if (shown == nullptr) return;
  CertificateFacts peer = facts_of(shown);
  facts_.peer_subject = std::move(peer.subject);
  facts_.peer_fingerprint = std::move(peer.fingerprint);
  facts_.peer_names = std::move(peer.names);
  facts_.peer_identities = std::move(peer.identities);
  if (facts_.server && context_->server_options().keep_certificate) facts_.peer_certificate = base64_encode(der_of(shown));
}

TlsEngine::Moved TlsEngine::read(std::span<char> into) noexcept {
  if (into.empty()) return {State::Ok, 0};
  ERR_clear_error();
  const int n = SSL_read(ssl_, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1U << 30)));
  if (n > 0) return {State::Ok, static_cast<std::size_t>(n)};
  const State state = ended(n);
  if (state == State::Failed) explain();
  return {state, 0};
}

TlsEngine::Moved TlsEngine::write(std::string_view from) noexcept {
  ERR_clear_error();
  writing_ = true;
  const int n = SSL_write(ssl_, from.data(), static_cast<int>(std::min<std::size_t>(from.size(), SSL3_RT_MAX_PLAIN_LENGTH)));
  writing_ = false;
  if (n > 0) return {State::Ok, static_cast<std::size_t>(n)};
  const State state = ended(n);
  if (state == State::Failed) explain();
  return {state, 0};
}

TlsEngine::State TlsEngine::peek() noexcept {
  char one[1];
  return peek(one).state;
}

TlsEngine::Moved TlsEngine::peek(std::span<char> into) noexcept {
  if (into.empty()) return {State::Ok, 0};
  ERR_clear_error();
  const int n = SSL_peek(ssl_, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1U << 30)));
  if (n > 0) return {State::Ok, static_cast<std::size_t>(n)};
  const State state = ended(n);
  if (state == State::Failed) explain();
  return {state, 0};
}

bool TlsEngine::has_pending() const noexcept { return SSL_has_pending(ssl_) == 1; }

void TlsEngine::close_notify() noexcept {
  if (failure_ != TlsFailure::None || SSL_in_init(ssl_) == 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace gatelab::crypto
