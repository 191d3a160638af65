// SPDX-License-Identifier: Apache-2.0
// `tls:` of listeners and of upstreams: reads the files that it names, and makes contexts of them. Private to the room.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/model_files.h"

namespace gatelab::gateway {

class TlsParser {
 public:
  TlsParser(const ModelInput& input, ModelFiles& files, diag::Sink& sink) : input_(input), files_(files), sink_(sink) {}

  // `hosts`: what routes say, for certificates that are made on demand.
  void listener(ListenerConfig& listener, const std::vector<std::string>& hosts);
  void upstream(upstream::Config& upstream);

 private:
  std::string read_optional(config::Reader& r, std::string_view key, bool& fine);
  std::shared_ptr<const crypto::Identity> identity(config::Reader& r);
  void validity(const crypto::CertificateFacts& facts, const config::Node& certificate);
  std::optional<crypto::TlsCertificate> certificate(config::Reader& r);
  crypto::OcspStaple staple(config::Reader& r, const crypto::Identity* identity);
  void certificates(crypto::TlsServerOptions& options, config::Reader& r);
  std::vector<std::string> hosts_of(config::Reader& r, const crypto::CertificateFacts& facts);
  void unique_hosts(const std::vector<std::string>& hosts, const diag::Span& span, std::map<std::string, diag::Span>& seen);
  void versions(crypto::TlsVersion& min, crypto::TlsVersion& max, config::Reader& r);
  void clients(crypto::TlsServerOptions& options, config::Reader& r);
  void tickets(crypto::TlsServerOptions& options, config::Reader& r, const std::string& listener);
  void protocols(std::vector<std::string>& alpn, config::Reader& r);
  bool use_local(crypto::TlsServerOptions& options, const diag::Span& span, const std::vector<std::string>& hosts);
  std::shared_ptr<const crypto::Authorities> trusted(config::Reader& r, std::string& scope);

  const ModelInput& input_;
  ModelFiles& files_;
  diag::Sink& sink_;
  std::string scope_;  // of the listener that is being read: what makes its sessions foreign to others
};

}  // namespace gatelab::gateway
