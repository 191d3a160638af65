// SPDX-License-Identifier: Apache-2.0
// What a listener or an upstream says about TLS, made ready once: versions, ciphers, certificates, whom to trust. Immutable,
// shared by all workers and by the connections that began with it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/certificate.h"
#include "crypto/local_authority.h"
#include "crypto/ocsp.h"
#include "crypto/ticket_keys.h"

namespace gatelab::crypto {

enum class TlsVersion : std::uint8_t { V12, V13 };
// Mozilla's "Server Side TLS" 5.7: which ciphers and groups. Modern means TLS 1.3 only.
enum class TlsPolicy : std::uint8_t { Intermediate, Modern };
enum class ClientCertificates : std::uint8_t { None, Optional, Required };

struct TlsCertificate {
  std::shared_ptr<const Identity> identity;
  std::vector<std::string> hosts;  // whom it is shown to: names, *.names; lower case
  OcspStaple ocsp_staple;
};

struct TlsServerOptions {
  std::vector<TlsCertificate> certificates;      // the first is the default
  std::shared_ptr<LocalAuthority> local;         // instead of certificates: made for the name that the client asks for
  std::vector<std::string> local_hosts;          // which names; besides localhost and *.localhost
  TlsVersion min = TlsVersion::V12, max = TlsVersion::V13;
  TlsPolicy policy = TlsPolicy::Intermediate;
  std::vector<std::string> alpn{"http/1.1"};
  ClientCertificates client_certificate = ClientCertificates::None;
  std::shared_ptr<const Authorities> client_ca;
  int verify_depth = 4;                          // certificates between the client's and the CA's
  bool keep_certificate = false;                 // TlsFacts gets the client's certificate itself
  bool reject_unknown = false;                   // an unknown name gets an alert, not the default certificate
  std::shared_ptr<TicketKeys> tickets;           // null: no resumption
  std::string session_scope;                     // sessions of another scope are not resumed
};

struct TlsClientOptions {
  std::shared_ptr<const Authorities> authorities;
  bool verify = true;
  std::shared_ptr<const Identity> identity;      // null: no client certificate
  TlsVersion min = TlsVersion::V12, max = TlsVersion::V13;
  std::vector<std::string> alpn{"http/1.1"};
  bool ask_for_staple = false;
};

class TlsContext {
 public:
  // Fails only where OpenSSL refuses what was given; the message is OpenSSL's.
  static Result<std::shared_ptr<const TlsContext>> server(TlsServerOptions options);
  static Result<std::shared_ptr<const TlsContext>> client(TlsClientOptions options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  bool is_server() const noexcept { return server_; }
  // Which certificate is shown for `host` (any case, no port): its index, or -1 if none covers it.
  int certificate_for(std::string_view host) const;
  bool asks_for_certificates() const noexcept { return server_options_.client_certificate != ClientCertificates::None; }
  const TlsServerOptions& server_options() const noexcept { return server_options_; }
  const TlsClientOptions& client_options() const noexcept { return client_options_; }

  struct Native;
  Native& native() const noexcept { return *native_; }

 private:
  TlsContext();
  bool server_ = false;
  TlsServerOptions server_options_;
  TlsClientOptions client_options_;
  std::map<std::string, int, std::less<>> hosts_;
  std::unique_ptr<Native> native_;
};

}  // namespace gatelab::crypto
