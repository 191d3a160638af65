// SPDX-License-Identifier: Apache-2.0
// TLS in scenarios: how the client speaks it (`via: { tls: … }`), what a mock shows, and the contexts made of that.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "crypto/tls_context.h"
#include "io/environment.h"

namespace gatelab::harness {

// A client's. Without it a client speaks TLS to listeners that do, shows nothing and trusts everything.
struct ClientTls {
  bool off = false;                 // plain HTTP, whatever the listener speaks
  std::optional<std::string> sni;   // default: the name in Host
  std::vector<std::string> alpn;
  crypto::TlsVersion min = crypto::TlsVersion::V12, max = crypto::TlsVersion::V13;
  std::string certificate;          // a credential
  std::string session;              // by this name sessions are kept and resumed
  std::string trust;                // a file of CA certificates, or "simulation"; empty: not verified
  diag::Span span;
};

// A mock's of an https target. By default it shows what the gateway expects.
struct MockTls {
  std::vector<std::string> names;
  std::optional<Duration> valid_for;  // from the scenario's start
  bool trusted = true;
  crypto::TlsVersion max = crypto::TlsVersion::V13;
  std::string client_ca;              // a file of CA certificates: whoever shows none of theirs is refused; empty: nobody is asked
};

ClientTls parse_client_tls(const config::Node& node, diag::Sink& sink);
MockTls parse_mock_tls(const config::Node& node, diag::Sink& sink);

// `directory`: what paths are relative to, with its slash; `identity` may be null.
Result<std::shared_ptr<const crypto::TlsContext>> client_context(const ClientTls& tls, std::shared_ptr<const crypto::Identity> identity, const crypto::LocalAuthority& authority,
                                                                 const io::Files& files, const std::string& directory);
Result<std::shared_ptr<const crypto::Identity>> load_identity(const std::string& certificate, const std::string& key, const io::Files& files, const std::string& directory);
Result<std::shared_ptr<const crypto::Authorities>> load_authorities(const std::string& path, const io::Files& files, const std::string& directory);
// `name`: whom the gateway calls; `start`: the scenario's; `clients`: who signs theirs; null: nobody is asked.
Result<std::shared_ptr<const crypto::TlsContext>> mock_context(const MockTls& tls, const std::string& name, const crypto::LocalAuthority& authority, Instant start,
                                                               std::shared_ptr<const crypto::Authorities> clients = nullptr);

}  // namespace gatelab::harness
