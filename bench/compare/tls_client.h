// SPDX-License-Identifier: Apache-2.0
// shaker's connections: plain sockets to 127.0.0.1, and OpenSSL's client on top. Whatever goes wrong ends the program.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Tls = std::unique_ptr<SSL, decltype(&SSL_free)>;
using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

constexpr time_t kPatienceSeconds = 20;

[[noreturn]] inline void fail(const std::string& what) {
  const unsigned long code = ERR_get_error();
  const char* why = code != 0 ? ERR_reason_error_string(code) : errno != 0 ? std::strerror(errno) : nullptr;
  std::fprintf(stderr, "shaker: %s%s%s\n", what.c_str(), why != nullptr ? ": " : "", why != nullptr ? why : "");
  std::exit(1);
}

inline int connected(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("no socket (raise `ulimit -n`)");
  const timeval patience{kPatienceSeconds, 0};
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("cannot connect to port " + std::to_string(port));
  return socket;
}

// Tickets are left in `*app_data`, the newest one.
inline int keep_ticket(SSL* tls, SSL_SESSION* session) {
  if (auto* place = static_cast<Session*>(SSL_get_app_data(tls))) {
    place->reset(session);
    return 1;
  }
  return 0;
}

inline Context client_context(bool keeps_tickets) {
  Context context{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // Without it a read would go on waiting for data after it has taken a ticket.
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
  // A context that keeps tickets uses each once (OpenSSL marks it as not resumable after that).
  SSL_CTX_set_session_cache_mode(context.get(), keeps_tickets ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
  if (keeps_tickets) SSL_CTX_sess_set_new_cb(context.get(), keep_ticket);
  return context;
}

inline Tls shaken(SSL_CTX* context, int socket, SSL_SESSION* session, Session* ticket) {
  Tls tls{SSL_new(context), &SSL_free};
  SSL_set_fd(tls.get(), socket);
  SSL_set_app_data(tls.get(), ticket);
  SSL_set_tlsext_host_name(tls.get(), "localhost");
  if (session != nullptr) SSL_set_session(tls.get(), session);
  if (SSL_connect(tls.get()) != 1) fail("the handshake failed");
  if (SSL_session_reused(tls.get()) != (session != nullptr)) fail("the server did not resume the session");
  return tls;
}
