// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_tls.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/units.h"

namespace gatelab::gateway {
namespace {

// Outlives reloads: a client's ticket is as good after one as before.
class TicketState final : public policy::State {
 public:
  explicit TicketState(Duration rotation) : keys(rotation) {}
  crypto::TicketKeys keys;
};

bool is_host_pattern(std::string_view host) {
  constexpr std::string_view kFine = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  if (host.starts_with("*.")) host.remove_prefix(2);
  return !host.empty() && host.size() <= 253 && host.find_first_not_of(kFine) == std::string_view::npos && host.front() != '.' && host.find("..") == std::string_view::npos;
}

bool covers(std::string_view name, std::string_view host) {
  if (iequals(name, host)) return true;
  const std::size_t dot = host.find('.');
  return name.starts_with("*.") && dot != std::string_view::npos && dot > 0 && iequals(name.substr(1), host.substr(dot));
}

// Which of the files of an identity an error speaks of.
std::string_view culprit(std::string_view id) {
  if (id == "bad-chain") return "chain";
  return id == "bad-key" || id == "encrypted-key" || id == "key-mismatch" ? "key" : "certificate";
}

std::string_view hint_for(std::string_view id) {
  if (id == "encrypted-key") return "store it without one, readable by you alone: openssl pkey -in KEY -out NEW";
  if (id == "weak-key") return "RSA keys have at least 2048 bits; better is an EC key on P-256";
  return "";
}

}  // namespace

std::string TlsParser::read_optional(config::Reader& r, std::string_view key, bool& fine) {
  const config::Node* node = r.get(key);
  if (node == nullptr) return {};
  auto text = files_.read(*node, "`" + std::string(key) + "` of " + r.what());
  fine = fine && text.has_value();
  return std::move(text).value_or("");
}

void TlsParser::validity(const crypto::CertificateFacts& facts, const config::Node& certificate) {
  if (!input_.now) return;
  // Not an error: plain listeners and other hosts must not stay away because one certificate is late.
  if (*input_.now > facts.not_after) sink_.warning("certificate-expired", certificate.span, "`" + certificate.text + "` expired at " + format(facts.not_after) + ": clients will refuse it");
  if (*input_.now < facts.not_before) sink_.warning("certificate-not-yet-valid", certificate.span, "`" + certificate.text + "` is not valid before " + format(facts.not_before) + ": clients will refuse it");
}

std::shared_ptr<const crypto::Identity> TlsParser::identity(config::Reader& r) {
  const config::Node *certificate = r.require("certificate"), *key = r.require("key"), *chain = r.get("chain");
  if (certificate == nullptr || key == nullptr) return nullptr;
  bool fine = true;
  const std::string pem = read_optional(r, "certificate", fine), secret = read_optional(r, "key", fine), more = read_optional(r, "chain", fine);
  if (!fine) return nullptr;
  auto loaded = crypto::Identity::load(pem, secret, more);
  if (!loaded) {
    const std::string_view which = culprit(loaded.error().id);
    const config::Node* node = which == "chain" ? chain : which == "key" ? key : certificate;
    sink_.error(loaded.error().id, node->span, "`" + node->text + "` " + loaded.error().message, std::string(hint_for(loaded.error().id)));
    return nullptr;
  }
  validity((*loaded)->facts(), *certificate);
  return std::move(*loaded);
}

crypto::OcspStaple TlsParser::staple(config::Reader& r, const crypto::Identity* identity) {
  bool fine = true;
  std::string der = read_optional(r, "ocsp_staple", fine);
  if (!fine || r.get("ocsp_staple") == nullptr) return {};
  const config::Node& node = *r.get("ocsp_staple");
  auto read = crypto::read_ocsp_staple(std::move(der), identity);
  // Most are no errors: without a staple, which is what clients then get, the certificate is as good as ever; and a new
  // certificate must not wait for its staple.
  if (!read && read.error().id == "ocsp-mismatch") sink_.warning("ocsp-mismatch", node.span, "`" + node.text + "` " + read.error().message + ": it is not sent", "ask the CA for a response to the certificate that stands beside it");
  else if (!read) sink_.error(read.error().id, node.span, "`" + node.text + "` " + read.error().message, "openssl ocsp … -respout FILE writes one");
  if (!read) return {};
  const std::string fetch = "fetch a new one; saving it reloads the configuration";
  if (read->status != "good") sink_.warning("ocsp-not-good", node.span, "`" + node.text + "` says that the certificate is " + std::string(read->status) + ": clients that look will refuse it", "get another certificate, or take the line away");
  if (input_.now && *input_.now > read->next_update) sink_.warning("ocsp-expired", node.span, "`" + node.text + "` was good until " + format(read->next_update) + ": it is not sent", fetch);
  if (input_.now && *input_.now < read->this_update) sink_.warning("ocsp-not-yet-valid", node.span, "`" + node.text + "` is not good before " + format(read->this_update) + ": it is not sent until then", "look at the clock of this machine, and of the one that wrote it");
  return std::move(*read);
}

std::vector<std::string> TlsParser::hosts_of(config::Reader& r, const crypto::CertificateFacts& facts) {
  std::vector<std::string> hosts;
  for (const auto& given : r.texts("hosts")) {
    const std::string host = to_lower(given.value);
    if (!is_host_pattern(host)) {
      sink_.error("bad-host", given.span, "`" + given.value + "` is not a name that a client can ask for", "a name, or *.name: the star stands for one whole label");
      continue;
    }
    if (std::none_of(facts.names.begin(), facts.names.end(), [&host](const std::string& name) { return covers(name, host); }))
      sink_.warning("host-not-covered", given.span, "the certificate does not name `" + host + "`: clients will refuse it");
    hosts.push_back(host);
  }
  if (r.get("hosts") != nullptr) return hosts;
  for (const std::string& name : facts.names)
    if (is_host_pattern(to_lower(name)) && !parse_ip(name)) hosts.push_back(to_lower(name));
  return hosts;
}

std::optional<crypto::TlsCertificate> TlsParser::certificate(config::Reader& r) {
  crypto::TlsCertificate out;
  out.identity = identity(r);
  out.ocsp_staple = staple(r, out.identity.get());
  if (!out.identity) return std::nullopt;
  out.hosts = hosts_of(r, out.identity->facts());
  return out;
}

void TlsParser::unique_hosts(const std::vector<std::string>& hosts, const diag::Span& span, std::map<std::string, diag::Span>& seen) {
  for (const std::string& host : hosts) {
    const auto [at, fresh] = seen.emplace(host, span);
    if (fresh) continue;
    diag::Diagnostic d;
    d.id = "duplicate-host";
    d.message = "two certificates are for `" + host + "`";
    d.span = span;
    d.related.push_back({at->second, "the other is here"});
    d.hint = "say with `hosts` which one is shown";
    sink_.report(std::move(d));
  }
}

void TlsParser::certificates(crypto::TlsServerOptions& options, config::Reader& r) {
  std::map<std::string, diag::Span> seen;
  const config::Node *one = r.get("certificate"), *list = r.get("certificates");
  if (one == nullptr && list == nullptr) {
    r.require("certificate");
    return;
  }
  if (one != nullptr || r.get("key") != nullptr) {
    if (auto made = certificate(r)) {
      unique_hosts(made->hosts, r.span_of("certificate"), seen);
      options.certificates.push_back(std::move(*made));
    }
  }
  if (list == nullptr) return;
  if (list->kind != config::Kind::List) return sink_.error("wrong-type", list->span, "`certificates` of " + r.what() + " must be a list", "certificates: [ { certificate: a.pem, key: a.key }, … ]");
  for (const config::Node& item : list->items) {
    config::Reader each(item, sink_, "an entry of `certificates`");
    auto made = certificate(each);
    each.finish();
    if (!made) continue;
    if (made->hosts.empty() && !options.certificates.empty()) sink_.error("no-hosts", each.span_of("certificate"), "the certificate names no host and the entry has no `hosts`: it would never be shown");
    unique_hosts(made->hosts, each.span_of("certificate"), seen);
    options.certificates.push_back(std::move(*made));
  }
}

void TlsParser::versions(crypto::TlsVersion& min, crypto::TlsVersion& max, config::Reader& r) {
  const auto one = [this, &r](std::string_view key, crypto::TlsVersion& version) {
    const config::Node* node = r.get(key);
    if (node == nullptr) return;
    if (node->text == "1.2") version = crypto::TlsVersion::V12;
    else if (node->text == "1.3") version = crypto::TlsVersion::V13;
    else sink_.error("bad-choice", node->span, "`" + std::string(key) + "` of " + r.what() + " is 1.2 or 1.3, not `" + node->text + "`", "older versions are broken, and are not supported");
  };
  one("min_version", min);
  one("max_version", max);
  if (min > max) sink_.error("bad-range", r.span_of("max_version"), "`max_version` of " + r.what() + " is below `min_version`");
}

void TlsParser::clients(crypto::TlsServerOptions& options, config::Reader& r) {
  options.client_certificate = static_cast<crypto::ClientCertificates>(r.choice("client_certificate", 0, {"none", "optional", "required"}));
  options.verify_depth = static_cast<int>(r.integer("verify_depth", options.verify_depth, 0, 32));
  bool fine = true;
  const std::string ca = read_optional(r, "client_ca", fine), crl = read_optional(r, "crl", fine);
  const bool wanted = options.client_certificate != crypto::ClientCertificates::None;
  scope_ += ca + "\n" + crl + "\n" + std::to_string(static_cast<int>(options.client_certificate)) + " " + std::to_string(options.verify_depth);
  if (wanted && r.get("client_ca") == nullptr) sink_.error("missing-key", r.span_of("client_certificate"), "client certificates need a `client_ca` that signs them");
  options.keep_certificate = r.boolean("forward_client_certificate", false);
  for (const std::string_view key : {"client_ca", "crl", "verify_depth", "forward_client_certificate"})
    if (!wanted && r.get(key) != nullptr) sink_.error("no-effect", r.span_of(key), "`" + std::string(key) + "` has no effect: no client certificate is asked for", "write client_certificate: optional, or required");
  if (!fine || ca.empty()) return;
  auto loaded = crypto::Authorities::load(ca, crl);
  if (loaded) options.client_ca = std::move(*loaded);
  else sink_.error(loaded.error().id, r.span_of(loaded.error().id == "bad-crl" ? "crl" : "client_ca"), "`" + r.get(loaded.error().id == "bad-crl" ? "crl" : "client_ca")->text + "` " + loaded.error().message);
}

void TlsParser::tickets(crypto::TlsServerOptions& options, config::Reader& r, const std::string& listener) {
  Duration rotation = std::chrono::hours(12);
  if (const config::Node* node = r.get("tickets")) {
    if (node->kind == config::Kind::Bool && !node->boolean) return;
    if (node->kind != config::Kind::Bool) {
      config::Reader t(*node, sink_, "`tickets` of " + r.what());
      rotation = t.duration("rotation", rotation);
      // RFC 8446 §4.6.1: no ticket lives longer than seven days.
      if (rotation < std::chrono::seconds(1) || rotation > std::chrono::hours(84)) sink_.error("out-of-range", t.span_of("rotation"), "`rotation` must be from 1s to 84h: a ticket lives for two rotations, at most seven days");
      t.finish();
    }
  }
  if (sink_.has_errors()) return;
  options.session_scope = listener + "\n" + scope_;
  auto state = input_.states->obtain<TicketState>("tls-tickets/" + listener, format(rotation) + "\n" + scope_, [rotation] { return new TicketState(rotation); });
  options.tickets = std::shared_ptr<crypto::TicketKeys>(state, &state->keys);
}

void TlsParser::protocols(std::vector<std::string>& alpn, config::Reader& r) {
  const auto given = r.texts("alpn");
  if (given.empty()) return;
  alpn.clear();
  for (const auto& protocol : given) {
    if (protocol.value == "h2") sink_.error("not-supported", protocol.span, "`alpn: h2`: HTTP/2 is not supported yet", "write alpn: [http/1.1]");
    else if (protocol.value != "http/1.1" && protocol.value != "http/1.0") sink_.error("bad-choice", protocol.span, "`" + protocol.value + "` is not a protocol that gatelab speaks", "write alpn: [http/1.1]");
    else alpn.push_back(protocol.value);
  }
}

bool TlsParser::use_local(crypto::TlsServerOptions& options, const diag::Span& span, const std::vector<std::string>& hosts) {
  options.local_hosts = hosts;
  if (!input_.local) return false;  // only checked: nobody makes an authority for that
  auto authority = input_.local();
  if (authority) options.local = std::move(*authority);
  else sink_.error("no-local-ca", span, "the local CA can't be used: " + authority.error().message);
  return options.local != nullptr;
}

void TlsParser::listener(ListenerConfig& listener, const std::vector<std::string>& hosts) {
  if (listener.tls_node == nullptr) return;
  const config::Node& node = *listener.tls_node;
  const std::size_t before = sink_.errors();
  crypto::TlsServerOptions options;
  config::Node empty;
  empty.kind = config::Kind::Map;
  empty.span = node.span;
  const bool bare = node.kind == config::Kind::Text;
  if (bare && node.text != "local") return sink_.error("bad-choice", node.span, "`tls` is `local` or a map, not `" + node.text + "`", "tls: local, or tls: { certificate: cert.pem, key: cert.key }");
  config::Reader r(bare ? empty : node, sink_, "`tls` of listener `" + listener.name + "`");
  scope_.clear();
  const config::Node* named = r.get("certificate");
  const bool local = bare || (named != nullptr && named->text == "local");
  bool ready = true;
  if (local) ready = use_local(options, bare ? node.span : named->span, hosts);
  else if (r.valid()) certificates(options, r);
  versions(options.min, options.max, r);
  options.policy = static_cast<crypto::TlsPolicy>(r.choice("policy", 0, {"intermediate", "modern"}));
  if (options.policy == crypto::TlsPolicy::Modern && options.max == crypto::TlsVersion::V12) sink_.error("bad-range", r.span_of("policy"), "policy `modern` is TLS 1.3 only, and `max_version` is 1.2");
  protocols(options.alpn, r);
  clients(options, r);
  options.reject_unknown = r.choice("unknown_sni", 0, {"default", "reject"}) == 1;
  listener.handshake_timeout = r.duration("handshake_timeout", listener.handshake_timeout);
  tickets(options, r, listener.name);
  r.finish();
  if (sink_.errors() != before || !ready) return;
  auto context = crypto::TlsContext::server(std::move(options));
  if (context) listener.tls = std::move(*context);
  else sink_.error("tls-refused", node.span, "OpenSSL refuses this: " + context.error().message);
}

std::shared_ptr<const crypto::Authorities> TlsParser::trusted(config::Reader& r, std::string& scope) {
  bool fine = true;
  const std::string ca = read_optional(r, "ca", fine);
  scope += ca;
  if (!fine) return nullptr;
  if (r.get("ca") == nullptr) return crypto::Authorities::system(input_.also_trusted);
  // What is trusted besides must not hide that the file itself holds nothing.
  auto loaded = crypto::Authorities::load(ca, {});
  if (loaded && !input_.also_trusted.empty()) loaded = crypto::Authorities::load(ca + input_.also_trusted, {});
  if (loaded) return std::move(*loaded);
  sink_.error(loaded.error().id, r.span_of("ca"), "`" + r.get("ca")->text + "` " + loaded.error().message);
  return nullptr;
}

void TlsParser::upstream(upstream::Config& upstream) {
  const bool secure = !upstream.targets.empty() && upstream.targets.front().url.scheme == "https";
  if (!secure) {
    if (upstream.tls_node != nullptr) sink_.error("tls-without-https", upstream.tls_node->span, "upstream `" + upstream.name + "` has `tls` and no https target", "write url: https://…");
    return;
  }
  const std::size_t before = sink_.errors();
  config::Node empty;
  empty.kind = config::Kind::Map;
  empty.span = upstream.span;
  config::Reader r(upstream.tls_node == nullptr ? empty : *upstream.tls_node, sink_, "`tls` of upstream `" + upstream.name + "`");
  crypto::TlsClientOptions options;
  const auto named = r.text("server_name");
  for (upstream::TargetConfig& target : upstream.targets) target.server_name = to_lower(named.value_or(target.url.host));
  const std::string& name = upstream.targets.front().server_name;
  if (!is_host_pattern(name) && !parse_ip(name)) sink_.error("bad-host", r.span_of("server_name"), "`" + name + "` is not the name of a server");
  options.verify = r.boolean("verify", true);
  if (!options.verify) sink_.warning("not-verified", r.span_of("verify"), "the certificates of upstream `" + upstream.name + "` are not verified: whoever stands in between can read and change everything", "give its CA instead: tls: { ca: ca.pem }");
  versions(options.min, options.max, r);
  std::string scope = named.value_or("") + (options.verify ? " verified " : " unverified ") + std::to_string(static_cast<int>(options.min)) + std::to_string(static_cast<int>(options.max));
  options.authorities = trusted(r, scope);
  if (r.get("certificate") != nullptr || r.get("key") != nullptr) options.identity = identity(r);
  if (options.identity) scope += options.identity->facts().fingerprint;
  for (const std::string_view key : {"policy", "alpn", "crl"}) r.not_supported(key, "upstreams are called with HTTP/1.1 and the intermediate ciphers");
  r.finish();
  if (sink_.errors() != before) return;
  auto context = crypto::TlsContext::client(std::move(options));
  if (!context) return sink_.error("tls-refused", r.span(), "OpenSSL refuses this: " + context.error().message);
  upstream.tls = std::move(*context);
  upstream.tls_scope = std::move(scope);
}

}  // namespace gatelab::gateway
