// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/tls.h"

#include <utility>

namespace gatelab::harness {
namespace {

void version(config::Reader& r, std::string_view key, crypto::TlsVersion& out, diag::Sink& sink) {
  const config::Node* node = r.get(key);
  if (node == nullptr) return;
  if (node->text == "1.2") out = crypto::TlsVersion::V12;
  else if (node->text == "1.3") out = crypto::TlsVersion::V13;
  else sink.error("bad-choice", node->span, "`" + std::string(key) + "` is 1.2 or 1.3, not `" + node->text + "`");
}

std::string whole(const std::string& path, const std::string& directory) { return path.starts_with("/") ? path : directory + path; }

}  // namespace

ClientTls parse_client_tls(const config::Node& node, diag::Sink& sink) {
  ClientTls out;
  out.span = node.span;
  if (node.kind == config::Kind::Bool && !node.boolean) {
    out.off = true;
    return out;
  }
  config::Reader r(node, sink, "`tls` of `via`");
  out.sni = r.text("sni");
  for (const auto& protocol : r.texts("alpn")) {
    if (protocol.value.empty() || protocol.value.size() > 255) sink.error("bad-choice", protocol.span, "a protocol's name has from 1 to 255 octets");
    else out.alpn.push_back(protocol.value);
  }
  version(r, "min_version", out.min, sink);
  version(r, "max_version", out.max, sink);
  out.certificate = r.text("certificate", "");
  out.session = r.text("session", "");
  out.trust = r.text("trust", "");
  r.finish();
  return out;
}

MockTls parse_mock_tls(const config::Node& node, diag::Sink& sink) {
  MockTls out;
  config::Reader r(node, sink, "`tls` of a mock");
  for (const auto& name : r.texts("names")) out.names.push_back(name.value);
  out.valid_for = r.duration("valid_for");
  out.trusted = r.boolean("trusted", true);
  version(r, "max_version", out.max, sink);
  out.client_ca = r.text("client_ca", "");
  r.finish();
  return out;
}

Result<std::shared_ptr<const crypto::Identity>> load_identity(const std::string& certificate, const std::string& key, const io::Files& files, const std::string& directory) {
  auto pem = files.read(whole(certificate, directory)), secret = files.read(whole(key, directory));
  if (!pem) return Failure<Error>{pem.error()};
  if (!secret) return Failure<Error>{secret.error()};
  return crypto::Identity::load(*pem, *secret, {});
}

Result<std::shared_ptr<const crypto::TlsContext>> client_context(const ClientTls& tls, std::shared_ptr<const crypto::Identity> identity, const crypto::LocalAuthority& authority,
                                                                 const io::Files& files, const std::string& directory) {
  crypto::TlsClientOptions options;
  options.verify = !tls.trust.empty();
  options.identity = std::move(identity);
  options.min = tls.min;
  options.max = tls.max;
  options.alpn = tls.alpn;
  options.ask_for_staple = true;
  if (tls.trust == "system") {
    options.authorities = crypto::Authorities::system({});
  } else if (options.verify) {
    auto pem = tls.trust == "simulation" ? Result<std::string>(authority.pem()) : files.read(whole(tls.trust, directory));
    if (!pem) return Failure<Error>{pem.error()};
    auto loaded = crypto::Authorities::load(*pem, {});
    if (!loaded) return Failure<Error>{loaded.error()};
    options.authorities = std::move(*loaded);
  }
  return crypto::TlsContext::client(std::move(options));
}

Result<std::shared_ptr<const crypto::Authorities>> load_authorities(const std::string& path, const io::Files& files, const std::string& directory) {
  auto pem = files.read(whole(path, directory));
  if (!pem) return Failure<Error>{pem.error()};
  auto loaded = crypto::Authorities::load(*pem, {});
  if (!loaded) return fail(loaded.error().id, "`" + path + "` " + loaded.error().message);
  return loaded;
}

Result<std::shared_ptr<const crypto::TlsContext>> mock_context(const MockTls& tls, const std::string& name, const crypto::LocalAuthority& authority, Instant start,
                                                               std::shared_ptr<const crypto::Authorities> clients) {
  crypto::LocalAuthority::Request request;
  request.names = tls.names.empty() ? std::vector<std::string>{name} : tls.names;
  request.from = start + -std::chrono::hours(24);
  request.until = start + tls.valid_for.value_or(std::chrono::hours(24 * 365 * 20));
  const auto stranger = tls.trusted ? nullptr : crypto::LocalAuthority::simulation("a CA that nobody trusts");
  const auto identity = (stranger ? *stranger : authority).issue(request);
  if (!identity) return fail("bad-name", "no certificate can be made for `" + request.names.front() + "`");
  crypto::TlsServerOptions options;
  options.certificates.push_back({identity, {}, {}});
  options.max = tls.max;
  options.tickets = std::make_shared<crypto::TicketKeys>(std::chrono::hours(1));
  if (clients) options.client_certificate = crypto::ClientCertificates::Required;
  options.client_ca = std::move(clients);
  return crypto::TlsContext::server(std::move(options));
}

}  // namespace gatelab::harness
